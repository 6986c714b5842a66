"""Booking's SQL: load and save many aggregates at once.

Lock order, everywhere: provider → slot → booking → waitlist entry. Each table once, ORDER BY id, no join in a locking
query, always FOR NO KEY UPDATE. The plan rests on these facts:
- a slot's row comes to life, and becomes active, under its provider's lock: so its active slots stand still then;
- under a slot's lock its bookings and its waitlist entries stand still: every message about one of them locks the slot;
- a booking's slot is read without a lock and looked at again under it (PlanChanged where it moved).
Seats that a batch frees can be offered on in the same batch: the lines of all its slots are loaded with them. Such an
offer needs no provider's lock, because the slot that it keeps active was active before the batch. One on a slot that
was not, because its provider was busy elsewhere, has it: these slots are wanted by every batch about their provider.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.booking.model.booking import Booking
from services.booking.model.catalogue import Offering, Provider
from services.booking.model.slots import Slot, slot_id
from services.booking.model.waitlist import Entry
from services.booking.needs import Needs, needs_of
from services.booking.reads_calendar import alternatives
from services.booking.saving import save
from services.booking.store_locks import LOCK, Locks
from services.booking.store_plan import Plan
from services.booking.work import BookingWork
from services.chassis.database import Connection
from services.chassis.handlers import PlanChanged
from services.chassis.messages import Message

MOST_FULL = 20
"""Offerings of a batch whose alternatives are looked up; in a batch with more the others' list stays empty."""


class BookingStore:
    """Loads and saves booking's aggregates; stateless."""

    async def load(
        self, connection: Connection, messages: Sequence[Message[Any]], work: BookingWork, *, skip_locked: bool
    ) -> frozenset[str]:
        """Plan, lock, verify; see the module."""
        needs = needs_of(messages)
        plan = Plan(connection, needs, work)
        locks = Locks(connection, needs, work, f"{LOCK} SKIP LOCKED" if skip_locked else LOCK)
        planned = await plan.bookings()
        await plan.entries()
        await plan.lines()
        await plan.offerings()
        active = await plan.active()
        await locks.providers()
        await plan.overlapping()
        await locks.slots()
        await plan.pending(work.now)
        await locks.bookings(planned)
        await locks.entries()
        _verify(active, needs, work)
        if await plan.new_lines():
            raise PlanChanged("a slot that people wait for lost its last booking after the plan was made")
        await _load_alternatives(connection, needs, work)
        return await _busy(connection, messages, needs, work) if skip_locked else frozenset()

    async def save(self, connection: Connection, work: BookingWork) -> None:
        """Write the journal."""
        await save(connection, work)


def _verify(active: set[UUID], needs: Needs, work: BookingWork) -> None:
    for slot in active:
        row = work.find(Slot, slot)
        if row is not None and not row.active and row.provider_id not in needs.providers:
            raise PlanChanged("a slot became free after the plan was made")


async def _load_alternatives(connection: Connection, needs: Needs, work: BookingWork) -> None:
    """Where more seats are wanted than a slot has left, SLOT_FULL will name other slots."""
    short = {
        offering_id
        for slot, (offering_id, _) in needs.starts.items()
        if (row := work.find(Slot, slot)) is not None and needs.seats[slot] > row.seats_left
    }
    offerings = [offering for offering in work.all(Offering) if offering.offering_id in short]
    for found in await alternatives(connection, offerings[:MOST_FULL], work.now):
        work.load(found)


async def _busy(
    connection: Connection, messages: Sequence[Message[Any]], needs: Needs, work: BookingWork
) -> frozenset[str]:
    """The keys of messages that miss a row which exists: somebody else holds its lock."""
    found = await connection.fetch(
        """
        SELECT provider_id AS id FROM provider WHERE provider_id = ANY($1)
        UNION ALL SELECT slot_id FROM slot WHERE slot_id = ANY($2)
        UNION ALL SELECT booking_id FROM booking WHERE booking_id = ANY($3)
        UNION ALL SELECT entry_id FROM waitlist_entry WHERE entry_id = ANY($4)
        """,
        list(needs.providers),
        list(needs.slots),
        list(needs.bookings | needs.pending),
        list(needs.entries),
    )
    held = {row["id"] for row in found}
    for kind in (Provider, Slot, Booking, Entry):
        held -= {row.row_key for row in work.all(kind)}
    rows_of_others = held & (needs.overlapping | needs.pending)
    return frozenset(
        message.key
        for message in messages
        if held & _ids(own := needs_of([message]), needs, work) or (rows_of_others and (own.starts or own.moves))
    )


def _ids(needs: Needs, batch: Needs, work: BookingWork) -> set[UUID]:
    """Every row that one message is about, and those that decide who is offered what it frees."""
    offerings = [work.find(Offering, offering_id) for offering_id in needs.offerings]
    bookings = [found for booking_id in needs.bookings if (found := work.find(Booking, booking_id)) is not None]
    entries = [entry for entry_id in needs.entries if (entry := work.find(Entry, entry_id)) is not None]
    rows: list[Booking | Entry] = [*bookings, *entries]
    targets = {slot_id(found.offering_id, at) for found in bookings for at in needs.moves.get(found.booking_id, ())}
    named = needs.providers | needs.slots | needs.bookings | needs.entries | targets
    owners = {offering.provider_id for offering in offerings if offering is not None}
    movers = {found.provider_id for found in bookings if needs.moves}
    concerned = owners | {row.provider_id for row in rows}
    lines = {slot for slot, provider in batch.lines.items() if provider in concerned}
    beside = lines | concerned | batch.overlapping if lines else set()
    return named | owners | movers | beside | {row.slot_id for row in rows}
