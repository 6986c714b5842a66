"""SetSchedule, booking by schedule, CloseSlot and OpenSlot."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from booking_contracts import payments
from booking_contracts.booking import (
    BookingCancelled,
    BookingExpired,
    CloseSlot,
    DatedException,
    OpenSlot,
    ScheduleSet,
    SetSchedule,
    SlotClosed,
    WeeklyHours,
)
from booking_contracts.codes import Code

from services.booking.model.schedule import Hours, Schedule
from services.booking.model.slots import Slot, slot_id
from services.booking.model.states import State
from tests.booking.builders import ADMIN, NOW, OFFERING, PROVIDER, START, TEACHER, World, a_slot, acting, place

NINE = datetime(2030, 1, 14, 8, tzinfo=UTC)
"""A Monday, 09:00 in Berlin."""


def set_schedule(**changes: object) -> SetSchedule:
    weekly = (WeeklyHours(weekday=1, from_="09:00", to="12:00"),)
    return SetSchedule(**{"provider_id": PROVIDER, "weekly": weekly, "actor": TEACHER, **changes})  # type: ignore[arg-type]


def close(**changes: object) -> CloseSlot:
    fields = {"offering_id": OFFERING, "starts_at": START, "actor": TEACHER}
    return CloseSlot(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.requirement("schedule")
def test_a_schedule_replaces_the_one_before() -> None:
    world = World()
    closed = DatedException(date=date(2030, 1, 21), closed=True)
    extra = DatedException(date=date(2030, 1, 22), from_="20:00", to="24:00")
    world.tell(set_schedule(exceptions=(closed, extra)))
    schedule = world.work.find(Schedule, PROVIDER)
    assert schedule is not None
    assert schedule.weekly == ((1, Hours(540, 720)),)
    assert schedule.dated == ((date(2030, 1, 22), Hours(1200, 1440)),)
    assert schedule.closed == {date(2030, 1, 21)}
    world.tell(set_schedule(weekly=()))
    assert world.work.find(Schedule, PROVIDER) == Schedule(PROVIDER)
    assert len(world.sent(ScheduleSet)) == 2


@pytest.mark.requirement("actors")
def test_a_schedule_is_its_providers_own() -> None:
    assert World().refused(set_schedule(actor=acting())).code is Code.NOT_ALLOWED
    World().tell(set_schedule(actor=ADMIN))


@pytest.mark.requirement("schedule", "conflict-check")
def test_a_slot_of_the_schedule_comes_to_life_when_it_is_booked() -> None:
    world = World()
    assert world.refused(place(starts_at=NINE)).code is Code.SLOT_NOT_OFFERED
    world.tell(set_schedule())
    booking = world.place(starts_at=NINE)
    assert (booking.starts_at, booking.ends_at) == (NINE, NINE + timedelta(hours=1))
    assert world.taken(a_slot(world.offering, NINE)) == 1
    for wrong in (NINE + timedelta(minutes=30), NINE - timedelta(hours=1), NINE + timedelta(hours=3)):
        assert world.refused(place("eve", starts_at=wrong)).code is Code.SLOT_NOT_OFFERED


@pytest.mark.requirement("schedule")
def test_a_slot_that_was_booked_once_is_not_offered_when_the_schedule_drops_it() -> None:
    world = World(capacity=2)
    world.tell(set_schedule())
    world.place(starts_at=NINE)
    world.tell(set_schedule(weekly=()))
    assert world.refused(place("eve", starts_at=NINE)).code is Code.SLOT_NOT_OFFERED


@pytest.mark.requirement("schedule")
def test_the_horizon_includes_its_limit() -> None:
    for late, code in ((timedelta(0), None), (timedelta(seconds=1), Code.BEYOND_HORIZON)):
        world = World(horizon_days=3)
        assert timedelta(days=3) == START - NOW
        world.at(NOW - late)
        if code is None:
            world.place()
        else:
            assert world.refused(place()).code is code


@pytest.mark.requirement("time-slot-lock", "provider-overlap")
def test_a_hold_that_is_over_on_an_overlapping_slot_makes_nobody_busy() -> None:
    world = World()
    world.tell(set_schedule(weekly=(WeeklyHours(weekday=1, from_="09:30", to="12:00"),)))
    world.work.load(a_slot(world.offering, NINE))
    held = world.place("ann", starts_at=NINE)
    assert world.refused(place("bob", starts_at=NINE + timedelta(minutes=30))).code is Code.PROVIDER_BUSY
    assert held.deadline is not None
    world.at(held.deadline).place("bob", starts_at=NINE + timedelta(minutes=30))
    assert world.booking(held.booking_id).state is State.EXPIRED


@pytest.mark.requirement("cancellation-state-machine", "schedule", "refund-policy")
def test_closing_a_slot_cancels_everybody_with_everything_back() -> None:
    world = World(capacity=3)
    paid, unpaid = world.confirmed("ann"), world.place("bob")
    over = world.place("cyd")
    world.work.put(type(over)(**{n: getattr(over, n) for n in over.__slots__} | {"deadline": NOW}))
    world.at(START - timedelta(minutes=30))
    world.work.put(type(unpaid)(**{n: getattr(unpaid, n) for n in unpaid.__slots__} | {"deadline": START}))
    accepted = world.tell(close())
    assert accepted is not None
    assert accepted.result == {"cancelled": 2}
    for booking in (paid, unpaid):
        assert world.booking(booking.booking_id).state is State.CANCELLED_BY_PROVIDER
    assert world.booking(over.booking_id).state is State.EXPIRED
    events = {event.booking_id: event for event in world.sent(BookingCancelled)}
    assert {i: (e.refund.amount, e.kept.amount) for i, e in events.items()} == {
        paid.booking_id: (4500, 0),
        unpaid.booking_id: (0, 0),
    }
    assert {event.cause for event in events.values()} == {"slot_closed"}
    (settle,) = world.sent(payments.SettlePayment)
    assert (settle.refund.amount, settle.release.amount) == (4500, 0)
    assert world.taken() == 0
    assert len(world.sent(SlotClosed)) == len(world.sent(BookingExpired)) == 1


@pytest.mark.requirement("schedule")
def test_a_closed_slot_is_not_offered_until_it_is_opened_again() -> None:
    world = World()
    world.tell(close())
    assert world.refused(place()).code is Code.SLOT_NOT_OFFERED
    world.tell(OpenSlot(offering_id=OFFERING, starts_at=START, actor=TEACHER))
    world.place()


@pytest.mark.requirement("schedule")
def test_a_slot_of_the_schedule_is_closed_before_anybody_booked_it() -> None:
    world = World()
    world.tell(set_schedule())
    world.tell(close(starts_at=NINE))
    row = world.work.find(Slot, slot_id(OFFERING, NINE))
    assert row is not None
    assert row.closed
    assert world.refused(place(starts_at=NINE)).code is Code.SLOT_NOT_OFFERED
    assert world.refused(close(starts_at=NINE + timedelta(minutes=5))).code is Code.SLOT_NOT_OFFERED


@pytest.mark.requirement("actors", "schedule")
def test_who_may_close_what() -> None:
    world = World()
    booking = world.confirmed()
    assert world.refused(close(actor=acting())).code is Code.NOT_ALLOWED
    assert world.at(START).refused(close()).code is Code.SLOT_IN_PAST
    world.at(START - timedelta(seconds=1)).tell(close(actor=ADMIN))
    assert world.booking(booking.booking_id).state is State.CANCELLED_BY_PROVIDER
    assert world.sent(BookingCancelled)[0].by == ADMIN


def test_opening_below_what_is_taken_counts_live_holds_only() -> None:
    world = World(capacity=2)
    held = world.place(seats=2)
    assert held.deadline is not None
    world.at(held.deadline).tell(OpenSlot(offering_id=OFFERING, starts_at=START, capacity=1, actor=TEACHER))
    assert world.taken() == 0
