"""Rules of a line or two, each asked directly: limits at exactly their value, and what a refusal says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from booking_contracts.codes import Code, Rejected
from booking_contracts.types import MAX_AMOUNT_MINOR, Money, PaymentChoice, Tier

from services.booking.model import availability
from services.booking.model.availability import Calendar, Holds, TooManySlots
from services.booking.model.booking import Booking
from services.booking.model.catalogue import Offering
from services.booking.model.dispute_resolution import outcome
from services.booking.model.hoarding import MOST_HOLDS, held_until, is_used_up
from services.booking.model.illegal_transition import OF_BOOKING, OF_ENTRY, illegal, illegal_entry
from services.booking.model.once_per_customer import booked_already
from services.booking.model.people import Party
from services.booking.model.price import check_payable, check_price
from services.booking.model.refunds import _tiers, due_percent, on_cancellation, share
from services.booking.model.schedule import Hours, Schedule, Windows
from services.booking.model.slots import Surveyed, as_of_today
from services.booking.model.states import State
from services.booking.model.waitlist import Entry, EntryState, new_entry
from services.booking.model.wish import Wish, check_attendee
from services.booking.model.wording import named
from tests.booking.builders import (
    CARD,
    EUR,
    NOW,
    PROVIDER,
    START,
    World,
    a_child,
    a_customer,
    a_provider,
    a_slot,
    an_offering,
)

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
WALLET = PaymentChoice(method="wallet")


def open_from_noon(hours: int) -> Schedule:
    """One session an hour, on the day of START alone."""
    return Schedule(PROVIDER, dated=((START.date(), Hours(12 * 60, (12 + hours) * 60)),))


def a_calendar(*, hours: int) -> Calendar:
    return Calendar(ZoneInfo("UTC"), open_from_noon(hours), (), {})


def dinars(minor: int) -> Money:
    return Money(amount=minor, currency="KWD")


def a_booking(**changes: object) -> Booking:
    return replace(World().place(), **changes)  # type: ignore[arg-type]


def an_entry(state: EntryState = EntryState.WAITING) -> Entry:
    offering = an_offering()
    party = Party(a_customer(), a_child())
    return replace(new_entry(uuid4(), offering, a_provider(), a_slot(offering), 2, party, 7, NOW), state=state)


# Availability


@pytest.mark.requirement("availability-query")
def test_one_offerings_slots_are_those_of_the_whole_calendar() -> None:
    """Open from 12 to 16: somebody has 12:00, 13:00 was closed, a hold on 14:00 is over, one on 15:00 is not."""
    offering = an_offering()
    rows = [replace(a_slot(offering, START + at * HOUR, taken=1), opened=False) for at in (0, 2, 3)]
    closed = replace(a_slot(offering, START + HOUR), opened=False, closed=True)
    holds = {rows[1].slot_id: Holds(over=1), rows[2].slot_id: Holds(live=1)}
    calendar = Calendar(ZoneInfo("UTC"), open_from_noon(4), (*rows, closed), holds)
    found = list(calendar.of(offering, NOW, START + DAY, NOW))
    assert [(slot["starts_at"] - START) // HOUR for slot in found] == [0, 1, 2, 3]
    assert [slot["reason"] for slot in found] == ["full", "closed", None, "held"]
    assert found == calendar.view([offering], NOW, START + DAY, NOW)


@pytest.mark.requirement("availability-query")
@pytest.mark.parametrize(
    ("start", "end", "now", "hours"),
    [
        (START, START + 3 * HOUR, NOW, [0, 1, 2]),
        (START + HOUR, START + 3 * HOUR, NOW, [1, 2]),
        (START, START + 2 * HOUR, NOW, [0, 1]),
        (START, START + 3 * HOUR, START, [1, 2]),
    ],
    ids=["all", "from the second on", "before the third", "the first has started"],
)
def test_one_offerings_slots_start_in_the_range_and_after_now(
    start: datetime, end: datetime, now: datetime, hours: list[int]
) -> None:
    found = a_calendar(hours=3).of(an_offering(), start, end, now)
    assert [(slot["starts_at"] - START) // HOUR for slot in found] == hours


@pytest.mark.requirement("availability-query")
def test_an_answer_has_as_many_slots_as_it_may_and_not_one_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(availability, "MOST_SLOTS", 3)
    assert len(a_calendar(hours=3).view([an_offering()], NOW, START + DAY, NOW)) == 3
    with pytest.raises(TooManySlots):
        a_calendar(hours=4).view([an_offering()], NOW, START + DAY, NOW)


@pytest.mark.requirement("availability-query")
def test_an_answer_that_is_too_long_is_not_worked_out_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(availability, "MOST_SLOTS", 3)

    def offerings() -> Iterator[Offering]:
        yield an_offering()
        raise AssertionError("the first one's four slots are too many already")

    with pytest.raises(TooManySlots):
        a_calendar(hours=4).view(offerings(), NOW, START + DAY, NOW)


@pytest.mark.requirement("availability-query")
def test_who_asks_for_too_much_is_told_how_much_and_what_to_do() -> None:
    told = "That is more than 10000 slots: ask for less, with from and to closer together."
    assert str(TooManySlots()) == told


@pytest.mark.requirement("schedule")
def test_a_window_is_followed_no_further_than_is_needed() -> None:
    """22:00 to 24:00 and on until 02:00: who needs midnight alone does not look at the next day."""
    late, early = date(2030, 1, 7), date(2030, 1, 8)
    windows = Windows(Schedule(PROVIDER, dated=((late, Hours(22 * 60, 24 * 60)), (early, Hours(0, 2 * 60)))))
    assert windows.open_until(late, 22 * 60, enough=24 * 60) == 24 * 60
    assert windows.open_until(late, 22 * 60, enough=24 * 60 + 1) == 26 * 60


# Slots


@pytest.mark.requirement("conflict-check")
@pytest.mark.parametrize(
    ("opened", "own_capacity", "seats"),
    [(True, True, 2), (True, False, 5), (False, True, 5), (False, False, 5)],
)
def test_only_a_capacity_named_for_the_slot_alone_outlasts_the_offerings(
    opened: bool, own_capacity: bool, seats: int
) -> None:
    offering = an_offering(capacity=5)
    slot = replace(a_slot(offering), opened=opened, own_capacity=own_capacity, capacity=2)
    assert as_of_today(slot, offering).capacity == seats


@pytest.mark.requirement("provider-overlap")
def test_a_survey_covers_a_slot_that_lies_in_it_with_both_buffers() -> None:
    slot = a_slot(an_offering(buffer_before_minutes=15, buffer_after_minutes=10))
    survey = Surveyed(slot.slot_id, slot.busy_from, slot.busy_until)
    assert survey.covers(slot)
    assert survey.covers(replace(slot, busy_from=slot.busy_from + SECOND, busy_until=slot.busy_until - SECOND))
    assert not survey.covers(replace(slot, busy_from=slot.busy_from - SECOND))
    assert not survey.covers(replace(slot, busy_until=slot.busy_until + SECOND))


# Placing


def refused_field(refusal: Rejected, field: str, problem: str, message: str) -> None:
    """INVALID_COMMAND, with the field and its problem for programs and a sentence for people."""
    assert (refusal.code, refusal.message) == (Code.INVALID_COMMAND, message)
    error = {"field": field, "problem": problem, "message": message}
    assert refusal.details == {"field": field, "problem": problem, "errors": [error]}


@pytest.mark.requirement("bad-input")
def test_who_comes_is_named_where_the_offering_wants_that() -> None:
    check_attendee(an_offering(), None)
    check_attendee(an_offering(attendee_required=True), a_child())
    with pytest.raises(Rejected) as refused:
        check_attendee(an_offering(attendee_required=True), None)
    problem = "is required for this offering"
    refused_field(refused.value, "attendee", problem, "attendee is required for this offering.")


@pytest.mark.requirement("bad-input")
def test_a_party_costs_no_more_than_an_amount_can_be() -> None:
    dear = an_offering(price=Money(amount=MAX_AMOUNT_MINOR, currency=EUR), capacity=2)
    check_payable(Wish(seats=1), dear)
    with pytest.raises(Rejected) as refused:
        check_payable(Wish(seats=2), dear)
    problem = "cost more than can be paid at once"
    refused_field(refused.value, "seats", problem, "seats cost more than can be paid at once; book fewer.")


@pytest.mark.requirement("conflict-check")
def test_a_second_booking_of_the_same_person_is_refused_with_the_first_ones_id() -> None:
    first = a_booking()
    refusal = booked_already(first)
    assert refusal.code is Code.BOOKING_EXISTS
    assert refusal.message == (
        "Who comes has a booking for this time already, and one is all that can be had; change or cancel that one."
    )
    assert refusal.details == {"booking_id": str(first.booking_id)}


@pytest.mark.requirement("price-integrity")
def test_a_price_is_compared_only_where_one_was_expected() -> None:
    price, other = Money(amount=4500, currency=EUR), Money(amount=4400, currency=EUR)
    check_price(Wish(seats=1), price)
    check_price(Wish(seats=1, expected_price=price), price)
    with pytest.raises(Rejected) as refused:
        check_price(Wish(seats=1, expected_price=other), price)
    assert refused.value.code is Code.PRICE_CHANGED
    assert refused.value.details == {"price": {"amount": 4500, "currency": EUR}}


# Hoarding


@pytest.mark.requirement("time-slot-lock")
def test_a_hold_lasts_until_now_or_its_deadline_on_top_of_what_was_held_before() -> None:
    booking = a_booking(held_seconds=100, created_at=NOW, deadline=NOW + 60 * SECOND)
    assert held_until(booking, NOW) == 100
    assert held_until(booking, NOW + 59 * SECOND) == 159
    assert held_until(booking, NOW + HOUR) == 160
    assert held_until(booking, NOW - HOUR) == 100
    assert held_until(replace(booking, deadline=None), NOW + HOUR) == 100 + 3600


@pytest.mark.requirement("time-slot-lock")
@pytest.mark.parametrize("offering", [an_offering(), an_offering(approval=True)], ids=["at once", "approved"])
def test_tries_are_used_up_when_one_more_could_exceed_the_most_but_not_at_exactly_it(offering: Offering) -> None:
    one = 48 * 3600 if offering.approval else 15 * 60
    two_tries = (MOST_HOLDS - 1) * one
    assert not is_used_up(0, offering)
    assert not is_used_up(1, offering)
    assert not is_used_up(two_tries, offering)
    assert is_used_up(two_tries + 1, offering)


# What a state does not allow


@pytest.mark.parametrize("state", State)
def test_a_booking_tells_what_can_be_done_with_it_instead(state: State) -> None:
    booking = a_booking(state=state)
    refusal = illegal(booking)
    assert (refusal.code, refusal.message) == (Code.ILLEGAL_TRANSITION, OF_BOOKING[state])
    assert (refusal.subject, refusal.details) == (booking.booking_id, {"state": state.value})


@pytest.mark.requirement("waitlist-handling")
@pytest.mark.parametrize("state", EntryState)
def test_a_place_in_the_line_tells_what_can_be_done_with_it_instead(state: EntryState) -> None:
    refusal = illegal_entry(an_entry(state))
    assert (refusal.code, refusal.message) == (Code.ILLEGAL_TRANSITION, OF_ENTRY[state])
    assert (refusal.subject, refusal.details) == (None, {"state": state.value})


@pytest.mark.requirement("waitlist-handling")
def test_an_entry_keeps_the_names_of_the_moment_of_joining() -> None:
    entry = an_entry()
    assert (entry.offering_title, entry.provider_name) == ("Piano lesson", "Ann")
    assert (entry.customer, entry.attendee, entry.seats, entry.place) == (a_customer(), a_child(), 2, 7)


# Disputes and refunds


@pytest.mark.requirement("disputes")
def test_a_card_is_given_back_only_what_cards_can_take() -> None:
    booking = a_booking(price=dinars(4500), payment=CARD)
    with pytest.raises(Rejected) as refused:
        outcome(booking, refund=dinars(1005), release=dinars(3495))
    problem = "must be a multiple of 10: cards take KWD back in steps of that"
    refused_field(refused.value, "refund", problem, f"refund {problem}.")
    assert refused.value.subject == booking.booking_id
    assert outcome(booking, refund=dinars(1010), release=dinars(3490)) is State.RESOLVED_SPLIT


@pytest.mark.requirement("disputes")
def test_a_wallet_is_given_back_any_amount() -> None:
    booking = a_booking(price=dinars(4500), payment=WALLET)
    assert outcome(booking, refund=dinars(1005), release=dinars(3495)) is State.RESOLVED_SPLIT
    nobodys = replace(booking, payment=None)
    assert outcome(nobodys, refund=dinars(1005), release=dinars(3495)) is State.RESOLVED_SPLIT


@pytest.mark.requirement("refund-policy")
def test_a_policy_is_written_as_hours_and_their_percentage() -> None:
    written = _tiers((24, 100), (2, 50))
    assert written == (Tier(hours_before=24, percent=100), Tier(hours_before=2, percent=50))


@pytest.mark.requirement("refund-policy")
def test_less_than_half_a_step_stays_where_it_is() -> None:
    assert share(dinars(495), 1).refund == dinars(0)
    assert share(dinars(500), 1).refund == dinars(10)


@pytest.mark.requirement("refund-policy")
def test_whoever_is_not_to_blame_has_a_hundred_percent_due() -> None:
    """Also where the price is no multiple of what cards can take."""
    booking = a_booking(price=dinars(5124))
    late = START - SECOND
    for by in ("provider", "admin"):
        assert on_cancellation(booking, by, late) == share(booking.price, 100)
    assert due_percent(booking, late) == 0
    assert due_percent(replace(booking, full_refund=True), late) == 100


@pytest.mark.requirement("deadline-enforcement")
def test_an_instant_is_named_by_the_minute_that_runs_unless_the_next_is_asked_for() -> None:
    at = START.replace(hour=12, second=30)
    assert named(at) == "2030-01-10 12:00 UTC"
    assert named(at, up=True) == "2030-01-10 12:01 UTC"
