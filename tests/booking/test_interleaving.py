"""Any interleaving of commands keeps the seats: in memory, and in the database in batches of any size."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from booking_contracts import payments
from booking_contracts.booking import (
    AcceptOffer,
    CancelBooking,
    CloseSlot,
    JoinWaitlist,
    LeaveWaitlist,
    OpenSlot,
    PlaceBooking,
    RescheduleBooking,
)
from booking_contracts.codes import Rejected
from booking_contracts.envelope import MessageBody
from booking_contracts.types import Money
from hypothesis import given, settings
from hypothesis import strategies as st

from services.booking.local_messages import DeadlineReached, EntryDue
from services.booking.model.booking import Booking
from services.booking.model.provider_busy import provider_free
from services.booking.model.slots import Slot
from services.booking.model.waitlist import Entry, in_line
from tests.booking.builders import NOW, OFFERING, START, TEACHER, World, a_customer, a_slot, acting
from tests.booking.replicas import consistent
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene

NAMES = ("ann", "bob", "cyd")
STARTS = tuple(START + timedelta(minutes=30 * number) for number in range(3))
"""Each overlaps the next, the first and the last touch."""


class Dice:
    """Commands by chance, about few bookings, slots and people, so that they meet."""

    def __init__(self, draw: Any, starts: Any, offering_id: UUID, teacher: Any, run: int = 1) -> None:
        self._draw, self._starts, self._offering, self._teacher = draw, starts, offering_id, teacher
        self._number = run << 100
        self.bookings: list[tuple[UUID, str]] = []
        self.entries: list[tuple[UUID, str]] = []

    def command(self) -> MessageBody:
        name, start = NAMES[self._draw(3)], self._starts[self._draw(len(self._starts))]
        slot = {"offering_id": self._offering, "starts_at": start}
        who = {"seats": 1 + self._draw(2), "customer": a_customer(name), "actor": acting(name)}
        kind = self._draw(12)
        if kind < 3 or not self.bookings:
            self.bookings.append((self._id(), name))
            return PlaceBooking(**slot, **who, booking_id=self.bookings[-1][0])
        booking, owner = self.bookings[self._draw(len(self.bookings))]
        if kind < 5:
            return CancelBooking(booking_id=booking, actor=acting(owner))
        if kind < 7:
            return RescheduleBooking(booking_id=booking, starts_at=start, actor=acting(owner))
        if kind < 9 or not self.entries:
            self.entries.append((self._id(), name))
            return JoinWaitlist(**slot, **who, entry_id=self.entries[-1][0])
        entry, owner = self.entries[self._draw(len(self.entries))]
        if kind == 9:
            return LeaveWaitlist(entry_id=entry, actor=acting(owner))
        if kind == 10:
            self.bookings.append((self._id(), owner))
            return AcceptOffer(entry_id=entry, booking_id=self.bookings[-1][0], actor=acting(owner))
        if not self._draw(3):
            return CloseSlot(**slot, actor=self._teacher)
        return OpenSlot(**slot, actor=self._teacher, capacity=2 + self._draw(2))

    def _id(self) -> UUID:
        self._number += 1
        return UUID(int=self._number)


def check(world: World) -> None:
    slots = list(world.work.all(Slot))
    for slot in slots:
        held = sum(b.seats for b in world.work.all(Booking) if b.occupies and b.slot_id == slot.slot_id)
        held += sum(e.seats for e in world.work.all(Entry) if e.holds and e.slot_id == slot.slot_id)
        assert 0 <= held == slot.taken <= slot.capacity
    active = [slot for slot in slots if slot.active]
    assert not any(a.overlaps(b) for a in active for b in active if a.slot_id != b.slot_id)
    for slot in slots:
        usable = not slot.closed and (slot.active or provider_free(slot, slots))
        line = [entry for entry in in_line(world.work.entries_on(slot.slot_id)) if world.work.now < entry.closes_at]
        assert not any(usable and entry.seats <= slot.seats_left for entry in line), "somebody waits for free seats"


@pytest.mark.requirement("overbooking-prevention", "provider-overlap", "waitlist-handling")
@settings(deadline=None, max_examples=150)
@given(st.data())
def test_seats_are_kept_whatever_happens(data: st.DataObject) -> None:
    world = World(capacity=2)
    for start in STARTS[1:]:
        world.work.load(a_slot(world.offering, start))
    dice = Dice(lambda sides: data.draw(st.integers(0, sides - 1)), STARTS, OFFERING, TEACHER)
    now = NOW
    for _ in range(data.draw(st.integers(1, 25))):
        event = data.draw(st.integers(0, 5))
        try:
            if event == 0 and dice.bookings:
                _happens(world, dice, data.draw(st.integers(0, 2)), data.draw(st.integers(0, 99)))
            elif event == 1:
                now += timedelta(minutes=data.draw(st.sampled_from([1, 15, 60])))
                world.at(now)
            else:
                world.tell(dice.command())
        except Rejected:
            pass
        check(world)


def _happens(world: World, dice: Dice, kind: int, number: int) -> None:
    booking = world.work.find(Booking, dice.bookings[number % len(dice.bookings)][0])
    if kind == 0 and dice.entries:
        world.tell(EntryDue(entry_id=dice.entries[number % len(dice.entries)][0]))
    elif booking is not None and kind == 1:
        world.tell(DeadlineReached(booking_id=booking.booking_id))
    elif booking is not None and booking.attempt == 0:
        world.work.put(type(booking)(**{n: getattr(booking, n) for n in booking.__slots__} | {"attempt": 1}))
    elif booking is not None:
        names = {"booking_id": booking.booking_id, "payment_id": booking.payment_id, "attempt": booking.attempt}
        world.tell(payments.PaymentAuthorized(**names, amount=booking.price))


@pytest.mark.requirement("overbooking-prevention", "transaction-atomicity", "waitlist-handling")
@pytest.mark.parametrize("seed", range(6))
async def test_the_database_agrees_in_batches_of_any_size(engine: Engine, seed: int) -> None:
    results = [await _fold(engine, seed, size) for size in (1, 5, 200)]
    assert results[0] == results[1] == results[2]
    assert len({state for state, _ in results[0]}) > 2


async def _fold(engine: Engine, seed: int, size: int) -> list[tuple[str, int]]:
    """Two hundred commands, then what became of bookings and entries, in the order of their making."""
    chance = random.Random(seed)
    scene = await Scene(engine).open(slots=0, capacity=2)
    starts = [scene.starts_at + timedelta(minutes=30 * number) for number in range(4)]
    key = str(scene.provider_id)
    for start in starts:
        opened = OpenSlot(offering_id=scene.offering_id, starts_at=start, actor=scene.teacher)
        await engine.run(engine.record(opened, key=key))
    dice = Dice(lambda sides: chance.randrange(sides), starts, scene.offering_id, scene.teacher, size)
    for _ in range(4):
        commands = [dice.command() for _ in range(50)]
        slots = (OpenSlot, CloseSlot)
        records = [engine.record(c, key=key if isinstance(c, slots) else "") for c in commands]
        await engine.run(*records, size=size)
        await _confirm(engine, scene, chance)
        await consistent(engine)
    assert await engine.fetch("SELECT * FROM dead_letter") == []
    found = await engine.fetch(
        """
        SELECT state, seats, booking_id AS id FROM booking WHERE offering_id = $1
        UNION ALL SELECT state, seats, entry_id FROM waitlist_entry WHERE offering_id = $1 ORDER BY id
        """,
        scene.offering_id,
    )
    return [(row["state"], row["seats"]) for row in found]


async def _confirm(engine: Engine, scene: Scene, chance: random.Random) -> None:
    """Pays some of the bookings that wait for it, as if payments had answered."""
    query = "SELECT * FROM booking WHERE state = 'PENDING_PAYMENT' AND offering_id = $1 ORDER BY booking_id"
    paying = "UPDATE booking SET attempt = 1, payment_status = 'in_flight' WHERE booking_id = $1"
    for row in await engine.fetch(query, scene.offering_id):
        if chance.random() < 0.6:
            await engine.fetch(paying, row["booking_id"])
            amount = Money(amount=row["price_minor"], currency=row["currency"])
            event = payments.PaymentAuthorized(
                booking_id=row["booking_id"], payment_id=row["payment_id"], attempt=1, amount=amount
            )
            await engine.run(engine.record(event))
