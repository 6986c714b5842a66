"""Every way in meets the same rules; and whoever holds an offer gets the seats that are held for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from booking_contracts.booking import (
    OpenSlot,
    RescheduleBooking,
    WaitlistAccepted,
    WaitlistLeft,
    WaitlistOffered,
)
from booking_contracts.codes import Code
from booking_contracts.types import Attendee, Money

from services.booking.model.states import State
from services.booking.model.waitlist import EntryState
from tests.booking.builders import (
    EUR,
    NOW,
    OFFERING,
    START,
    TEACHER,
    World,
    a_child,
    a_slot,
    acting,
    an_offering,
    place,
)
from tests.booking.line import Line, accept, cancel, join
from tests.booking.replicas import cancel as cancelled
from tests.booking.replicas import join as joins
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene

TWIN = Attendee(id="twin", name="Kit")


class Offered(Line):
    """Eve has a live offer of some of the seats that Bob has given back."""

    def __init__(self, seats: int = 1, entry_seats: int = 1, **offering: Any) -> None:
        World.__init__(self, capacity=seats, **offering)
        attendee: dict[str, Any] = {"attendee": a_child()} if self.offering.attendee_required else {}
        self.sitting = self.confirmed("bob", seats=seats, **attendee)
        self.eve = self.joined("eve", seats=entry_seats, **attendee)
        self.tell(cancel(self.sitting))


# ── The same rules ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("waitlist-handling", "modification-validation")
def test_who_waits_says_who_comes_where_that_is_required() -> None:
    world = World(attendee_required=True)
    world.confirmed("bob", attendee=a_child())
    refused = world.refused(join())
    assert (refused.code, refused.details["field"]) == (Code.INVALID_COMMAND, "attendee")
    world.tell(join(attendee=a_child()))


@pytest.mark.requirement("waitlist-handling", "modification-validation")
def test_an_accepted_offer_is_for_whoever_the_entry_or_the_command_names() -> None:
    for named, expected in ((None, a_child()), (TWIN, TWIN)):
        world = Offered(attendee_required=True)
        command = accept(world.eve, attendee=named)
        world.tell(command)
        assert world.booking(command.booking_id).attendee == expected


@pytest.mark.requirement("waitlist-handling", "modification-validation")
def test_an_entry_from_before_says_who_comes_when_its_offer_is_accepted() -> None:
    """The offering asks for attendees only since somebody waits."""
    world = Offered()
    world.work.put(an_offering(attendee_required=True))
    refused = world.refused(accept(world.eve))
    assert (refused.code, refused.details["field"]) == (Code.INVALID_COMMAND, "attendee")
    command = accept(world.eve, attendee=TWIN)
    world.tell(command)
    assert world.booking(command.booking_id).attendee == TWIN


@pytest.mark.requirement("modification-validation")
def test_a_booking_from_before_moves_with_the_people_it_has() -> None:
    world = World()
    booking = world.confirmed()
    world.work.load(a_slot(world.offering, START + timedelta(days=1)))
    world.work.put(an_offering(attendee_required=True, price=Money(amount=10**12, currency=EUR)))
    later = START + timedelta(days=1)
    world.tell(RescheduleBooking(booking_id=booking.booking_id, starts_at=later, actor=acting()))
    assert world.booking(booking.booking_id).starts_at == later


@pytest.mark.requirement("waitlist-handling", "price-integrity")
def test_nobody_waits_for_seats_that_cannot_be_paid() -> None:
    world = World(capacity=3)
    world.place("bob", seats=3)
    world.work.put(an_offering(capacity=3, price=Money(amount=6 * 10**11, currency=EUR)))
    refused = world.refused(join(seats=2))
    assert (refused.code, refused.details["field"]) == (Code.INVALID_COMMAND, "seats")


@pytest.mark.requirement("failure-handling", "waitlist-handling")
def test_accepting_takes_an_own_unpaid_try_over_as_placing_does() -> None:
    world = World(capacity=2)
    older, other = world.place("eve"), world.confirmed("bob")
    entry = join("eve")
    world.tell(entry)
    world.tell(cancel(other))
    command = accept(entry.entry_id)
    world.tell(command)
    assert world.booking(older.booking_id).state is State.PAYMENT_FAILED
    assert (world.booking(command.booking_id).state, world.taken()) == (State.PENDING_PAYMENT, 1)


# ── Who holds an offer ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("waitlist-handling")
@pytest.mark.parametrize("attendee", [None, a_child()])
def test_who_holds_an_offer_and_books_gets_that_booking(attendee: Attendee | None) -> None:
    world = Offered()
    booking = world.place("eve", attendee=attendee)
    assert (booking.state, world.taken()) == (State.PENDING_PAYMENT, 1)
    entry = world.entry(world.eve)
    assert (entry.state, entry.booking_id) == (EntryState.ACCEPTED, booking.booking_id)
    assert [event.booking_id for event in world.sent(WaitlistAccepted)] == [booking.booking_id]


@pytest.mark.requirement("waitlist-handling")
def test_a_smaller_party_than_was_offered_leaves_the_rest_to_the_next() -> None:
    world = Offered(3, entry_seats=3)
    dan = world.joined("dan", seats=2)
    world.place("eve", seats=1)
    assert (world.state(dan), world.taken()) == (EntryState.OFFERED, 3)
    assert len(world.sent(WaitlistOffered)) == 2


@pytest.mark.requirement("waitlist-handling")
def test_a_larger_party_takes_free_seats_besides_or_is_told_of_its_offer() -> None:
    world = Offered(3, entry_seats=2)
    assert world.place("eve", seats=3).seats == 3
    world = Offered(2)
    fay = world.place("fay")
    refused = world.refused(place("eve", seats=2))
    eve = world.entry(world.eve)
    assert refused.code is Code.SLOT_FULL
    assert refused.details["entry_id"] == str(eve.entry_id)
    assert refused.details["deadline"] == "2030-01-07T13:00:00Z"
    assert str(eve.entry_id) in refused.message
    assert "AcceptOffer" in refused.message
    assert (eve.state, world.booking(fay.booking_id).state) == (EntryState.OFFERED, State.PENDING_PAYMENT)


@pytest.mark.requirement("waitlist-handling")
def test_seats_that_are_held_for_one_attendee_are_not_for_another() -> None:
    world = World()
    world.confirmed("bob")
    world.tell(entry := join("eve", attendee=a_child()))
    world.tell(cancel(next(world.work.bookings_on(world.slot.slot_id))))
    refused = world.refused(place("eve", attendee=TWIN))
    assert (refused.code, refused.details["entry_id"]) == (Code.SLOT_FULL, str(entry.entry_id))
    assert world.place("eve", attendee=a_child()).state is State.PENDING_PAYMENT


@pytest.mark.requirement("waitlist-handling")
def test_who_waits_is_told_of_the_entry_that_they_have() -> None:
    world = Line()
    entry = world.joined("eve")
    for refused, code in ((world.refused(place("eve")), Code.SLOT_FULL), (world.refused(join()), Code.ALREADY_WAITING)):
        assert (refused.code, refused.details["entry_id"]) == (code, str(entry))
        assert refused.details["entry_state"] == "WAITING"
        assert str(entry) in refused.message
        assert "join" not in refused.message
    world.tell(cancel(world.sitting))
    refused = world.refused(join())
    assert (refused.code, refused.details["entry_id"]) == (Code.ALREADY_WAITING, str(entry))
    assert "AcceptOffer" in refused.message
    assert world.refused(join("dan", entry_id=entry)).details == {}


@pytest.mark.requirement("waitlist-handling", "price-integrity")
def test_the_holders_booking_is_refused_like_any_other_and_the_offer_stays() -> None:
    world = Offered()
    assert world.refused(place("eve", expected_price=Money(amount=1, currency=EUR))).code is Code.PRICE_CHANGED
    assert world.refused(place("eve", seats=2)).code is Code.INVALID_COMMAND
    assert world.state(world.eve) is EntryState.OFFERED


@pytest.mark.requirement("waitlist-handling", "deadline-enforcement")
def test_an_offer_that_is_over_gives_nothing() -> None:
    world = Offered()
    world.joined("dan")
    refused = world.at(NOW + timedelta(minutes=60)).refused(place("eve"))
    assert (refused.code, "entry_id" in refused.details) == (Code.SLOT_FULL, False)


@pytest.mark.requirement("waitlist-handling", "rescheduling-logic")
def test_a_booking_moves_onto_the_seats_that_its_customer_is_offered() -> None:
    world = Offered()
    far = a_slot(world.offering, START + timedelta(days=1))
    world.work.load(far)
    booking = world.confirmed("eve", starts_at=far.starts_at)
    world.tell(RescheduleBooking(booking_id=booking.booking_id, starts_at=START, actor=TEACHER))
    assert (world.taken(), world.taken(far)) == (1, 0)
    assert world.state(world.eve) is EntryState.LEFT
    assert len(world.sent(WaitlistLeft)) == 1


@pytest.mark.requirement("waitlist-handling", "transaction-atomicity")
async def test_the_offer_becomes_the_booking_in_the_database(engine: Engine) -> None:
    """Each command in a batch of its own: what a batch needs of an offer it loads."""
    scene = await Scene(engine).open(slots=2)
    bob = await scene.confirmed("bob")
    eve = joins(scene, "eve")
    attendee = Attendee(id="child", name="Kim", email="kim@example.com")
    await engine.tell(eve.model_copy(update={"attendee": attendee}))
    await engine.tell(cancelled(bob, "bob"))
    placed = scene.place("eve")
    await engine.tell(placed)
    (row,) = await engine.fetch("SELECT state, booking_id FROM waitlist_entry")
    assert (row["state"], row["booking_id"]) == ("ACCEPTED", placed.booking_id)
    assert (await scene.states())[placed.booking_id] == "PENDING_PAYMENT"
    moved = await scene.confirmed("fay", 1)
    await engine.tell(joins(scene, "fay"))
    await engine.tell(cancelled(placed.booking_id, "eve"))
    await engine.tell(RescheduleBooking(booking_id=moved, starts_at=scene.start(0), actor=acting("fay")))
    rows = await engine.fetch("SELECT state FROM waitlist_entry ORDER BY joined_at, place")
    assert sorted(row["state"] for row in rows) == ["ACCEPTED", "LEFT"]


@pytest.mark.requirement("waitlist-handling")
async def test_who_comes_is_kept_with_the_place_in_the_line(engine: Engine) -> None:
    scene = await Scene(engine).open()
    bob = await scene.confirmed("bob")
    eve = joins(scene, "eve").model_copy(update={"attendee": a_child()})
    await engine.tell(eve)
    await engine.tell(cancelled(bob, "bob"))
    command = accept(eve.entry_id)
    await engine.tell(command)
    (row,) = await engine.fetch("SELECT attendee_id FROM booking WHERE booking_id = $1", command.booking_id)
    assert row["attendee_id"] == "child"


def test_a_capacity_that_is_raised_offers_as_before() -> None:
    world = Line()
    entry = world.joined()
    world.tell(OpenSlot(offering_id=OFFERING, starts_at=START, capacity=2, actor=TEACHER))
    assert world.place("eve").state is State.PENDING_PAYMENT
    assert world.state(entry) is EntryState.ACCEPTED
