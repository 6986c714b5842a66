"""What notifications' handlers work with: letters and their outcomes, in the batch's unit of work."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from booking_contracts.booking import BookingEvent
from booking_contracts.envelope import Event, uuid7
from booking_contracts.notifications import DeliveryFailed, DeliverySucceeded

from services.chassis.messages import Message
from services.chassis.unit_of_work import UnitOfWork
from services.notifications.mail import SEND_MAIL, MailToSend
from services.notifications.model.deliveries import Delivery, State, Stream, delivery_id, message_id
from services.notifications.model.known import KnownBooking
from services.notifications.model.letters import Letter
from services.notifications.timers import ReminderDue


class NotificationsWork(UnitOfWork):
    """The rows of a batch, and notifications' words for changing them. `mail_domain` ends every Message-ID."""

    def __init__(
        self, now: datetime, new_id: Callable[[], UUID] = uuid7, *, admin_email: str, mail_domain: str
    ) -> None:
        super().__init__(now, new_id)
        self.admin_email, self.mail_domain = admin_email, mail_domain

    def known(self, booking_id: UUID) -> BookingEvent | None:
        """The last event seen of a booking, if there is one and its contact data is not erased."""
        row = self.find(KnownBooking, booking_id)
        return row.event if row else None

    def remember(self, event: BookingEvent, sequence: int) -> None:
        """Keep the event as what is known of its booking, unless a later one is known."""
        row = self.find(KnownBooking, event.booking_id)
        if row is None or row.sequence < sequence:
            self.put(KnownBooking(event.booking_id, sequence, event.state, event))

    def write(self, letters: Iterable[Letter], *, about: UUID, sequence: int) -> None:
        """Have each letter sent, once however often the message in hand arrives (requirement notify-once).

        `about` is the booking or waitlist entry, `sequence` its ce_sequence as of the letters.
        """
        assert self.message is not None, "a letter has an occasion"
        occasion = occasion_of(self.message)
        for letter in letters:
            delivery = _new(letter, about, occasion, self.now)
            if self.find(Delivery, delivery.delivery_id) is None:
                self.put(delivery)
                self._send(letter, delivery, sequence)

    def settle(self, delivery: UUID, reason: str | None = None) -> None:
        """A delivery succeeded or, with a reason, failed: kept, and told under the next number of its stream."""
        row = self.find(Delivery, delivery)
        assert row is not None, f"delivery {delivery} is committed before its mail is sent"
        if row.state is not State.PENDING:
            return
        state = State.SUCCEEDED if reason is None else State.FAILED
        self.put(replace(row, state=state, settled_at=self.now, reason=reason))
        stream = self.find(Stream, row.booking_id) or Stream(row.booking_id, 0)
        stream = self.put(replace(stream, sequence=stream.sequence + 1))
        self.send(_outcome(row, reason), sequence=stream.sequence)

    def _send(self, letter: Letter, delivery: Delivery, sequence: int) -> None:
        named = message_id(delivery.delivery_id, self.mail_domain)
        mail = MailToSend.of(
            letter,
            delivery_id=delivery.delivery_id,
            message_id=named,
            written_at=self.now,
            sequence=sequence,
        )
        key = str(delivery.booking_id)
        self.call(SEND_MAIL, subject=str(delivery.delivery_id), key=key, parameters=mail, idempotency_key=named)


def occasion_of(message: Message[Any]) -> UUID:
    """What a letter is written once for: an event's id, or a timer's own occasion."""
    return message.body.occasion if isinstance(message.body, ReminderDue) else message.id


def _new(letter: Letter, about: UUID, occasion: UUID, now: datetime) -> Delivery:
    return Delivery(
        delivery_id=delivery_id(occasion, letter.recipient),
        booking_id=about,
        event_id=occasion,
        recipient=letter.recipient,
        channel="email",
        kind=letter.kind,
        audience=letter.audience,
        state=State.PENDING,
        created_at=now,
    )


def _outcome(delivery: Delivery, reason: str | None) -> Event:
    of: dict[str, Any] = {
        "booking_id": delivery.booking_id,
        "event_id": delivery.event_id,
        "recipient": delivery.recipient,
        "channel": delivery.channel,
    }
    return DeliverySucceeded(**of) if reason is None else DeliveryFailed(**of, reason=reason)
