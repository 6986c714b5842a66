"""What a refused sender reads: which booking it was, and a sentence that tells them what to do next."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from booking_contracts.booking import (
    AbandonPayment,
    BookingCommand,
    CancelBooking,
    CompleteSession,
    ConfirmSession,
    PayBooking,
)
from booking_contracts.codes import Code, Rejected
from booking_contracts.envelope import rfc3339
from booking_contracts.types import Actor

from services.booking.model import actors, dispute_resolution, notice_and_horizon, price, provider_busy, slots, wish
from services.booking.model.availability import Alternatives
from services.booking.model.illegal_transition import OF_BOOKING, OF_ENTRY
from services.booking.model.states import State
from services.booking.model.waitlist import EntryState
from services.booking.model.wish import Wish
from services.booking.model.wording import of_lasting
from tests.booking.builders import CARD, NOW, PROVIDER, START, World, a_child, a_slot, acting, an_offering, place
from tests.booking.lives import euros

CHILD = Actor(kind="customer", id=a_child().id)
OFFERING = an_offering(capacity=2, minimum_notice_minutes=90, horizon_days=2)
SLOT = a_slot(OFFERING)
BUSY = a_slot(OFFERING, START + timedelta(minutes=30), taken=1)
LONG_BEFORE, JUST_BEFORE = START - timedelta(days=3), START - timedelta(minutes=89)


def refusal(check: Callable[[], object]) -> Rejected:
    with pytest.raises(Rejected) as caught:
        check()
    return caught.value


@pytest.mark.requirement("conflict-check", "modification-validation")
@pytest.mark.parametrize(
    ("check", "code", "sentence"),
    [
        (
            lambda: wish.check_seats(Wish(3), OFFERING, SLOT),
            Code.INVALID_COMMAND,
            "seats is more than the 2 seats of the slot.",
        ),
        (
            lambda: slots.check_offered(START, SLOT, START, offered=True),
            Code.SLOT_IN_PAST,
            "The slot has started; choose a later one.",
        ),
        (
            lambda: slots.check_offered(START, SLOT, NOW, offered=False),
            Code.SLOT_NOT_OFFERED,
            "No such slot is offered; ask for availability and choose one of those.",
        ),
        (
            lambda: wish.check_movable(Wish(1, movable_until=START), START),
            Code.DEADLINE_PASSED,
            "Moving was possible until 2030-01-10 12:00 UTC.",
        ),
        (
            lambda: notice_and_horizon.check_window(OFFERING, START, JUST_BEFORE),
            Code.NOTICE_TOO_SHORT,
            "Bookings need 1 hour and 30 minutes' notice; choose a slot that starts at 2030-01-10 12:01 UTC or later.",
        ),
        (
            lambda: notice_and_horizon.check_window(OFFERING, START, LONG_BEFORE),
            Code.BEYOND_HORIZON,
            "Bookings open 2 days ahead; choose a slot that starts by 2030-01-09 12:00 UTC, or come back later.",
        ),
        (
            lambda: price.check_price(Wish(1, expected_price=euros(1)), euros(4500)),
            Code.PRICE_CHANGED,
            "The price is another now; show it and send it again.",
        ),
        (
            lambda: provider_busy.check_provider_free(SLOT, [BUSY]),
            Code.PROVIDER_BUSY,
            "The provider has another appointment then; choose another slot.",
        ),
    ],
)
def test_why_seats_cannot_be_had(check: Callable[[], object], code: Code, sentence: str) -> None:
    refused = refusal(check)
    assert (refused.code, refused.message) == (code, sentence)


@pytest.mark.requirement("conflict-check")
def test_who_is_too_early_or_too_late_is_told_the_first_and_the_last_instant() -> None:
    """Both can be booked: the limits belong to the window."""
    now = NOW.replace(second=1)
    too_soon = refusal(lambda: notice_and_horizon.check_window(OFFERING, now, now))
    too_far = refusal(lambda: notice_and_horizon.check_window(OFFERING, START, now))
    assert too_soon.details == {"earliest_starts_at": "2030-01-07T13:30:01Z"}
    assert "at 2030-01-07 13:31 UTC" in too_soon.message, "no sentence names an instant that is refused"
    assert too_far.details == {"latest_starts_at": "2030-01-09T12:00:01Z"}
    for refused in (too_soon, too_far):
        (limit,) = refused.details.values()
        notice_and_horizon.check_window(OFFERING, datetime.fromisoformat(str(limit)), now)


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (2880, "2 days'"),
        (1440, "1 day's"),
        (60, "1 hour's"),
        (1, "1 minute's"),
        (90, "1 hour and 30 minutes'"),
        (1501, "1 day, 1 hour and 1 minute's"),
        (0, "0 minutes'"),
    ],
)
def test_lengths_of_time_are_told_in_units_of_people(minutes: int, text: str) -> None:
    assert of_lasting(minutes) == text


@pytest.mark.requirement("one-reply")
def test_a_refusal_tells_people_where_something_stands_in_their_words() -> None:
    assert set(OF_BOOKING) == set(State)
    assert set(OF_ENTRY) == set(EntryState)
    for sentence in (*OF_BOOKING.values(), *OF_ENTRY.values()):
        assert sentence.endswith(".")
        assert re.search(r"[A-Z]{2}|_|contract", sentence) is None
    world = World()
    confirmed = world.confirmed()
    refused = world.refused(AbandonPayment(booking_id=confirmed.booking_id, actor=acting("bob")))
    assert refused.message == OF_BOOKING[State.CONFIRMED]
    assert refused.details == {"state": "CONFIRMED"}


@pytest.mark.requirement("bad-input")
def test_a_party_that_never_fits_is_a_problem_of_the_field_seats() -> None:
    refused = refusal(lambda: wish.check_seats(Wish(3), OFFERING, None))
    first = {"field": "seats", "problem": "is more than the 2 seats of the slot"}
    assert refused.details == {**first, "errors": [{**first, "message": refused.message}]}


@pytest.mark.requirement("actors")
def test_a_stranger_is_told_whose_booking_it_is_not() -> None:
    booking = World().place()
    name, stranger = booking.booking_id, acting("mallory")
    by: dict[str, BookingCommand] = {
        f"Only the customer of booking {name} may do this.": CancelBooking(booking_id=name, actor=stranger),
        f"Only the provider of booking {name} may do this.": CompleteSession(booking_id=name, actor=stranger),
    }
    for sentence, command in by.items():
        refused = refusal(lambda command=command: actors.require(command, booking))  # type: ignore[misc]
        assert (refused.code, refused.message, refused.subject) == (Code.NOT_ALLOWED, sentence, name)
    refused = refusal(lambda: actors.require_owner(stranger, PROVIDER))
    assert (refused.message, refused.subject) == (f"Only provider {PROVIDER} may do this.", None)


@pytest.mark.requirement("actors")
def test_an_attendee_does_not_pay_and_does_not_give_up_paying() -> None:
    world = World()
    booking = world.place(attendee=a_child())
    for command in (
        PayBooking(booking_id=booking.booking_id, payment=CARD, actor=CHILD),
        AbandonPayment(booking_id=booking.booking_id, actor=CHILD),
    ):
        refused = world.refused(command)
        assert (refused.code, refused.subject) == (Code.NOT_ALLOWED, booking.booking_id)
    actors.require(ConfirmSession(booking_id=booking.booking_id, actor=CHILD), booking)


@pytest.mark.requirement("disputes")
def test_a_decision_that_does_not_add_up_is_told_what_is_in_escrow() -> None:
    booking = World().place()
    refused = refusal(lambda: dispute_resolution.outcome(booking, refund=euros(4000), release=euros(499)))
    assert refused.message == "refund and release must add up to the 4500 EUR (minor units) in escrow."
    assert (refused.code, refused.subject) == (Code.AMOUNT_MISMATCH, booking.booking_id)


@pytest.mark.requirement("overbooking-prevention")
def test_what_counts_is_the_capacity_of_the_slot_and_not_of_the_offering() -> None:
    larger, smaller = a_slot(OFFERING, capacity=5), a_slot(OFFERING, capacity=1)
    wish.check_seats(Wish(5), OFFERING, larger)
    assert refusal(lambda: wish.check_seats(Wish(2), OFFERING, smaller)).code is Code.INVALID_COMMAND


@pytest.mark.requirement("provider-overlap")
def test_a_buffer_before_a_slot_is_the_providers_too() -> None:
    offering = an_offering(buffer_before_minutes=30)
    before = [a_slot(offering, START - timedelta(minutes=60 + gap), taken=1) for gap in (30, 29)]
    assert [provider_busy.provider_free(a_slot(offering), [slot]) for slot in before] == [True, False]


@pytest.mark.requirement("conflict-check")
def test_who_finds_no_seats_is_shown_where_all_of_them_fit() -> None:
    world = World(capacity=3)
    world.confirmed()
    days = [START + timedelta(days=number) for number in range(1, 8)]
    free = ((START, 3), (days[0], 2), *((day, 3) for day in days[1:]))
    world.work.load(Alternatives(world.offering.offering_id, free))
    world.work.load(a_slot(world.offering, days[1], capacity=3, taken=1))
    details = world.refused(place("eve", seats=3)).details
    assert details["alternatives"] == [{"starts_at": rfc3339(day), "seats_left": 3} for day in days[2:7]]
