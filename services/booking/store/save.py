"""Writes a batch's journal: one statement per table (engine.md, Batch 8); bookings in save_bookings.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from services.booking.model.catalogue import Offering, Provider
from services.booking.model.closing import Closing
from services.booking.model.quotes import Quote
from services.booking.model.schedule import Schedule
from services.booking.model.slots import Slot
from services.booking.model.waitlist import Entry
from services.booking.saga import Saga, SagaLogLine
from services.booking.store.save_bookings import save_bookings
from services.booking.store.save_waitlist import save_before_bookings, save_new_offers
from services.booking.store.tables import (
    APPEND_HISTORY,
    APPEND_SAGA_LOG,
    INSERT_OFFERINGS,
    INSERT_QUOTES,
    SAVE_CLOSINGS,
    SAVE_PROVIDERS,
    SAVE_SAGAS,
    SAVE_SCHEDULES,
    SAVE_SLOTS,
    UPDATE_OFFERINGS,
)
from services.booking.work import BookingWork, HistoryItem
from services.chassis.statements import Statements
from services.chassis.unit_of_work import Changed, Record, Row

RowT = TypeVar("RowT", bound=Row)
PURGED = 500


async def save(writes: Statements, work: BookingWork) -> None:
    """Write everything that the batch decided.

    What counts or takes seats on slots comes in turn, with a `send` between; all else goes with the last of it.
    """
    changes = [effect for effect in work.journal if isinstance(effect, Changed)]
    records = [effect.row for effect in work.journal if isinstance(effect, Record)]
    SAVE_PROVIDERS(writes, _last(changes, Provider))
    offerings = _net(changes, Offering)
    INSERT_OFFERINGS(writes, [offering for before, offering in offerings if before is None])
    UPDATE_OFFERINGS(writes, [offering for before, offering in offerings if before is not None])
    SAVE_SCHEDULES(writes, _last(changes, Schedule))
    slots, room = _kept_slots(changes), _roomiest(changes)
    if _any_in_use_moves(changes):
        await writes.connection.execute("SET CONSTRAINTS slot_provider_overlap DEFERRED")
    SAVE_SLOTS(writes, [replace(slot, capacity=room[slot.slot_id]) for slot in slots])
    entries = _net(changes, Entry)
    await writes.send()
    await save_before_bookings(writes, entries)
    await save_bookings(writes, changes)
    await save_new_offers(writes, entries)
    if smaller := [slot for slot in slots if slot.capacity < room[slot.slot_id]]:
        await writes.send()
        SAVE_SLOTS(writes, smaller)
    _save_closings(writes, _last(changes, Closing))
    _save_quotes(writes, _net(changes, Quote), work.now)
    APPEND_HISTORY(writes, [row for row in records if isinstance(row, HistoryItem)])
    SAVE_SAGAS(writes, _last(changes, Saga))
    APPEND_SAGA_LOG(writes, [row for row in records if isinstance(row, SagaLogLine)])


def _save_closings(writes: Statements, closings: Sequence[Closing]) -> None:
    SAVE_CLOSINGS(writes, [closing for closing in closings if not closing.over])
    if over := [closing.slot_id for closing in closings if closing.over]:
        writes.add("DELETE FROM slot_closing WHERE slot_id = ANY($1)", over)


def _save_quotes(writes: Statements, quotes: Sequence[tuple[Quote | None, Quote]], now: datetime) -> None:
    """New ones, and away with the dead; whoever makes quotes also clears PURGED that have ended, of any booking."""
    new = [quote for before, quote in quotes if before is None and not quote.dead]
    INSERT_QUOTES(writes, new)
    if dead := [quote.quote_id for before, quote in quotes if before is not None and quote.dead]:
        writes.add("DELETE FROM cancellation_quote WHERE quote_id = ANY($1)", dead)
    if new:
        writes.add(
            """
            DELETE FROM cancellation_quote WHERE quote_id = ANY(ARRAY(
                SELECT quote_id FROM cancellation_quote WHERE valid_until <= $1
                ORDER BY valid_until LIMIT $2 FOR UPDATE SKIP LOCKED))
            """,
            now,
            PURGED,
        )


def _last(changes: Sequence[Changed], kind: type[RowT]) -> list[RowT]:
    """The final form of every row of a kind that changed."""
    return list({change.after.row_key: change.after for change in changes if isinstance(change.after, kind)}.values())


def _net(changes: Sequence[Changed], kind: type[RowT]) -> list[tuple[RowT | None, RowT]]:
    """Every row of a kind that changed: as the database has it, and its final form."""
    first: dict[object, Row | None] = {}
    for change in changes:
        if isinstance(change.after, kind):
            first.setdefault(change.after.row_key, change.before)
    found: list[tuple[RowT | None, RowT]] = []
    for row in _last(changes, kind):
        before = first[row.row_key]
        assert before is None or isinstance(before, kind)
        found.append((before, row))
    return found


def _kept_slots(changes: Sequence[Changed]) -> list[Slot]:
    """Slots that are new, or of which anything but the seats taken changed.

    In the order of their ids: two replicas may make the same slots.
    """
    kept = [slot for before, slot in _net(changes, Slot) if not _same_but_taken(before, slot)]
    return sorted(kept, key=lambda slot: slot.slot_id)


def _any_in_use_moves(changes: Sequence[Changed]) -> bool:
    """Whether a slot with seats taken gets other times: emptied and taken anew, with the offering of today."""
    return any(
        before is not None
        and before.active
        and (before.busy_from, before.busy_until) != (slot.busy_from, slot.busy_until)
        for before, slot in _net(changes, Slot)
    )


def _roomiest(changes: Sequence[Changed]) -> dict[UUID, int]:
    """The largest capacity that each slot had meanwhile: less is written when the batch's seats are free again."""
    found: dict[UUID, int] = {}
    for change in changes:
        for row in (change.before, change.after):
            if isinstance(row, Slot):
                found[row.slot_id] = max(row.capacity, found.get(row.slot_id, 0))
    return found


def _same_but_taken(before: Row | None, slot: Slot) -> bool:
    return isinstance(before, Slot) and replace(before, taken=slot.taken) == slot
