"""Until when what may be done, and when time takes the next step."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.booking.model import deadlines
from services.booking.model.states import PENDING, State
from tests.booking.builders import NOW, START, World, an_offering

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


@pytest.mark.requirement("deadline-enforcement")
def test_time_takes_a_step_from_these_states_alone() -> None:
    """Also where a booking that has ended still has the deadline of its hold."""
    booking = replace(World().place(), deadline=NOW)
    due = {state: deadlines.due_at(replace(booking, state=state)) for state in State}
    expected = {
        **dict.fromkeys((*PENDING, State.PENDING_CONFIRMATION), NOW),
        State.CONFIRMED: booking.ends_at + 2 * HOUR,
    }
    assert due == {**dict.fromkeys(State), **expected}


@pytest.mark.requirement("deadline-enforcement")
def test_a_hold_is_over_at_its_deadline_and_not_before() -> None:
    booking = replace(World().place(), deadline=NOW)
    assert [deadlines.overdue(booking, NOW - ahead) for ahead in (SECOND, 0 * SECOND)] == [False, True]
    assert not deadlines.overdue(replace(booking, state=State.EXPIRED), NOW)


@pytest.mark.requirement("deadline-enforcement")
def test_no_hold_approval_or_payment_outlasts_the_start() -> None:
    at_once, asked = an_offering(hold_minutes=15), an_offering(approval=True, approval_hours=24)
    booking = World().place()
    for ahead, ends in ((72 * HOUR, (15 * 60 * SECOND, 24 * HOUR, 24 * HOUR)), (60 * SECOND, (60 * SECOND,) * 3)):
        now = START - ahead
        found = (
            deadlines.of_new_booking(at_once, START, now),
            deadlines.of_new_booking(asked, START, now),
            deadlines.of_payment(booking, now),
        )
        assert found == tuple(now + end for end in ends)


@pytest.mark.requirement("deadline-enforcement")
def test_who_can_cancel_and_move_until_when() -> None:
    booking = World().confirmed()
    hour_before, completed = START - HOUR, booking.ends_at + 2 * HOUR
    for kind, cancel, move in (
        ("customer", hour_before, hour_before),
        ("provider", completed, START),
        ("admin", completed, START),
    ):
        assert (deadlines.last_cancellation(booking, kind), deadlines.last_move(booking, kind)) == (cancel, move)
