"""Writes a batch's journal: one statement per table and way of writing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from services.chassis.database import Connection
from services.chassis.unit_of_work import Changed, Row
from services.notifications.mail import EventText
from services.notifications.model.deliveries import Delivery, Stream
from services.notifications.model.known import KnownBooking, KnownProvider
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


async def save(connection: Connection, work: NotificationsWork) -> None:
    """Write everything that the batch decided."""
    changes = [effect for effect in work.journal if isinstance(effect, Changed)]
    created = {change.after.row_key for change in changes if change.before is None}
    deliveries = _last(changes, Delivery)
    known = [Told(row, EventText.of(row.event)) for row in _last(changes, KnownBooking) if row.event is not None]
    await SAVE_PROVIDERS(connection, _last(changes, KnownProvider))
    await SAVE_KNOWN(connection, known)  # what was erased comes back with a new event alone
    await INSERT_DELIVERIES(connection, [row for row in deliveries if row.delivery_id in created])
    await UPDATE_DELIVERIES(connection, [row for row in deliveries if row.delivery_id not in created])
    await SAVE_STREAMS(connection, _last(changes, Stream))


def _last(changes: Sequence[Changed], kind: type[RowT]) -> list[RowT]:
    """The final form of every row of a kind that changed."""
    return list({change.after.row_key: change.after for change in changes if isinstance(change.after, kind)}.values())
