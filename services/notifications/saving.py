"""Writes a batch's journal: one statement per table and way of writing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from services.chassis.statements import Statements
from services.chassis.unit_of_work import Changed, Row
from services.notifications.mail import EventText
from services.notifications.model.deliveries import Delivery, Stream
from services.notifications.model.known import KnownBooking, KnownProvider
from services.notifications.subscriptions import matching
from services.notifications.tables import (
    INSERT_DELIVERIES,
    SAVE_KNOWN,
    SAVE_PROVIDERS,
    SAVE_STREAMS,
    UPDATE_DELIVERIES,
    Told,
)
from services.notifications.work import NotificationsWork

RowT = TypeVar("RowT", bound=Row)


def save(writes: Statements, work: NotificationsWork) -> None:
    """Write everything that the batch decided."""
    changes = [effect for effect in work.journal if isinstance(effect, Changed)]
    created = {change.after.row_key for change in changes if change.before is None}
    deliveries = _last(changes, Delivery)
    known = [Told(row, EventText.of(row.event)) for row in _last(changes, KnownBooking) if row.event is not None]
    known.sort(key=lambda told: told.known.booking_id)  # most are locked here and not before: in the order of locks
    SAVE_PROVIDERS(writes, _last(changes, KnownProvider))
    SAVE_KNOWN(writes, known)  # what was erased comes back with a new event alone
    INSERT_DELIVERIES(writes, [row for row in deliveries if row.delivery_id in created])
    UPDATE_DELIVERIES(writes, [row for row in deliveries if row.delivery_id not in created])
    SAVE_STREAMS(writes, _last(changes, Stream))
    matching.save(writes, work)


def _last(changes: Sequence[Changed], kind: type[RowT]) -> list[RowT]:
    """The final form of every row of a kind that changed."""
    return list({change.after.row_key: change.after for change in changes if isinstance(change.after, kind)}.values())
