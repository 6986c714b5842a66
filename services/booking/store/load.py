"""Booking's SQL: load and save many aggregates at once.

Lock order, everywhere: provider → slot → booking → waitlist entry. ORDER BY id, no join in a locking query, always FOR
NO KEY UPDATE, each table once; but bookings that are found under their slot's lock after those that messages name: who
locks bookings has their slots. The plan rests on these facts:
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

from collections.abc import Sequence
from functools import partial
from typing import Any

from services.booking.model.slots import Slot
from services.booking.store.heads import Heads
from services.booking.store.locks import Locks
from services.booking.store.needs import needs_of
from services.booking.store.plan import Asked, Plan
from services.booking.store.save import save
from services.booking.work import BookingWork
from services.chassis.messages import Message
from services.chassis.service import Load
from services.chassis.statements import Statements


class BookingStore:
    """Loads and saves booking's aggregates; stateless."""

    def begin(self, reads: Statements, messages: Sequence[Message[Any]], work: BookingWork) -> Load:
        """Plan, lock, verify; see the module. The plan is what can be asked for at once."""
        plan = Plan(reads.connection, needs_of(messages), work)
        return partial(self._load, plan, plan.ask(reads))

    async def _load(self, plan: Plan, asked: Asked) -> None:
        connection, needs, work = plan.connection, plan.needs, plan.work
        locks, heads = Locks(connection, needs, work), Heads(connection, needs, work)
        planned, active = await plan.look(asked)
        await plan.alternatives()
        await locks.providers(plan)
        await locks.slots()
        async with Statements(connection) as reads:
            lines = plan.lines_now(reads)
            ending, held, waiting = heads.bookings(reads), heads.held(reads), heads.entries(reads)
            named = locks.bookings(reads, planned)
        heads.note_bookings(ending)
        heads.note_held(held)
        locks.note_bookings(named, planned)
        async with Statements(connection) as reads:
            others = locks.bookings(reads, needs.pending - planned.keys())
        locks.note_bookings(others, planned)
        await locks.entries(await heads.of_lines(waiting))
        await locks.of_lines()
        await heads.counts()
        plan.check(lines, active)
        plan.seats_left.update((slot.slot_id, slot.seats_left) for slot in work.all(Slot))
        await plan.alternatives()

    async def save(self, writes: Statements, work: BookingWork) -> None:
        """Write the journal."""
        await save(writes, work)
