"""RescheduleBooking and QuoteCancellation."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from booking_contracts import payments
from booking_contracts.booking import BookingConfirmed, BookingRescheduled, CancelBooking, RescheduleBooking
from booking_contracts.codes import Code
from booking_contracts.types import Actor

from services.booking.local_messages import DeadlineReached
from services.booking.model.booking import Booking
from services.booking.model.slots import Slot
from services.booking.model.states import State
from services.booking.work import HistoryItem
from services.chassis.unit_of_work import Record
from tests.booking.builders import ADMIN, NOW, START, TEACHER, World, a_child, a_slot, acting, place

LATER = START + timedelta(days=1)


def a_world(**offering: Any) -> World:
    world = World(**offering)
    world.work.load(a_slot(world.offering, LATER))
    return world


def move(booking: Booking, **changes: Any) -> RescheduleBooking:
    return RescheduleBooking(**{"booking_id": booking.booking_id, "starts_at": LATER, "actor": acting(), **changes})


def cancel(booking: Booking, actor: Actor | None = None, **changes: Any) -> CancelBooking:
    return CancelBooking(booking_id=booking.booking_id, actor=actor or acting(), **changes)


@pytest.mark.requirement("rescheduling-logic")
def test_old_seats_are_free_and_new_ones_taken_at_the_same_price() -> None:
    world = a_world(capacity=2)
    booking = world.confirmed(seats=2)
    accepted = world.tell(move(booking))
    moved = world.booking(booking.booking_id)
    assert (moved.state, moved.starts_at, moved.ends_at) == (State.CONFIRMED, LATER, LATER + timedelta(hours=1))
    assert (world.taken(), world.taken(a_slot(world.offering, LATER))) == (0, 2)
    assert moved.price == booking.price
    (event,) = world.sent(BookingRescheduled)
    assert (event.from_.starts_at, event.to.starts_at, event.by) == (START, LATER, acting())
    assert accepted is not None
    assert accepted.result == {"starts_at": "2030-01-11T12:00:00Z", "ends_at": "2030-01-11T13:00:00Z"}
    last = [e.row for e in world.work.journal if isinstance(e, Record) and isinstance(e.row, HistoryItem)][-1]
    assert (last.from_state, last.to_state) == (State.CONFIRMED, State.CONFIRMED)


@pytest.mark.requirement("notify-people")
def test_when_people_are_reminded_is_told_as_the_offering_said_at_booking() -> None:
    world = a_world(capacity=2, reminder_minutes=(2880, 30))
    booking = world.confirmed()
    world.work.put(replace(world.offering, reminder_minutes=()))
    world.tell(move(booking))

    (confirmed,), (moved,) = world.sent(BookingConfirmed), world.sent(BookingRescheduled)
    assert confirmed.reminder_minutes == moved.reminder_minutes == (2880, 30)


@pytest.mark.requirement("modification-validation")
def test_a_move_passes_the_checks_of_a_creation() -> None:
    world = a_world(minimum_notice_minutes=60, horizon_days=5)
    booking = world.confirmed()
    far, near = NOW + timedelta(days=6), NOW + timedelta(minutes=30)
    for starts_at in (far, near, NOW):
        world.work.load(a_slot(world.offering, starts_at))
    codes = {
        START + timedelta(hours=5): Code.SLOT_NOT_OFFERED,
        far: Code.BEYOND_HORIZON,
        near: Code.NOTICE_TOO_SHORT,
        NOW: Code.SLOT_IN_PAST,
        START: Code.INVALID_COMMAND,
    }
    for starts_at, code in codes.items():
        written = len(world.work.journal)
        assert world.refused(move(booking, starts_at=starts_at)).code is code
        assert len(world.work.journal) == written
    world.place("eve", starts_at=LATER)
    assert world.refused(move(booking)).code is Code.SLOT_FULL
    busy = a_slot(world.offering, LATER + timedelta(minutes=30))
    world.work.load(busy)
    assert world.refused(move(booking, starts_at=busy.starts_at)).code is Code.PROVIDER_BUSY


@pytest.mark.requirement("rescheduling-logic", "provider-overlap")
def test_the_own_old_slot_is_in_nobodys_way_unless_others_are_there() -> None:
    half_past = START + timedelta(minutes=30)
    world = World(capacity=2)
    world.work.load(a_slot(world.offering, half_past))
    booking = world.confirmed()
    other = world.confirmed("eve")
    assert world.refused(move(booking, starts_at=half_past)).code is Code.PROVIDER_BUSY
    world.tell(cancel(other, acting("eve")))
    world.tell(move(booking, starts_at=half_past))
    assert world.taken() == 0


@pytest.mark.requirement("deadline-enforcement", "modification-validation")
@pytest.mark.parametrize(
    ("actor", "minutes_before", "code"),
    [
        (acting(), 60, Code.DEADLINE_PASSED),
        (acting(), 61, None),
        (TEACHER, 1, None),
        (TEACHER, 0, Code.DEADLINE_PASSED),
        (ADMIN, 1, None),
    ],
)
def test_the_cut_off_for_moving(actor: Actor, minutes_before: int, code: Code | None) -> None:
    world = a_world()
    booking = world.confirmed()
    world.at(START - timedelta(minutes=minutes_before))
    if code is None:
        world.tell(move(booking, actor=actor))
    else:
        assert world.refused(move(booking, actor=actor)).code is code


@pytest.mark.requirement("modification-validation")
def test_only_a_confirmed_booking_moves() -> None:
    world = a_world()
    booking = world.place()
    assert world.refused(move(booking)).details == {"state": "PENDING_PAYMENT"}
    world.tell(cancel(booking))
    assert world.refused(move(booking)).code is Code.ILLEGAL_TRANSITION
    assert world.refused(move(booking, booking_id=uuid4())).code is Code.BOOKING_NOT_FOUND


@pytest.mark.requirement("actors")
def test_an_attendee_does_not_move_a_booking() -> None:
    world = a_world()
    booking = world.confirmed(attendee=a_child())
    assert world.refused(move(booking, actor=acting("child"))).code is Code.NOT_ALLOWED


@pytest.mark.requirement("refund-policy", "rescheduling-logic")
def test_nobody_moves_away_to_cancel_for_free() -> None:
    world = a_world()
    booking = world.confirmed()
    world.at(START - timedelta(hours=20)).tell(move(booking))
    assert world.booking(booking.booking_id).refund_cap_percent == 50
    world.tell(cancel(booking))
    assert world.sent(payments.SettlePayment)[0].refund.amount == 2250


@pytest.mark.requirement("refund-policy", "rescheduling-logic")
def test_whom_the_provider_moves_gets_everything_back() -> None:
    world = a_world()
    booking = world.confirmed()
    world.at(START - timedelta(hours=3)).tell(move(booking))
    world.tell(move(booking, starts_at=START, actor=TEACHER))
    world.at(START - timedelta(minutes=61)).tell(cancel(booking))
    assert world.sent(payments.SettlePayment)[0].refund.amount == 4500


def test_a_slots_row_made_by_a_move_counts_its_seats() -> None:
    world = a_world()
    booking = world.confirmed()
    world.tell(move(booking))
    row = world.work.find(Slot, world.booking(booking.booking_id).slot_id)
    assert row is not None
    assert row.taken == 1
    world.place("eve", starts_at=START)
    assert world.refused(place("dan", starts_at=LATER)).code is Code.SLOT_FULL


@pytest.mark.requirement("ghost-provider", "rescheduling-logic")
def test_a_moved_session_completes_itself_after_its_new_end() -> None:
    world = a_world()
    booking = world.confirmed()
    world.tell(move(booking))
    assert world.reminders(DeadlineReached)[-1].due_at == LATER + timedelta(hours=3)
    world.at(START + timedelta(hours=3)).tell(DeadlineReached(booking_id=booking.booking_id))
    assert world.booking(booking.booking_id).state is State.CONFIRMED
