"""Writes bookings in waves: legal steps only, and seats are free before they are taken (engine.md, Batch 8).

A row is inserted in its initial state and then updated. Within a wave updates come before inserts; a batch needs a
second wave only where it takes one booking through two steps, or gives away seats that it has itself taken before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.booking import rows
from services.booking.model.booking import Booking
from services.booking.model.states import State
from services.chassis.database import Connection, columns
from services.chassis.unit_of_work import Changed


@dataclass(slots=True)
class Wave:
    """Updates first, then inserts; a booking stands in a wave once."""

    updates: dict[UUID, Booking] = field(default_factory=dict)
    inserts: dict[UUID, Booking] = field(default_factory=dict)


def waves(changes: Sequence[Changed]) -> list[Wave]:
    """The journal's changes of bookings, in the fewest waves that keep their order where it matters."""
    planner = _Planner()
    for change in changes:
        if isinstance(change.after, Booking):
            assert change.before is None or isinstance(change.before, Booking)
            planner.add(change.before, change.after)
    return planner.waves


class _Planner:
    def __init__(self) -> None:
        self.waves: list[Wave] = [Wave()]
        self._at: dict[UUID, int] = {}
        """The latest wave that a booking stands in."""
        self._base: dict[UUID, State] = {}
        """The state that the database has before that wave."""
        self._freed: dict[UUID, int] = {}
        """The latest wave that frees seats of a slot."""

    def add(self, before: Booking | None, after: Booking) -> None:
        if before is None:
            self._at[after.booking_id] = self._insert(after)
            return
        wave = self._at.get(after.booking_id)
        if wave is not None and after.booking_id in self.waves[wave].inserts:
            if before.state is after.state:
                self.waves[wave].inserts[after.booking_id] = after
                return
            wave += 1
        elif wave is not None and self._base[after.booking_id] is not before.state is not after.state:
            wave += 1
        if before.slot_id != after.slot_id:
            wave = max(wave or 0, self._freed.get(after.slot_id, 0))
        self._update(wave or 0, before, after)

    def _insert(self, booking: Booking) -> int:
        wave = self._freed.get(booking.slot_id, 0)
        self._wave(wave).inserts[booking.booking_id] = booking
        return wave

    def _update(self, wave: int, before: Booking, after: Booking) -> None:
        if self._at.get(after.booking_id) != wave:
            self._at[after.booking_id], self._base[after.booking_id] = wave, before.state
        self._wave(wave).updates[after.booking_id] = after
        if before.occupies and (not after.occupies or before.slot_id != after.slot_id):
            self._freed[before.slot_id] = max(wave, self._freed.get(before.slot_id, 0))

    def _wave(self, number: int) -> Wave:
        while len(self.waves) <= number:
            self.waves.append(Wave())
        return self.waves[number]


def _any_moves(changes: Sequence[Changed]) -> bool:
    return any(
        isinstance(change.before, Booking)
        and isinstance(change.after, Booking)
        and change.before.slot_id != change.after.slot_id
        for change in changes
    )


async def save_bookings(connection: Connection, changes: Sequence[Changed]) -> None:
    """Write the bookings of a batch; a provider's overlap is looked at when all of them are where they belong."""
    planned = waves(changes)
    if len(planned) > 1 or _any_moves(changes):
        await connection.execute("SET CONSTRAINTS slot_provider_overlap DEFERRED")
    for wave in planned:
        await _update(connection, list(wave.updates.values()))
        await _insert(connection, list(wave.inserts.values()))


async def _insert(connection: Connection, bookings: Sequence[Booking]) -> None:
    if not bookings:
        return
    await connection.execute(
        """
        INSERT INTO booking (booking_id, state, offering_id, provider_id, slot_id, starts_at, ends_at, seats,
                             customer_id, attendee_id, price_minor, currency, commission_bps, approval, terms,
                             payment_id, created_at, deadline, payment, attempt, payment_status, settlement_id,
                             refund_cap_percent, full_refund, sequence, history_number)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::timestamptz[],
                             $7::timestamptz[], $8::int[], $9::text[], $10::text[], $11::bigint[], $12::text[],
                             $13::int[], $14::bool[], $15::jsonb[], $16::uuid[], $17::timestamptz[],
                             $18::timestamptz[], $19::jsonb[], $20::int[], $21::text[], $22::uuid[], $23::int[],
                             $24::bool[], $25::bigint[], $26::int[])
        """,
        *columns(
            (
                booking.booking_id,
                booking.state,
                booking.offering_id,
                booking.provider_id,
                booking.slot_id,
                booking.starts_at,
                booking.ends_at,
                booking.seats,
                booking.customer.id,
                booking.attendee.id if booking.attendee else None,
                booking.price.amount,
                booking.price.currency,
                booking.commission_bps,
                booking.approval,
                rows.terms_json(booking.terms),
                booking.payment_id,
                booking.created_at,
                booking.deadline,
                booking.payment.model_dump_json() if booking.payment else None,
                booking.attempt,
                booking.payment_status,
                booking.settlement_id,
                booking.refund_cap_percent,
                booking.full_refund,
                booking.sequence,
                booking.history_number,
            )
            for booking in bookings
        ),
    )
    await connection.execute(
        """
        INSERT INTO booking_contact (booking_id, customer, attendee)
        SELECT * FROM unnest($1::uuid[], $2::jsonb[], $3::jsonb[])
        """,
        *columns(
            (
                booking.booking_id,
                booking.customer.model_dump_json(),
                booking.attendee.model_dump_json() if booking.attendee else None,
            )
            for booking in bookings
        ),
    )


async def _update(connection: Connection, bookings: Sequence[Booking]) -> None:
    """What may change; a booking that moves frees and takes in one statement, so its overlap is checked at the end."""
    if not bookings:
        return
    await connection.execute(
        """
        UPDATE booking b SET state = t.state, slot_id = t.slot_id, starts_at = t.starts_at, ends_at = t.ends_at,
               deadline = t.deadline, payment = t.payment, attempt = t.attempt, payment_status = t.payment_status,
               settlement_id = t.settlement_id, refund_cap_percent = t.refund_cap_percent,
               full_refund = t.full_refund, sequence = t.sequence, history_number = t.history_number
        FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
                    $7::jsonb[], $8::int[], $9::text[], $10::uuid[], $11::int[], $12::bool[], $13::bigint[],
                    $14::int[])
             AS t (booking_id, state, slot_id, starts_at, ends_at, deadline, payment, attempt, payment_status,
                   settlement_id, refund_cap_percent, full_refund, sequence, history_number)
        WHERE b.booking_id = t.booking_id
        """,
        *columns(
            (
                booking.booking_id,
                booking.state,
                booking.slot_id,
                booking.starts_at,
                booking.ends_at,
                booking.deadline,
                booking.payment.model_dump_json() if booking.payment else None,
                booking.attempt,
                booking.payment_status,
                booking.settlement_id,
                booking.refund_cap_percent,
                booking.full_refund,
                booking.sequence,
                booking.history_number,
            )
            for booking in bookings
        ),
    )
