"""Where one booking a person is all that can be had: in the decision, at the database, on two replicas at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from booking_contracts.booking import AcceptOffer, RescheduleBooking
from booking_contracts.codes import Code
from booking_contracts.types import Attendee, PaymentChoice

from services.booking.model.states import State
from tests.booking.builders import NOW, START, World, a_child, a_customer, a_slot, acting, an_offering, place
from tests.booking.line import accept, cancel, join
from tests.booking.replicas import at_once, consistent, customer, move
from tests.booking.replicas import cancel as cancelled
from tests.booking.replicas import join as joins
from tests.booking.test_database import copy_of, refused
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene

ROUNDS = 5
BYE = Attendee(id="kid", name="Kim", email="Kim@example.com")


@pytest.fixture
async def twin(engine: Engine) -> AsyncIterator[Engine]:
    """A second replica; it owns partition 1."""
    other = Engine(engine.session.url, engine.clock)
    yield other
    await other.close()


def once(capacity: int = 3, **offering: Any) -> World:
    return World(capacity=capacity, once_per_customer=True, **offering)


# ── The decision ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("conflict-check")
@pytest.mark.parametrize("paid", [True, False])
def test_a_second_booking_of_the_same_attendee_names_the_first(paid: bool) -> None:
    world = once()
    first = world.confirmed("bob") if paid else world.place("bob", attendee=a_child())
    again = place("bob") if paid else place("ann", attendee=a_child())
    refused = world.refused(again)
    assert (refused.code, refused.details) == (Code.BOOKING_EXISTS, {"booking_id": str(first.booking_id)})
    assert World(capacity=3).place("bob").lives, "elsewhere one may come as often as one likes"


@pytest.mark.requirement("conflict-check")
def test_the_same_address_is_the_same_person() -> None:
    world = once()
    first = world.confirmed("bob")
    second = place("rob", customer=a_customer("rob", email="BOB@example.com"))
    assert world.refused(second).details["booking_id"] == str(first.booking_id)
    kim = world.confirmed("ann", attendee=BYE)
    by_mail = place("eve", attendee=Attendee(id="other", name="Kim", email="kim@example.com"))
    assert world.refused(by_mail).details["booking_id"] == str(kim.booking_id)
    herself = place("kim", customer=a_customer("kim", email="kim@example.com"))
    assert world.refused(herself).details["booking_id"] == str(kim.booking_id)


@pytest.mark.requirement("conflict-check")
def test_others_and_who_comes_elsewhere_or_no_more_are_let_in() -> None:
    world = once(4)
    world.work.load(a_slot(world.offering, START + timedelta(days=1)))
    first = world.confirmed("bob")
    world.place("bob", attendee=a_child())
    world.place("bob", attendee=Attendee(id="twin", name="Kit"))
    world.place("bob", starts_at=START + timedelta(days=1))
    world.tell(cancel(first))
    assert world.place("bob").lives


@pytest.mark.requirement("conflict-check", "failure-handling")
def test_an_own_unpaid_try_is_replaced_as_ever() -> None:
    world = once()
    first = world.place("bob")
    assert world.place("bob").lives
    assert world.booking(first.booking_id).state is State.PAYMENT_FAILED


@pytest.mark.requirement("conflict-check", "deadline-enforcement")
def test_a_hold_that_is_over_is_nobodys_booking() -> None:
    world = once()
    world.place("ann", attendee=a_child())
    assert world.at(NOW + timedelta(minutes=15)).place("bob", attendee=a_child()).lives


@pytest.mark.requirement("conflict-check", "waitlist-handling")
def test_nobody_waits_for_what_they_have_or_accepts_it() -> None:
    world = once(2)
    first, other = world.confirmed("bob"), world.confirmed("ann")
    assert world.refused(join("bob")).details == {"booking_id": str(first.booking_id)}
    world.tell(entry := join("eve"))
    world.tell(cancel(other))
    world.tell(cancel(first))
    kim = world.confirmed("kim", attendee=BYE)
    refused = world.refused(accept(entry.entry_id, attendee=BYE))
    assert (refused.code, refused.details) == (Code.BOOKING_EXISTS, {"booking_id": str(kim.booking_id)})
    world.tell(accept(entry.entry_id))


@pytest.mark.requirement("conflict-check", "rescheduling-logic")
def test_nobody_moves_to_where_they_are_already() -> None:
    world = once()
    later = a_slot(world.offering, START + timedelta(days=1))
    world.work.load(later)
    there, here = world.confirmed("bob", starts_at=later.starts_at), world.confirmed("bob")
    moving = RescheduleBooking(booking_id=here.booking_id, starts_at=later.starts_at, actor=acting())
    refused = world.refused(moving)
    assert (refused.code, refused.details) == (Code.BOOKING_EXISTS, {"booking_id": str(there.booking_id)})
    world.tell(cancel(there))
    world.tell(moving)


@pytest.mark.requirement("conflict-check")
def test_a_booking_from_before_the_rule_counts() -> None:
    world = World(capacity=3)
    first = world.confirmed("bob")
    world.work.put(an_offering(capacity=3, once_per_customer=True))
    assert world.refused(place("bob")).details["booking_id"] == str(first.booking_id)


# ── The database, and two replicas ─────────────────────────────────────────────────────────────────


@pytest.mark.requirement("conflict-check")
@pytest.mark.parametrize(
    ("changes", "index"),
    [({}, "booking_once_by_id"), ({"customer_id": "'rob'"}, "booking_once_by_address")],
)
async def test_a_direct_insert_is_refused(engine: Engine, changes: dict[str, str], index: str) -> None:
    scene = await Scene(engine).open(capacity=3, once_per_customer=True)
    first = scene.place("bob")
    await engine.tell(first)
    assert index in await refused(scene, await copy_of(scene, first.booking_id, **changes))
    fine = {"customer_id": "'rob'", "payer_reading": "NULL", "comer_reading": "NULL"}
    await engine.fetch(await copy_of(scene, first.booking_id, **fine))
    await engine.fetch(await copy_of(scene, first.booking_id, once_per_customer="false"))


@pytest.mark.requirement("conflict-check")
async def test_a_batch_loads_the_other_bookings_of_who_comes(engine: Engine) -> None:
    """Each command in a batch of its own: by id, by address, and made before the rule."""
    scene = await Scene(engine).open(capacity=5)
    first = await scene.confirmed("bob")
    await engine.tell(scene.place("ann", attendee=BYE))
    await engine.fetch("UPDATE offering SET definition = definition || '{\"once_per_customer\": true}'")
    ann = scene.place("ann").customer.model_copy(update={"id": "rob", "email": "bob@example.com"})
    await engine.tell(scene.place("bob"))
    await engine.tell(scene.place("rob").model_copy(update={"customer": ann}))
    await engine.tell(scene.place("zoe", attendee=BYE.model_copy(update={"id": "same", "email": "kim@EXAMPLE.com"})))
    replies = [sent.body for sent in await engine.sent() if sent.topic == "booking.replies"][-3:]
    assert [reply["code"] for reply in replies] == ["BOOKING_EXISTS"] * 3
    assert [reply["details"]["booking_id"] == str(first) for reply in replies] == [True, True, False]


@pytest.mark.requirement("conflict-check", "concurrent-request-handling")
async def test_two_replicas_book_for_one_person(engine: Engine, twin: Engine) -> None:
    for _ in range(ROUNDS):
        scene = await Scene(engine).open(capacity=5, once_per_customer=True)
        one, two = (scene.place(name, attendee=BYE) for name in ("ann", "bob"))
        assert await at_once(engine, twin, [one], [two]) == ["BOOKING_EXISTS", "accepted"]
        await consistent(engine)


@pytest.mark.requirement("conflict-check", "concurrent-request-handling", "waitlist-handling")
async def test_two_replicas_accept_and_book_for_one_person(engine: Engine, twin: Engine) -> None:
    for _ in range(ROUNDS):
        scene = await Scene(engine).open(capacity=2, once_per_customer=True)
        ann, zoe = await scene.confirmed("ann"), await scene.confirmed("zoe")
        entry = joins(scene, "eve").model_copy(update={"attendee": BYE})
        await engine.tell(entry)
        await engine.tell(cancelled(ann, "ann"), cancelled(zoe, "zoe"))
        accepted = AcceptOffer(
            entry_id=entry.entry_id,
            booking_id=entry.entry_id,
            payment=PaymentChoice(method="card", payment_method="pm_card_visa"),
            actor=customer("eve"),
        )
        codes = await at_once(engine, twin, [accepted], [scene.place("bob", attendee=BYE)])
        assert codes == ["BOOKING_EXISTS", "accepted"]
        await consistent(engine)


@pytest.mark.requirement("conflict-check", "concurrent-request-handling", "rescheduling-logic")
async def test_two_replicas_move_and_book_for_one_person(engine: Engine, twin: Engine) -> None:
    for _ in range(ROUNDS):
        scene = await Scene(engine).open(slots=2, capacity=5, once_per_customer=True)
        bob = await scene.confirmed("bob", 0)
        codes = await at_once(engine, twin, [move(scene, bob, "bob", 1)], [scene.place("bob", 1)])
        assert codes == ["BOOKING_EXISTS", "accepted"]
        await consistent(engine)


@pytest.mark.requirement("conflict-check", "rescheduling-logic", "transaction-atomicity")
@pytest.mark.parametrize("size", [1, 500])
async def test_who_leaves_a_slot_has_left_it_before_they_come_again(engine: Engine, size: int) -> None:
    """Bob's bookings change places over a third slot, and one of them makes room for another, in one batch."""
    scene = await Scene(engine).open(slots=3, capacity=5, once_per_customer=True)
    one, two = await scene.confirmed("bob", 0), await scene.confirmed("bob", 1)
    moves = [move(scene, one, "bob", 2), move(scene, two, "bob", 0), move(scene, one, "bob", 1)]
    again = scene.place("bob", 0)
    messages = [*moves, cancelled(two, "bob"), move(scene, one, "bob", 0), cancelled(one, "bob"), again]
    await engine.run(*(engine.record(message) for message in messages), size=size)
    replies = [sent.type for sent in await engine.sent() if sent.topic == "booking.replies"][-len(messages) :]
    assert replies == ["booking.CommandAccepted.v1"] * len(messages)
    states = await scene.states()
    assert [states[booking] for booking in (one, two)] == ["CANCELLED_BY_CUSTOMER"] * 2
    await consistent(engine)


@pytest.mark.requirement("rescheduling-logic")
def test_a_booking_that_moves_comes_under_the_rule_of_today() -> None:
    """At the database too, which knows nothing of offerings."""
    world = World(capacity=3)
    booking = world.confirmed()
    world.work.load(a_slot(world.offering, START + timedelta(days=1)))
    world.work.put(an_offering(capacity=3, once_per_customer=True))
    assert not world.booking(booking.booking_id).once_per_customer
    there = START + timedelta(days=1)
    world.tell(RescheduleBooking(booking_id=booking.booking_id, starts_at=there, actor=acting()))
    assert world.booking(booking.booking_id).once_per_customer
