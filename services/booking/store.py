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

from services.booking.model.catalogue import Offering
from services.booking.model.slots import Slot
from services.booking.needs import Needs, needs_of
from services.booking.reads_calendar import alternatives
from services.booking.saving import save
from services.booking.store_locks import Locks
from services.booking.store_plan import Plan
from services.booking.work import BookingWork
from services.chassis.database import Connection
from services.chassis.handlers import PlanChanged
from services.chassis.messages import Message

MOST_FULL = 20
"""Offerings of a batch whose alternatives are looked up; in a batch with more the others' list stays empty."""


class BookingStore:
    """Loads and saves booking's aggregates; stateless."""

    async def load(self, connection: Connection, messages: Sequence[Message[Any]], work: BookingWork) -> None:
        """Plan, lock, verify; see the module."""
        needs = needs_of(messages)
        plan = Plan(connection, needs, work)
        locks = Locks(connection, needs, work)
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
