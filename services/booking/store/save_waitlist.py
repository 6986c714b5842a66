"""Writes waitlist entries.

Offered seats count on the slot. Offers that ended are written before the bookings, which may take their seats; new
offers after them, when all seats that they hold are free. In between the slot has fewer seats taken, never more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.booking.model.waitlist import Entry, EntryState
from services.booking.store.tables import INSERT_ENTRIES, INSERT_WAITING_CONTACTS, UPDATE_ENTRIES
from services.chassis.database import Connection

Change = tuple[Entry | None, Entry]
"""An entry as the database has it (None: not at all), and as it shall be."""


async def save_before_bookings(connection: Connection, entries: Sequence[Change]) -> None:
    """New entries, as waiting, and every change that takes no seats."""
    new = [after for before, after in entries if before is None]
    await INSERT_ENTRIES(connection, [_as_waiting(entry) for entry in new])
    await INSERT_WAITING_CONTACTS(connection, new)
    await UPDATE_ENTRIES(connection, [change[1] for change in entries if not _takes(change)])


async def save_new_offers(connection: Connection, entries: Sequence[Change]) -> None:
    """Changes that take seats."""
    await UPDATE_ENTRIES(connection, [change[1] for change in entries if _takes(change)])


def _takes(change: Change) -> bool:
    before, after = change
    return after.holds and not (before is not None and before.holds)


def _as_waiting(entry: Entry) -> Entry:
    return replace(entry, state=EntryState.WAITING, deadline=None, booking_id=None)
