"""Every event is offered to those who subscribe to it. Pure: whom it concerns was loaded (matching.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from booking_contracts.envelope import Event

from services.chassis.messages import Message
from services.chassis.service import Handler, event, local
from services.notifications.model.subscriptions import OFFERED, Subscriber, concerned_by
from services.notifications.subscriptions.messages import EventWaits
from services.notifications.subscriptions.signing import content_of
from services.notifications.work import NotificationsWork

LOOKS_AGAIN = (timedelta(seconds=3), timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=1))
"""When whose an event is, is asked again: after an outage events of payments may be read before those of booking."""


@dataclass(frozen=True, slots=True)
class Offered:
    """An event that somebody is told of."""

    event_id: UUID
    type: str
    key: str
    content: str
    subscribers: Sequence[Subscriber]


def offered(handlers: Sequence[Handler]) -> tuple[Handler, ...]:
    """The same handlers; what they hear is offered too, and beside it every event that they do not hear."""
    by_body = {handler.body: handler for handler in handlers}
    kept = [handler for handler in handlers if handler.body not in OFFERED]
    heard = [event(kind, _offering(by_body.get(kind))) for kind in OFFERED]
    return (*heard, *kept, local(EventWaits, event_waits))


def _offering(handler: Handler | None) -> Any:
    def decide(message: Message[Event], work: NotificationsWork) -> None:
        if handler is not None:
            handler.decide(message, work)
        found = work.offers.get(message.id)
        if found is not None:
            content = content_of(message.raw.headers, message.key, message.raw.body)
            _offer(Offered(message.id, message.type, message.key, content, found.subscribers), work)
            if found.waits:
                _look_again(_waiting(message, content), message.key, work)

    return decide


def event_waits(message: Message[EventWaits], work: NotificationsWork) -> None:
    """Its booking may be known by now."""
    waits, found = message.body, work.offers.get(message.id)
    if found is not None:
        _offer(Offered(waits.event_id, waits.type, message.key, waits.content, found.subscribers), work)
        if found.waits:
            _look_again(waits.model_copy(update={"tries": waits.tries + 1}), message.key, work)


def _offer(offered: Offered, work: NotificationsWork) -> None:
    if offered.subscribers:
        work.record(offered)


def _waiting(message: Message[Event], content: str) -> EventWaits:
    booking_id = concerned_by(message.body).booking_id
    assert booking_id is not None, "that is what is not known"
    return EventWaits(
        event_id=message.id,
        type=message.type,
        booking_id=booking_id,
        content=content,
        tries=0,
        sequence=message.sequence,
    )


def _look_again(waits: EventWaits, key: str, work: NotificationsWork) -> None:
    if waits.tries < len(LOOKS_AGAIN):
        work.remind(waits, key=key, due_at=work.now + LOOKS_AGAIN[waits.tries])
