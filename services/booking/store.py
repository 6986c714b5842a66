"""Booking's SQL: load and save many aggregates at once.

Lock order, everywhere: provider → slot → booking. Each table once, ORDER BY id, no join in a locking query, always
FOR NO KEY UPDATE. The plan rests on three facts:
- a slot's row comes to life, and becomes active, under its provider's lock: so its active slots stand still then;
- under a slot's lock its pending bookings stand still;
- a booking's slot is read without a lock and looked at again under it (PlanChanged where it moved).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from booking_contracts.booking import DefineOffering, OpenSlot, PlaceBooking, RegisterProvider

from services.booking import rows
from services.booking.model.booking import Booking
from services.booking.model.catalogue import Offering, Provider
from services.booking.model.slots import Slot, new_slot, slot_id
from services.booking.saving import save
from services.booking.work import BookingWork
from services.chassis.database import Connection
from services.chassis.handlers import PlanChanged
from services.chassis.messages import Message

LOCK = "FOR NO KEY UPDATE"


@dataclass(slots=True)
class Needs:
    """The ids that a batch's messages name."""

    providers: set[UUID] = field(default_factory=set)
    offerings: set[UUID] = field(default_factory=set)
    slots: set[UUID] = field(default_factory=set)
    starts: dict[UUID, tuple[UUID, datetime]] = field(default_factory=dict)
    """Slots to be booked: slot id → (offering id, start)."""
    opened: set[UUID] = field(default_factory=set)
    """Slots of OpenSlot, which writes an event of the provider."""
    overlapping: set[UUID] = field(default_factory=set)
    """Active slots of the same provider that overlap a slot to be booked."""
    bookings: set[UUID] = field(default_factory=set)
    pending: set[UUID] = field(default_factory=set)
    """Bookings whose hold may be over or pass on, on the slots to be booked."""
    read_providers: set[UUID] = field(default_factory=set)
    customers: set[str] = field(default_factory=set)


def needs_of(messages: Sequence[Message[Any]]) -> Needs:
    """Every message names what it is about in fields of the same names."""
    needs = Needs()
    for message in messages:
        body = message.body
        if (booking_id := getattr(body, "booking_id", None)) is not None:
            needs.bookings.add(booking_id)
        if isinstance(body, RegisterProvider | DefineOffering):
            needs.providers.add(body.provider_id)
        if isinstance(body, DefineOffering | OpenSlot | PlaceBooking):
            needs.offerings.add(body.offering_id)
        if isinstance(body, OpenSlot | PlaceBooking):
            slot = slot_id(body.offering_id, body.starts_at)
            needs.slots.add(slot)
            needs.starts[slot] = (body.offering_id, body.starts_at)
        if isinstance(body, OpenSlot):
            needs.opened.add(slot_id(body.offering_id, body.starts_at))
        if isinstance(body, PlaceBooking):
            needs.customers.add(body.customer.id)
    return needs


class BookingStore:
    """Loads and saves booking's aggregates; stateless."""

    async def load(
        self, connection: Connection, messages: Sequence[Message[Any]], work: BookingWork, *, skip_locked: bool
    ) -> frozenset[str]:
        """Plan, lock, verify; see the module."""
        needs = needs_of(messages)
        lock = _Lock(connection, work, f"{LOCK} SKIP LOCKED" if skip_locked else LOCK)
        planned = await _plan_bookings(connection, needs)
        await _load_offerings(connection, needs, work)
        active = await _plan_slots(connection, needs, work)
        await lock.providers(needs)
        await _add_overlapping(connection, needs, work)
        await lock.slots(needs)
        await _add_pending(connection, needs, work.now)
        await lock.bookings(needs, planned)
        for slot in active:
            row = work.find(Slot, slot)
            if row is not None and not row.active and row.provider_id not in needs.providers:
                raise PlanChanged("a slot became free after the plan was made")
        return await _busy(connection, messages, needs, work) if skip_locked else frozenset()

    async def save(self, connection: Connection, work: BookingWork) -> None:
        """Write the journal."""
        await save(connection, work)


async def _plan_bookings(connection: Connection, needs: Needs) -> dict[UUID, UUID]:
    if not needs.bookings:
        return {}
    found = await connection.fetch(
        "SELECT booking_id, slot_id FROM booking WHERE booking_id = ANY($1)", list(needs.bookings)
    )
    planned = {row["booking_id"]: row["slot_id"] for row in found}
    needs.slots.update(planned.values())
    return planned


async def _load_offerings(connection: Connection, needs: Needs, work: BookingWork) -> None:
    """Read without a lock: an edit counts for later bookings, and which comes first is nobody's promise."""
    if needs.offerings:
        found = await connection.fetch("SELECT * FROM offering WHERE offering_id = ANY($1)", list(needs.offerings))
        for row in found:
            work.load(rows.offering(row))


async def _plan_slots(connection: Connection, needs: Needs, work: BookingWork) -> set[UUID]:
    """The active ones of the slots to be booked; the others need their provider's lock."""
    if not needs.starts:
        return set()
    found = await connection.fetch("SELECT slot_id FROM slot WHERE slot_id = ANY($1) AND active", list(needs.starts))
    active = {row["slot_id"] for row in found}
    for slot, (offering_id, _) in needs.starts.items():
        offering = work.find(Offering, offering_id)
        if offering is not None:
            needs.read_providers.add(offering.provider_id)
            if slot not in active or slot in needs.opened:
                needs.providers.add(offering.provider_id)
    return active


async def _add_overlapping(connection: Connection, needs: Needs, work: BookingWork) -> None:
    """The provider's active slots that overlap one that is to come to life; they stand still under its lock."""
    wished = [
        new_slot(offering, starts_at)
        for offering_id, starts_at in needs.starts.values()
        if (offering := work.find(Offering, offering_id)) is not None and offering.provider_id in needs.providers
    ]
    if not wished:
        return
    found = await connection.fetch(
        """
        SELECT DISTINCT s.slot_id FROM slot s
        JOIN unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS w (provider_id, busy_from, busy_until)
          ON s.provider_id = w.provider_id AND s.busy && tstzrange(w.busy_from, w.busy_until)
        WHERE s.active
        """,
        [slot.provider_id for slot in wished],
        [slot.busy_from for slot in wished],
        [slot.busy_until for slot in wished],
    )
    needs.overlapping.update(row["slot_id"] for row in found)
    needs.slots.update(needs.overlapping)


async def _add_pending(connection: Connection, needs: Needs, now: datetime) -> None:
    """Holds that are over, and the customers' own unpaid tries, on the slots to be booked and those they overlap."""
    slots = [*needs.starts, *needs.overlapping]
    if not slots:
        return
    found = await connection.fetch(
        """
        SELECT booking_id FROM booking
        WHERE slot_id = ANY($1) AND state IN ('PENDING_APPROVAL', 'PENDING_PAYMENT')
          AND (deadline <= $2 OR customer_id = ANY($3))
        """,
        slots,
        now,
        list(needs.customers),
    )
    needs.pending.update(row["booking_id"] for row in found)


@dataclass(frozen=True, slots=True)
class _Lock:
    """Locks rows and brings them into the work, each table once, in the one order."""

    connection: Connection
    work: BookingWork
    clause: str

    async def providers(self, needs: Needs) -> None:
        """Locked where a slot comes to life or a provider's event is written; else read."""
        if needs.providers:
            query = f"SELECT * FROM provider WHERE provider_id = ANY($1) ORDER BY provider_id {self.clause}"
            for row in await self.connection.fetch(query, sorted(needs.providers)):
                self.work.load(rows.provider(row))
        if others := needs.read_providers - needs.providers:
            query = "SELECT * FROM provider WHERE provider_id = ANY($1)"
            for row in await self.connection.fetch(query, list(others)):
                self.work.load(rows.provider(row))

    async def slots(self, needs: Needs) -> None:
        if needs.slots:
            query = f"SELECT * FROM slot WHERE slot_id = ANY($1) ORDER BY slot_id {self.clause}"
            for row in await self.connection.fetch(query, sorted(needs.slots)):
                self.work.load(rows.slot(row))

    async def bookings(self, needs: Needs, planned: dict[UUID, UUID]) -> None:
        wanted = needs.pending | set(planned)
        if not wanted:
            return
        query = f"SELECT * FROM booking WHERE booking_id = ANY($1) ORDER BY booking_id {self.clause}"
        found = await self.connection.fetch(query, sorted(wanted))
        ids = [row["booking_id"] for row in found]
        contacts = await self.connection.fetch("SELECT * FROM booking_contact WHERE booking_id = ANY($1)", ids)
        contact_of = {row["booking_id"]: row for row in contacts}
        for row in found:
            if planned.get(row["booking_id"], row["slot_id"]) != row["slot_id"]:
                raise PlanChanged("a booking moved to another slot after the plan was made")
            self.work.load(rows.booking(row, contact_of[row["booking_id"]]))
        for row in await self.connection.fetch("SELECT * FROM saga WHERE booking_id = ANY($1)", ids):
            self.work.load(rows.saga(row))


async def _busy(
    connection: Connection, messages: Sequence[Message[Any]], needs: Needs, work: BookingWork
) -> frozenset[str]:
    """The keys of messages that miss a row which exists: somebody else holds its lock."""
    found = await connection.fetch(
        """
        SELECT provider_id AS id FROM provider WHERE provider_id = ANY($1)
        UNION ALL SELECT slot_id FROM slot WHERE slot_id = ANY($2)
        UNION ALL SELECT booking_id FROM booking WHERE booking_id = ANY($3)
        """,
        list(needs.providers),
        list(needs.slots),
        list(needs.bookings | needs.pending),
    )
    held = {row["id"] for row in found}
    for kind in (Provider, Slot, Booking):
        held -= {row.row_key for row in work.all(kind)}
    rows_of_others = held & (needs.overlapping | needs.pending)
    return frozenset(
        message.key
        for message in messages
        if held & _ids(needs_of([message]), work) or (rows_of_others and needs_of([message]).starts)
    )


def _ids(needs: Needs, work: BookingWork) -> set[UUID]:
    """Every row that one message is about."""
    offerings = [work.find(Offering, offering_id) for offering_id in needs.offerings]
    bookings = [work.find(Booking, booking_id) for booking_id in needs.bookings]
    providers = {offering.provider_id for offering in offerings if offering is not None}
    return needs.providers | needs.slots | needs.bookings | providers | {b.slot_id for b in bookings if b is not None}
