"""Two replicas on one database: whoever is second finds what the first has done, and nobody waits for ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from booking_contracts.booking import (
    AcceptOffer,
    CloseSlot,
    OpenSlot,
    RescheduleBooking,
    SetSchedule,
    WeeklyHours,
)
from booking_contracts.types import PaymentChoice

from tests.booking.replicas import at_once, cancel, consistent, customer, join, move
from tests.booking.test_fresh_slots import edit
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene

ROUNDS = 5


@pytest.fixture
async def twin(engine: Engine) -> AsyncIterator[Engine]:
    """A second replica; it owns partition 1."""
    other = Engine(engine.session.url, engine.clock)
    yield other
    await other.close()


@pytest.mark.requirement("concurrent-request-handling", "conflict-check")
async def test_the_last_seat_is_had_once(engine: Engine, twin: Engine) -> None:
    for _ in range(ROUNDS):
        scene = await Scene(engine).open()
        assert await at_once(engine, twin, [scene.place("ann")], [scene.place("bob")]) == ["SLOT_FULL", "accepted"]
        await consistent(engine)


@pytest.mark.requirement("concurrent-request-handling", "provider-overlap")
async def test_overlapping_slots_of_a_schedule_are_had_once(engine: Engine, twin: Engine) -> None:
    """Neither slot has a row before."""
    for _ in range(ROUNDS):
        scene = await Scene(engine).open(slots=0, slot_step_minutes=30)
        await all_day(engine, scene)
        base = scene.starts_at.replace(hour=12, minute=0, second=0)
        one = scene.place("ann", starts_at=base)
        two = scene.place("bob", starts_at=base + timedelta(minutes=30))
        assert await at_once(engine, twin, [one], [two]) == ["PROVIDER_BUSY", "accepted"]
        await consistent(engine)


async def all_day(engine: Engine, scene: Scene) -> None:
    weekly = tuple(WeeklyHours(weekday=day, from_="00:00", to="24:00") for day in range(1, 8))
    await engine.tell(SetSchedule(provider_id=scene.provider_id, weekly=weekly, actor=scene.teacher))


@pytest.mark.requirement("concurrent-request-handling", "rescheduling-logic", "pessimistic-locking")
async def test_two_bookings_change_places_or_one_of_them_gets_a_slot(engine: Engine, twin: Engine) -> None:
    """Into one free slot from two sides; and into each other's, which both find full. Nobody deadlocks."""
    for _ in range(ROUNDS):
        scene = await Scene(engine).open(slots=3)
        ann, bob = await scene.confirmed("ann", 0), await scene.confirmed("bob", 1)
        codes = await at_once(engine, twin, [move(scene, ann, "ann", 2)], [move(scene, bob, "bob", 2)])
        assert codes == ["SLOT_FULL", "accepted"]
        await consistent(engine)
        scene = await Scene(engine).open(slots=2)
        ann, bob = await scene.confirmed("ann", 0), await scene.confirmed("bob", 1)
        codes = await at_once(engine, twin, [move(scene, ann, "ann", 1)], [move(scene, bob, "bob", 0)])
        assert codes == ["SLOT_FULL", "SLOT_FULL"]


@pytest.mark.requirement("rescheduling-logic", "provider-overlap")
async def test_a_booking_moves_by_half_an_hour_over_itself(engine: Engine) -> None:
    scene = await Scene(engine).open()
    half_past = scene.start(0) + timedelta(minutes=30)
    opened = OpenSlot(offering_id=scene.offering_id, starts_at=half_past, actor=scene.teacher)
    await engine.run(engine.record(opened, key=str(scene.provider_id)))
    booking_id = await scene.confirmed()
    await engine.tell(RescheduleBooking(booking_id=booking_id, starts_at=half_past, actor=customer("bob")))
    (row,) = await engine.fetch("SELECT starts_at FROM booking")
    assert row["starts_at"] == half_past
    await consistent(engine)


@pytest.mark.requirement("rescheduling-logic", "transaction-atomicity")
async def test_places_change_hands_within_one_batch(engine: Engine) -> None:
    """Ann leaves 0 for 2, Bob goes from 1 to 0, Eve books 1, Ann cancels: whatever the batch's size."""
    for size in (1, 2, 500):
        scene = await Scene(engine).open(slots=3)
        ann, bob = await scene.confirmed("ann", 0), await scene.confirmed("bob", 1)
        eve = scene.place("eve", 1)
        messages = [move(scene, ann, "ann", 2), move(scene, bob, "bob", 0), eve, cancel(ann, "ann")]
        await engine.run(*(engine.record(message) for message in messages), size=size)
        states = await scene.states()
        assert (states[ann], states[bob], states[eve.booking_id]) == (
            "CANCELLED_BY_CUSTOMER",
            "CONFIRMED",
            "PENDING_PAYMENT",
        )
        await consistent(engine)


@pytest.mark.requirement("waitlist-handling", "concurrent-request-handling")
async def test_who_waits_comes_before_who_asks_now(engine: Engine, twin: Engine) -> None:
    """A seat is freed on one replica while a new command for it runs on the other."""
    for _ in range(ROUNDS):
        scene = await Scene(engine).open()
        ann = await scene.confirmed("ann")
        waiting = join(scene, "eve")
        await engine.tell(waiting)
        codes = await at_once(engine, twin, [cancel(ann, "ann")], [scene.place("dan")])
        assert codes == ["SLOT_FULL", "accepted"]
        (entry,) = await engine.fetch("SELECT * FROM waitlist_entry WHERE entry_id = $1", waiting.entry_id)
        assert entry["state"] == "OFFERED"
        await consistent(engine)


@pytest.mark.requirement("waitlist-handling", "concurrent-request-handling")
async def test_a_line_is_joined_while_the_seat_is_freed(engine: Engine, twin: Engine) -> None:
    """Either the seat is free before (SLOT_AVAILABLE), or who joined is asked: nobody waits beside a free seat."""
    for _ in range(ROUNDS):
        scene = await Scene(engine).open()
        ann = await scene.confirmed("ann")
        waiting = join(scene, "eve")
        codes = await at_once(engine, twin, [cancel(ann, "ann")], [waiting])
        states = [row["state"] for row in await engine.fetch("SELECT * FROM waitlist_entry")]
        assert codes == ["SLOT_AVAILABLE", "accepted"] or "WAITING" not in states
        await consistent(engine)


@pytest.mark.requirement("waitlist-handling", "transaction-atomicity")
async def test_a_whole_life_of_offers_within_one_batch(engine: Engine) -> None:
    for size in (1, 3, 500):
        scene = await Scene(engine).open(capacity=2)
        ann = await scene.confirmed("ann", seats=2)
        eve, dan = join(scene, "eve", seats=2), join(scene, "dan")
        accepted = AcceptOffer(
            entry_id=eve.entry_id, booking_id=uuid4(), payment=PaymentChoice(method="wallet"), actor=customer("eve")
        )
        messages = [eve, dan, cancel(ann, "ann"), accepted, cancel(accepted.booking_id, "eve"), scene.place("fay")]
        await engine.run(*(engine.record(message) for message in messages), size=size)
        entries = await engine.fetch("SELECT entry_id, state FROM waitlist_entry")
        states = {row["entry_id"]: row["state"] for row in entries}
        assert (states[eve.entry_id], states[dan.entry_id]) == ("ACCEPTED", "OFFERED")
        assert (await scene.states())[accepted.booking_id] == "CANCELLED_BY_CUSTOMER"
        await consistent(engine)


@pytest.mark.requirement("waitlist-handling", "time-slot-lock")
async def test_offers_end_by_their_timers_and_the_line_by_its_own(engine: Engine) -> None:
    scene = await Scene(engine).open()
    ann = await scene.confirmed("ann")
    await engine.tell(join(scene, "eve"), join(scene, "dan"))
    await engine.tell(cancel(ann, "ann"))
    for states in ({"EXPIRED": 1, "OFFERED": 1}, {"EXPIRED": 2}):
        engine.clock.advance(minutes=60)
        await engine.run_local()
        entries = await engine.fetch("SELECT state FROM waitlist_entry")
        assert Counter(row["state"] for row in entries) == states
        await consistent(engine)
    await scene.confirmed("ann")
    await engine.tell(join(scene, "eve"))
    engine.clock.advance(days=6)
    await engine.run_local()
    assert Counter(row["state"] for row in await engine.fetch("SELECT state FROM waitlist_entry"))["CLOSED"] == 1


@pytest.mark.requirement("cancellation-state-machine", "pessimistic-locking")
async def test_a_slot_is_closed_while_it_is_booked_and_cancelled(engine: Engine, twin: Engine) -> None:
    for _ in range(ROUNDS):
        scene = await Scene(engine).open(capacity=4)
        ann = await scene.confirmed("ann")
        await scene.confirmed("bob")
        closed = CloseSlot(offering_id=scene.offering_id, starts_at=scene.start(0), actor=scene.teacher)
        await at_once(engine, twin, [closed], [scene.place("eve"), cancel(ann, "ann")])
        live = [state for state in (await scene.states()).values() if not state.startswith("CANCELLED")]
        assert live == []
        await consistent(engine)


@pytest.mark.requirement("waitlist-handling")
async def test_a_full_slot_names_the_next_ones_where_the_party_fits(engine: Engine) -> None:
    scene = await Scene(engine).open(slots=9, capacity=2)
    await engine.tell(scene.place("ann", 0, seats=2), scene.place("bob", 1), scene.place("bob", 3, seats=2))
    await engine.tell(scene.place("eve", 0, seats=2))
    (reply,) = [sent for sent in await engine.sent() if sent.body.get("code") == "SLOT_FULL"]
    expected = [f"{scene.start(slot):%Y-%m-%dT%H:%M:%SZ}" for slot in (2, 4, 5, 6, 7)]
    assert reply.body["details"]["alternatives"] == [{"starts_at": at, "seats_left": 2} for at in expected]
    assert reply.body["details"]["waitlist_open"] is True


@pytest.mark.requirement("concurrent-request-handling", "actors")
async def test_an_offering_id_belongs_to_the_provider_who_was_first(engine: Engine, twin: Engine) -> None:
    """Neither of two providers sees the other's before both are written."""
    for _ in range(ROUNDS):
        first, second = await Scene(engine).open(slots=0), await Scene(engine).open(slots=0)
        new = uuid4()
        one, two = (edit(scene, offering_id=new, title=str(scene.provider_id)) for scene in (first, second))
        assert await at_once(engine, twin, [one], [two]) == ["NOT_ALLOWED", "accepted"]
        (row,) = await engine.fetch("SELECT * FROM offering WHERE offering_id = $1", new)
        assert str(row["provider_id"]) in row["definition"]
