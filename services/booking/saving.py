"""Writes a batch's journal: one statement per table (engine.md, Batch 8); bookings themselves in waves.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from services.booking.model.catalogue import Offering, Provider
from services.booking.model.quotes import Quote
from services.booking.model.schedule import Schedule
from services.booking.model.slots import Slot
from services.booking.model.waitlist import Entry
from services.booking.saga import Saga, SagaLogLine
from services.booking.saving_catalogue import save_offerings, save_providers, save_schedules, save_slots
from services.booking.saving_waitlist import save_before_bookings, save_new_offers, save_quotes
from services.booking.waves import save_bookings
from services.booking.work import BookingWork, HistoryItem
from services.chassis.database import Connection, columns
from services.chassis.unit_of_work import Changed, Record, Row

RowT = TypeVar("RowT", bound=Row)


async def save(connection: Connection, work: BookingWork) -> None:
    """Write everything that the batch decided."""
    changes = [effect for effect in work.journal if isinstance(effect, Changed)]
    records = [effect.row for effect in work.journal if isinstance(effect, Record)]
    await save_providers(connection, _last(changes, Provider))
    await save_offerings(connection, _last(changes, Offering))
    await save_schedules(connection, _last(changes, Schedule))
    slots, room = _kept_slots(changes), _roomiest(changes)
    await save_slots(connection, [replace(slot, capacity=room[slot.slot_id]) for slot in slots])
    entries = _net(changes, Entry)
    await save_before_bookings(connection, entries)
    await save_bookings(connection, changes)
    await save_new_offers(connection, entries)
    await save_slots(connection, [slot for slot in slots if slot.capacity < room[slot.slot_id]])
    await save_quotes(connection, _last(changes, Quote))
    await _append_history(connection, [row for row in records if isinstance(row, HistoryItem)])
    await _save_sagas(connection, _last(changes, Saga))
    await _append_saga_log(connection, [row for row in records if isinstance(row, SagaLogLine)])


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
    """Slots that are new, or whose capacity, opening or closing changed; seats taken alone are no reason to write."""
    return [slot for before, slot in _net(changes, Slot) if not _same_but_taken(before, slot)]


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


async def _append_history(connection: Connection, items: Sequence[HistoryItem]) -> None:
    if items:
        await connection.execute(
            """
            INSERT INTO booking_history (booking_id, number, at, actor_kind, actor_id, type, from_state, to_state,
                                         reason, causation_id)
            SELECT * FROM unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::text[], $5::text[], $6::text[],
                                 $7::text[], $8::text[], $9::text[], $10::uuid[])
            """,
            *columns(
                (
                    item.booking_id,
                    item.number,
                    item.at,
                    item.actor.kind,
                    item.actor.id,
                    item.type,
                    item.from_state,
                    item.to_state,
                    item.reason,
                    item.causation_id,
                )
                for item in items
            ),
        )


async def _save_sagas(connection: Connection, sagas: Sequence[Saga]) -> None:
    if sagas:
        await connection.execute(
            """
            INSERT INTO saga (booking_id, step, attempt, status, asked, ask_again_at, settlement_id, refund_minor,
                              release_minor, problem)
            SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::int[], $6::timestamptz[],
                                 $7::uuid[], $8::bigint[], $9::bigint[], $10::text[])
            ON CONFLICT (booking_id) DO UPDATE SET step = EXCLUDED.step, attempt = EXCLUDED.attempt,
                status = EXCLUDED.status, asked = EXCLUDED.asked, ask_again_at = EXCLUDED.ask_again_at,
                settlement_id = EXCLUDED.settlement_id, refund_minor = EXCLUDED.refund_minor,
                release_minor = EXCLUDED.release_minor, problem = EXCLUDED.problem
            """,
            *columns(
                (
                    row.booking_id,
                    row.step,
                    row.attempt,
                    row.status,
                    row.asked,
                    row.ask_again_at,
                    row.settlement_id,
                    row.refund_minor,
                    row.release_minor,
                    row.problem,
                )
                for row in sagas
            ),
        )


async def _append_saga_log(connection: Connection, lines: Sequence[SagaLogLine]) -> None:
    if lines:
        await connection.execute(
            """
            INSERT INTO saga_log (booking_id, at, step, attempt, what)
            SELECT booking_id, at, step, attempt, what
            FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::int[], $5::text[])
                 WITH ORDINALITY AS t (booking_id, at, step, attempt, what, nth)
            ORDER BY nth
            """,
            *columns((line.booking_id, line.at, line.step, line.attempt, line.what) for line in lines),
        )
