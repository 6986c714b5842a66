"""PlaceBooking: what is checked, what is held, what is said."""

from datetime import timedelta
from uuid import UUID

import pytest
from booking_contracts import payments
from booking_contracts.booking import BookingPlaced, BookingRequested, CancelBooking, OpenSlot, PaymentFailed
from booking_contracts.codes import Code
from booking_contracts.types import Money

from services.booking.local_messages import DeadlineReached
from services.booking.model.states import State
from tests.booking.builders import (
    NOW,
    OFFERING,
    START,
    TEACHER,
    World,
    a_child,
    a_slot,
    acting,
    an_offering,
    authorized,
    place,
)


@pytest.mark.requirement("initial-booking-state", "confirmation-record", "price-integrity")
def test_a_new_booking_holds_its_seats_and_asks_for_the_offerings_price() -> None:
    world = World(capacity=2)
    booking = world.place(seats=2)
    assert booking.state is State.PENDING_PAYMENT
    assert world.taken() == 2
    assert booking.deadline == NOW + timedelta(minutes=15)
    (event,) = world.sent(BookingPlaced)
    assert event.price == Money(amount=9000, currency="EUR")
    (ask,) = world.sent(payments.AuthorizePayment)
    assert (ask.amount.amount, ask.attempt, ask.payment_id) == (9000, 1, booking.payment_id)
    (timer,) = world.reminders(DeadlineReached)
    assert timer.due_at == booking.deadline


@pytest.mark.requirement("payment-booking-coupling", "retry-mechanism")
def test_a_booking_that_is_decided_a_second_time_names_the_same_payment_and_settlement() -> None:
    lives = [World(), World()]
    for world in lives:
        world.confirmed(booking_id=UUID(int=7))
        world.tell(CancelBooking(booking_id=UUID(int=7), actor=acting()))
    first, second = (world.booking(UUID(int=7)) for world in lives)
    assert (first.payment_id, first.settlement_id) == (second.payment_id, second.settlement_id)
    assert len({first.booking_id, first.payment_id, first.settlement_id}) == 3


@pytest.mark.requirement("initial-booking-state")
def test_an_offering_with_approval_asks_nobody_for_money_yet() -> None:
    world = World(approval=True)
    booking = world.place()
    assert booking.state is State.PENDING_APPROVAL
    assert len(world.sent(BookingRequested)) == 1
    assert world.sent(payments.AuthorizePayment) == []


def test_without_payment_the_seat_is_held_and_nothing_is_asked() -> None:
    world = World()
    world.place(payment=None)
    assert world.sent(payments.AuthorizePayment) == []
    assert len(world.sent(BookingPlaced)) == 1


@pytest.mark.requirement("time-slot-lock")
def test_a_hold_never_outlives_the_start() -> None:
    world = World().at(START - timedelta(minutes=5))
    assert world.place().deadline == START


@pytest.mark.requirement("conflict-check", "overbooking-prevention")
def test_a_full_slot_refuses_and_says_what_is_left() -> None:
    world = World(capacity=3)
    world.place("ann", seats=2)
    refused = world.refused(place("bob", seats=2))
    assert refused.code is Code.SLOT_FULL
    assert refused.details["seats_left"] == 1
    assert world.taken() == 2


@pytest.mark.requirement("time-slot-lock", "failure-handling")
def test_an_expired_hold_stops_counting_at_once() -> None:
    world = World()
    first = world.place("ann")
    assert first.deadline is not None
    second = world.at(first.deadline).place("bob")
    assert world.booking(first.booking_id).state is State.EXPIRED
    assert second.state is State.PENDING_PAYMENT
    assert world.taken() == 1
    assert len(world.sent(payments.VoidPayment)) == 1


@pytest.mark.requirement("time-slot-lock")
def test_an_expiry_that_a_refused_command_meets_still_happens() -> None:
    world = World(capacity=1)
    first = world.place("ann")
    assert first.deadline is not None
    world.at(first.deadline).refused(place("bob", expected_price=Money(amount=1, currency="EUR")))
    assert world.booking(first.booking_id).state is State.EXPIRED
    assert world.taken() == 0


@pytest.mark.requirement("failure-handling")
def test_the_same_customers_next_try_takes_their_own_hold_over() -> None:
    world = World()
    first = world.place("bob")
    second = world.place("bob")
    assert world.booking(first.booking_id).state is State.PAYMENT_FAILED
    (failed,) = world.sent(PaymentFailed)
    assert failed.reason == "superseded"
    assert second.state is State.PENDING_PAYMENT
    assert world.taken() == 1


@pytest.mark.requirement("failure-handling")
def test_a_refused_next_try_leaves_the_older_booking_alone() -> None:
    world = World()
    first = world.place("bob")
    world.refused(place("bob", expected_price=Money(amount=1, currency="EUR")))
    assert world.booking(first.booking_id).state is State.PENDING_PAYMENT


def test_a_hold_for_another_attendee_counts() -> None:
    world = World()
    world.place("bob")
    assert world.refused(place("bob", attendee=a_child())).code is Code.SLOT_FULL


def test_a_confirmed_booking_is_not_superseded() -> None:
    world = World()
    world.confirmed("bob")
    assert world.refused(place("bob")).code is Code.SLOT_FULL


@pytest.mark.requirement("provider-overlap")
def test_a_provider_is_never_in_two_overlapping_slots() -> None:
    world = World(buffer_after_minutes=30)
    other = a_slot(world.offering, START + timedelta(minutes=75))
    world.work.load(other)
    world.place("ann")
    assert world.refused(place("bob", starts_at=other.starts_at)).code is Code.PROVIDER_BUSY


@pytest.mark.requirement("provider-overlap")
def test_touching_slots_do_not_overlap() -> None:
    world = World(buffer_after_minutes=30)
    world.work.load(a_slot(world.offering, START + timedelta(minutes=90)))
    world.place("ann")
    assert world.place("bob", starts_at=START + timedelta(minutes=90)).state is State.PENDING_PAYMENT


@pytest.mark.requirement("price-integrity")
def test_an_expected_price_that_is_not_the_price_is_told() -> None:
    refused = World().refused(place(expected_price=Money(amount=100, currency="EUR")))
    assert refused.code is Code.PRICE_CHANGED
    assert refused.details["price"] == {"amount": 4500, "currency": "EUR"}


def test_times_that_cannot_be_booked() -> None:
    world = World(minimum_notice_minutes=60, horizon_days=2)
    near = a_slot(world.offering, NOW + timedelta(minutes=59))
    past = a_slot(world.offering, NOW)
    closed = a_slot(world.offering, NOW + timedelta(hours=5), closed=True)
    for slot in (near, past, closed):
        world.work.load(slot)
    assert world.refused(place(starts_at=past.starts_at)).code is Code.SLOT_IN_PAST
    assert world.refused(place(starts_at=near.starts_at)).code is Code.NOTICE_TOO_SHORT
    assert world.refused(place(starts_at=closed.starts_at)).code is Code.SLOT_NOT_OFFERED
    assert world.refused(place(starts_at=NOW + timedelta(hours=7))).code is Code.SLOT_NOT_OFFERED
    assert world.refused(place()).code is Code.BEYOND_HORIZON


def test_a_party_larger_than_the_slot_names_the_field() -> None:
    refused = World(capacity=2).refused(place(seats=3))
    assert (refused.code, refused.details["field"]) == (Code.INVALID_COMMAND, "seats")


@pytest.mark.requirement("actors")
def test_nobody_books_in_another_customers_name() -> None:
    world = World()
    assert world.refused(place("bob", actor=acting("eve"))).code is Code.NOT_ALLOWED
    assert world.refused(place("bob", actor=TEACHER)).code is Code.NOT_ALLOWED


def test_a_booking_id_is_used_once() -> None:
    world = World(capacity=2)
    booking = world.place()
    assert world.refused(place("ann", booking_id=booking.booking_id)).code is Code.BOOKING_EXISTS


def test_a_slots_capacity_never_falls_below_what_is_taken() -> None:
    world = World(capacity=3)
    world.place(seats=2)
    command = OpenSlot(offering_id=OFFERING, starts_at=START, capacity=1, actor=TEACHER)
    refused = world.refused(command)
    assert (refused.code, refused.details["field"]) == (Code.INVALID_COMMAND, "capacity")


@pytest.mark.requirement("price-integrity")
def test_editing_an_offering_leaves_existing_bookings_alone() -> None:
    world = World()
    booking = world.place()
    world.work.put(an_offering(price=Money(amount=9900, currency="EUR")))
    world.tell(authorized(booking))
    assert world.booking(booking.booking_id).price.amount == 4500
    assert world.booking(booking.booking_id).state is State.CONFIRMED
