"""Writes waitlist entries.

Offered seats count on the slot. Offers that ended are written before the bookings, which may take their seats; new
offers after them, when all seats that they hold are free. In between the slot has fewer seats taken, never more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.booking.model.waitlist import Entry, EntryState
from services.booking.store.tables import INSERT_ENTRIES, INSERT_WAITING_CONTACTS, UPDATE_ENTRIES
from services.chassis.statements import Statements

Change = tuple[Entry | None, Entry]
"""An entry as the database has it (None: not at all), and as it shall be."""


async def save_before_bookings(writes: Statements, entries: Sequence[Change]) -> None:
    """New entries, as waiting, and every change that takes no seats."""
    new = [after for before, after in entries if before is None]
    INSERT_ENTRIES(writes, [_as_waiting(entry) for entry in new])
    INSERT_WAITING_CONTACTS(writes, new)
    if changed := [change[1] for change in entries if not _takes(change) and not _only_waits(change)]:
        await writes.send()
        UPDATE_ENTRIES(writes, changed)


async def save_new_offers(writes: Statements, entries: Sequence[Change]) -> None:
    """Changes that take seats."""
    if taking := [change[1] for change in entries if _takes(change)]:
        await writes.send()
        UPDATE_ENTRIES(writes, taking)


def _takes(change: Change) -> bool:
    before, after = change
    return after.holds and not (before is not None and before.holds)


def _only_waits(change: Change) -> bool:
    before, after = change
    return before is None and after == _as_waiting(after)


def _as_waiting(entry: Entry) -> Entry:
    return replace(entry, state=EntryState.WAITING, deadline=None, booking_id=None)
