"""Writes a batch's journal: one statement per table (engine.md, Batch 8); bookings themselves in waves.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from services.booking import rows
from services.booking.model.catalogue import Offering, Provider
from services.booking.model.slots import Slot
from services.booking.saga import Saga, SagaLogLine
from services.booking.waves import save_bookings
from services.booking.work import BookingWork, HistoryItem
from services.chassis.database import Connection, columns
from services.chassis.unit_of_work import Changed, Record, Row

RowT = TypeVar("RowT", bound=Row)


async def save(connection: Connection, work: BookingWork) -> None:
    """Write everything that the batch decided."""
    changes = [effect for effect in work.journal if isinstance(effect, Changed)]
    records = [effect.row for effect in work.journal if isinstance(effect, Record)]
    await _save_providers(connection, _last(changes, Provider))
    await _save_offerings(connection, _last(changes, Offering))
    await _save_slots(connection, _kept_slots(changes))
    await save_bookings(connection, changes)
    await _append_history(connection, [row for row in records if isinstance(row, HistoryItem)])
    await _save_sagas(connection, _last(changes, Saga))
    await _append_saga_log(connection, [row for row in records if isinstance(row, SagaLogLine)])


def _last(changes: Sequence[Changed], kind: type[RowT]) -> list[RowT]:
    """The final form of every row of a kind that changed."""
    return list({change.after.row_key: change.after for change in changes if isinstance(change.after, kind)}.values())


def _kept_slots(changes: Sequence[Changed]) -> list[Slot]:
    """Slots that are new, or whose capacity, opening or closing changed; seats taken alone are no reason to write."""
    first: dict[object, Row | None] = {}
    for change in changes:
        first.setdefault(change.after.row_key, change.before)
    return [slot for slot in _last(changes, Slot) if not _same_but_taken(first[slot.slot_id], slot)]


def _same_but_taken(before: Row | None, slot: Slot) -> bool:
    return isinstance(before, Slot) and replace(before, taken=slot.taken) == slot


async def _save_providers(connection: Connection, providers: Sequence[Provider]) -> None:
    if providers:
        await connection.execute(
            """
            INSERT INTO provider AS p (provider_id, name, email, timezone, payout_account, policy, tiers,
                                       policy_version, sequence)
            SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[],
                                 $8::int[], $9::bigint[])
            ON CONFLICT (provider_id) DO UPDATE SET name = EXCLUDED.name, email = EXCLUDED.email,
                timezone = EXCLUDED.timezone, payout_account = EXCLUDED.payout_account, policy = EXCLUDED.policy,
                tiers = EXCLUDED.tiers, policy_version = EXCLUDED.policy_version, sequence = EXCLUDED.sequence
            """,
            *columns(
                (
                    row.provider_id,
                    row.name,
                    row.email,
                    row.timezone,
                    row.payout_account,
                    row.policy,
                    rows.tiers_json(row.tiers),
                    row.policy_version,
                    row.sequence,
                )
                for row in providers
            ),
        )


async def _save_offerings(connection: Connection, offerings: Sequence[Offering]) -> None:
    if offerings:
        await connection.execute(
            """
            INSERT INTO offering (offering_id, provider_id, definition)
            SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::jsonb[])
            ON CONFLICT (offering_id) DO UPDATE SET definition = EXCLUDED.definition
            """,
            *columns((row.offering_id, row.provider_id, rows.definition_json(row)) for row in offerings),
        )


async def _save_slots(connection: Connection, slots: Sequence[Slot]) -> None:
    """Capacity, opened and closed; how many seats are taken is the trigger's business."""
    if slots:
        await connection.execute(
            """
            INSERT INTO slot (slot_id, offering_id, provider_id, starts_at, ends_at, busy, capacity, opened, closed)
            SELECT slot_id, offering_id, provider_id, starts_at, ends_at, tstzrange(busy_from, busy_until), capacity,
                   opened, closed
            FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
                        $7::timestamptz[], $8::int[], $9::bool[], $10::bool[])
                 AS t (slot_id, offering_id, provider_id, starts_at, ends_at, busy_from, busy_until, capacity, opened,
                       closed)
            ORDER BY slot_id
            ON CONFLICT (slot_id) DO UPDATE SET capacity = EXCLUDED.capacity, opened = EXCLUDED.opened,
                closed = EXCLUDED.closed
            """,
            *columns(
                (
                    row.slot_id,
                    row.offering_id,
                    row.provider_id,
                    row.starts_at,
                    row.ends_at,
                    row.busy_from,
                    row.busy_until,
                    row.capacity,
                    row.opened,
                    row.closed,
                )
                for row in slots
            ),
        )


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
