"""Booking's SQL: load and save many aggregates at once.

Lock order, everywhere: provider → slot → booking → waitlist entry. Each table once, ORDER BY id, no join in a locking
query, always FOR NO KEY UPDATE. The plan rests on these facts:
- a slot's row comes to life, becomes active, and takes other times, under its provider's lock: so its active slots
  stand still then;
- under a slot's lock its bookings and its waitlist entries stand still: every message about one of them locks the slot;
- a booking's slot is read without a lock and looked at again under it (PlanChanged where it moved).
Seats that a batch frees can be offered on in the same batch: of the lines of its slots it loads who could be asked.
Such an offer needs no provider's lock, because the slot that it keeps active was active before the batch, and keeps its
times; where its offering was edited since, a batch of its own makes the offer (SeatsLeft). One on a slot that was not
active, because its provider was busy elsewhere, has the lock: every batch about a provider wants these slots.
How much of anything a batch loads at most stands in store/heads.py and store/plan.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from services.booking.model.slots import Slot
from services.booking.store.heads import Heads
from services.booking.store.locks import Locks
from services.booking.store.needs import Needs, needs_of
from services.booking.store.plan import Plan
from services.booking.store.save import save
from services.booking.work import BookingWork
from services.chassis.database import Connection
from services.chassis.messages import Message
from services.chassis.service import PlanChanged
from services.chassis.writes import Writes


class BookingStore:
    """Loads and saves booking's aggregates; stateless."""

    async def load(self, connection: Connection, messages: Sequence[Message[Any]], work: BookingWork) -> None:
        """Plan, lock, verify; see the module."""
        needs = needs_of(messages)
        plan, locks = Plan(connection, needs, work), Locks(connection, needs, work)
        heads = Heads(connection, needs, work)
        planned = await plan.bookings()
        await plan.entries()
        await plan.lines()
        await plan.ahead()
        await plan.offerings()
        active = await plan.active()
        await plan.alternatives()
        await locks.providers()
        await plan.overlapping()
        await locks.slots()
        await heads.bookings()
        await heads.held()
        await locks.bookings(planned)
        await locks.entries(await heads.entries())
        await locks.of_lines()
        await heads.counts()
        _verify(active, needs, work)
        if await plan.new_lines():
            raise PlanChanged("a slot that people wait for lost its last booking after the plan was made")
        plan.seats_left.update((slot.slot_id, slot.seats_left) for slot in work.all(Slot))
        await plan.alternatives()

    async def save(self, writes: Writes, work: BookingWork) -> None:
        """Write the journal."""
        await save(writes, work)


def _verify(active: Iterable[UUID], needs: Needs, work: BookingWork) -> None:
    for slot in active:
        row = work.find(Slot, slot)
        if row is not None and row.provider_id not in needs.providers and (not row.active or work.outdated(row)):
            raise PlanChanged("a slot became free, or another, after the plan was made")
