"""Who does not pay may not keep a slot from others by beginning again and again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from booking_contracts import payments
from booking_contracts.booking import AbandonPayment, CancelBooking, CloseSlot, LeaveWaitlist, RejectBooking
from booking_contracts.codes import Code
from booking_contracts.envelope import MessageBody
from booking_contracts.types import Actor

from services.booking.model.booking import Booking
from services.booking.model.slots import Slot
from services.booking.model.states import State
from tests.booking.builders import NOW, OFFERING, START, TEACHER, World, a_child, a_customer, acting, answer, place
from tests.booking.line import accept, cancel, join
from tests.booking.replicas import join as joins
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene

BOB = Actor(kind="customer", id="bob")


def minutes(number: float) -> datetime:
    return NOW + timedelta(minutes=number)


def wanted_by_a_line(world: World) -> None:
    world.tell(join("eve"))


def wanted_by_a_refused(world: World) -> None:
    assert world.refused(place("eve")).code is Code.SLOT_FULL


WANTED = pytest.mark.parametrize("wanted", [wanted_by_a_line, wanted_by_a_refused])


@WANTED
@pytest.mark.requirement("time-slot-lock", "failure-handling")
def test_renewed_tries_hold_a_slot_for_three_hold_times_in_all(wanted: Callable[[World], None]) -> None:
    world = World()
    world.place("bob")
    wanted(world)
    for at in (14, 28):
        last = world.at(minutes(at)).place("bob")
    refused = world.at(minutes(42)).refused(place("bob"))
    assert refused.code is Code.DEADLINE_PASSED
    assert refused.details["held_seconds"] == 42 * 60
    assert refused.details["pending_booking_id"] == str(last.booking_id)
    assert str(last.booking_id) in refused.message
    assert world.booking(last.booking_id).state is State.PENDING_PAYMENT, "a refused next try leaves the older alone"
    assert world.at(minutes(43)).place("eve").customer.id == "eve", "the last hold is over"


@pytest.mark.requirement("time-slot-lock")
def test_the_refusal_says_until_when() -> None:
    for wanted, until in ((wanted_by_a_line, START), (wanted_by_a_refused, minutes(45))):
        world = World()
        world.place("bob")
        wanted(world)
        world.at(minutes(14)).place("bob")
        world.at(minutes(28)).place("bob")
        refused = world.at(minutes(42)).refused(place("bob"))
        assert refused.details["until"] == f"{until:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.requirement("time-slot-lock")
def test_while_nobody_else_wants_it_one_may_try_for_ever() -> None:
    world = World()
    for number in range(20):
        world.at(minutes(14 * number)).place("bob")


@pytest.mark.requirement("time-slot-lock", "waitlist-handling")
def test_when_the_line_is_empty_again_one_may_go_on() -> None:
    world = World()
    world.place("bob")
    world.tell(entry := join("eve"))
    for at in (14, 28):
        world.at(minutes(at)).place("bob")
    assert world.at(minutes(42)).refused(place("bob")).code is Code.DEADLINE_PASSED
    world.tell(LeaveWaitlist(entry_id=entry.entry_id, actor=acting("eve")))
    world.place("bob")


@pytest.mark.requirement("time-slot-lock")
def test_a_refusal_is_forgotten_after_as_long_again() -> None:
    world = World()
    world.place("bob")
    wanted_by_a_refused(world)
    for at in (14, 28):
        world.at(minutes(at)).place("bob")
    assert world.at(minutes(44.9)).refused(place("bob")).code is Code.DEADLINE_PASSED
    world.at(minutes(45)).place("bob")


def declined(world: World, booking: Booking) -> None:
    world.tell(answer(payments.PaymentDeclined, booking, code="card_declined", retryable=False))


ENDS: dict[str, Callable[[World, Booking], object]] = {
    "superseded": lambda _, __: None,
    "abandoned": lambda w, b: w.tell(AbandonPayment(booking_id=b.booking_id, actor=BOB)),
    "declined": declined,
    "cancelled": lambda w, b: w.tell(cancel(b)),
}


@pytest.mark.requirement("time-slot-lock", "failure-handling")
@pytest.mark.parametrize("way", ENDS)
def test_however_a_try_ends_unpaid_its_time_counts(way: str) -> None:
    world = World(waitlist=False)
    for number in range(3):
        booking = world.at(minutes(14 * number)).place("bob")
        if number == 1:
            wanted_by_a_refused(world)
        world.at(minutes(14 * number + 13.9))
        ENDS[way](world, booking)
    assert world.refused(place("bob")).code is Code.DEADLINE_PASSED


@pytest.mark.requirement("time-slot-lock", "failure-handling")
def test_holds_that_expired_count_as_long_as_they_held() -> None:
    world = World(waitlist=False)
    for number in range(3):
        world.at(minutes(60 * number)).place("bob")
    wanted_by_a_refused(world)
    refused = world.at(minutes(130)).refused(place("bob"))
    assert (refused.code, refused.details["held_seconds"]) == (Code.DEADLINE_PASSED, 40 * 60)


@pytest.mark.requirement("failure-handling")
def test_cards_that_are_declined_at_once_use_up_nothing() -> None:
    world = World()
    for number in range(9):
        booking = world.at(minutes(number / 6)).place("bob")
        if number == 0:
            wanted_by_a_refused(world)
        declined(world, booking)
    assert world.place("bob").state is State.PENDING_PAYMENT


@pytest.mark.requirement("time-slot-lock")
def test_another_id_with_the_same_address_is_the_same_customer() -> None:
    world = World(waitlist=False)
    for number, name in enumerate(("bob", "bobby", "bob")):
        world.at(minutes(20 * number)).place(name, customer=a_customer(name, email="Bob@example.com"))
    wanted_by_a_refused(world)
    again = place("rob", customer=a_customer("rob", email="bob@example.com"))
    assert world.at(minutes(56)).refused(again).code is Code.DEADLINE_PASSED


@pytest.mark.requirement("time-slot-lock")
def test_seats_for_several_children_are_held_once() -> None:
    """Side by side, and Bob's own refusal is nobody else's wish."""
    world = World(capacity=2)
    for at in (0, 14, 28, 42):
        world.at(minutes(at))
        world.place("bob")
        world.place("bob", attendee=a_child())
        assert world.refused(place("bob", attendee=a_child().model_copy(update={"id": "third"}))).code is Code.SLOT_FULL


@pytest.mark.requirement("time-slot-lock")
@pytest.mark.parametrize("way", ["rejected", "slot closed", "cancelled by the provider"])
def test_what_the_provider_ends_is_nobodys_try(way: str) -> None:
    world = World(approval=way == "rejected")
    booking = world.place("bob")
    world.at(minutes(14))
    if way == "rejected":
        world.tell(RejectBooking(booking_id=booking.booking_id, actor=TEACHER))
    elif way == "slot closed":
        world.tell(CloseSlot(offering_id=OFFERING, starts_at=START, actor=TEACHER))
    else:
        world.tell(CancelBooking(booking_id=booking.booking_id, actor=TEACHER))
    assert world.booking(booking.booking_id).held_seconds == 0


@pytest.mark.requirement("time-slot-lock", "refund-policy")
def test_a_booking_that_was_paid_was_no_try() -> None:
    world = World()
    booking = world.confirmed("bob")
    world.at(minutes(14)).tell(cancel(booking))
    assert world.booking(booking.booking_id).held_seconds == 0


@pytest.mark.requirement("time-slot-lock", "approval-flow")
def test_with_approval_a_try_is_as_long_as_both_decisions_may_take() -> None:
    world = World(approval=True, approval_hours=2, payment_hours=1)
    for number in range(3):
        booking = world.at(minutes(180 * number)).place("bob")
        wanted_by_a_refused(world)
        world.at(minutes(180 * number + 110)).tell(cancel(booking))
    assert world.place("bob").state is State.PENDING_APPROVAL
    world.at(minutes(180 * 3)).tell(cancel(next(b for b in world.work.bookings_on(world.slot.slot_id) if b.lives)))
    assert world.refused(place("bob")).code is Code.DEADLINE_PASSED


@pytest.mark.requirement("time-slot-lock", "waitlist-handling")
def test_who_has_waited_is_let_in() -> None:
    world = World()
    world.place("bob")
    world.tell(join("eve"))
    for at in (14, 28):
        world.at(minutes(at)).place("bob")
    world.at(minutes(29))
    world.tell(entry := join("bob"))
    world.tell(join("dan"))
    pending = next(booking for booking in world.work.bookings_on(world.slot.slot_id) if booking.lives)
    world.at(minutes(42)).tell(cancel(pending))
    eve = next(one for one in world.work.entries_on(world.slot.slot_id) if one.customer.id == "eve")
    world.tell(LeaveWaitlist(entry_id=eve.entry_id, actor=acting("eve")))
    command = accept(entry.entry_id, "bob")
    world.tell(command)
    assert world.booking(command.booking_id).state is State.PENDING_PAYMENT


@pytest.mark.requirement("time-slot-lock")
def test_who_has_tried_before_and_holds_nothing_now_wants_it_as_others_do() -> None:
    world = World(waitlist=False)
    world.place("bob")
    world.at(minutes(16)).place("eve")
    assert world.at(minutes(17)).refused(place("bob")).code is Code.SLOT_FULL
    for at in (30, 44):
        world.at(minutes(at)).place("eve")
    assert world.at(minutes(58)).refused(place("eve")).code is Code.DEADLINE_PASSED


@pytest.mark.requirement("time-slot-lock")
def test_nobody_is_kept_out_by_their_own_wish() -> None:
    world = World(waitlist=False)
    world.place("bob")
    eves = world.at(minutes(16)).place("eve")
    assert world.at(minutes(17)).refused(place("bob")).code is Code.SLOT_FULL
    world.at(minutes(18)).tell(cancel(eves))
    for at in (18, 32, 46, 60):
        assert world.at(minutes(at)).place("bob").state is State.PENDING_PAYMENT


@pytest.mark.requirement("time-slot-lock", "transaction-atomicity")
async def test_a_batch_knows_who_wanted_it(engine: Engine) -> None:
    scene = await Scene(engine).open(waitlist=False)
    for name, wish in (("bob", "accepted"), ("eve", "SLOT_FULL"), ("bob", "accepted")):
        assert await _answer(engine, scene.place(name)) == wish
    engine.clock.advance(minutes=16)
    await engine.run_local()
    for name, wish in (("eve", "accepted"), ("bob", "SLOT_FULL")):
        assert await _answer(engine, scene.place(name)) == wish
    (row,) = await engine.fetch("SELECT wanted_by FROM slot")
    assert row["wanted_by"] == "bob"


@pytest.mark.requirement("time-slot-lock")
def test_a_sought_after_slots_row_is_written_once_a_minute() -> None:
    world = World()
    world.place("bob")
    noted = []
    for at in (0, 0.5, 1, 1.5):
        world.at(minutes(at)).refused(place(f"c{at}"))
        slot = world.work.find(Slot, world.slot.slot_id)
        assert slot is not None
        noted.append(slot.wanted_at)
    assert noted == [minutes(0), minutes(0), minutes(1), minutes(1)]


@pytest.mark.requirement("time-slot-lock", "transaction-atomicity")
@pytest.mark.parametrize("wanted", ["by a line", "by a party that does not fit yet", "by who was refused"])
async def test_a_batch_loads_what_it_has_to_know_of_earlier_tries(engine: Engine, wanted: str) -> None:
    """Each command in a batch of its own."""
    larger = wanted == "by a party that does not fit yet"
    scene = await Scene(engine).open(capacity=2 if larger else 1)
    if larger:
        await scene.confirmed("ann")
    await engine.tell(scene.place("bob"))
    await engine.tell(scene.place("eve") if wanted == "by who was refused" else joins(scene, "eve", seats=1 + larger))
    for _ in range(2):
        engine.clock.advance(minutes=14)
        assert await _answer(engine, scene.place("bob")) == "accepted"
    engine.clock.advance(minutes=14)
    assert await _answer(engine, scene.place("bob")) == "DEADLINE_PASSED"
    held = await engine.fetch("SELECT held_seconds FROM booking WHERE customer_id = 'bob' ORDER BY created_at")
    assert [row["held_seconds"] for row in held] == [14 * 60, 28 * 60, 28 * 60]


@pytest.mark.requirement("time-slot-lock", "transaction-atomicity")
async def test_a_batch_knows_tries_by_their_address(engine: Engine) -> None:
    scene = await Scene(engine).open(waitlist=False)
    customer = scene.place("bob").customer
    for name in ("bob", "bobby", "rob"):
        known = customer.model_copy(update={"id": name, "email": f"{'Bob' if name == 'rob' else 'bob'}@example.com"})
        await engine.tell(scene.place(name).model_copy(update={"customer": known}))
        await engine.tell(scene.place("eve"))
        engine.clock.advance(minutes=16)
        await engine.run_local()
    assert await _answer(engine, scene.place("bob")) == "DEADLINE_PASSED"
    assert await _answer(engine, scene.place("dan")) == "accepted"


async def _answer(engine: Engine, body: MessageBody) -> str:
    await engine.tell(body)
    reply = [sent.body for sent in await engine.sent() if sent.topic == "booking.replies"][-1]
    return str(reply.get("code", "accepted"))
