"""What availability shows at its limits: the first and the last instant, touching slots, notice and horizon."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from booking_contracts.codes import Rejected
from hypothesis import given
from hypothesis import strategies as st

from services.booking.model.availability import Calendar
from services.booking.model.notice_and_horizon import check_window
from services.booking.model.schedule import Hours, Schedule
from tests.booking.builders import NOW, OFFERING, PROVIDER, START, a_slot, an_offering
from tests.booking.test_availability import DAY, UTC_ZONE, reason

HOUR = timedelta(hours=1)


@pytest.mark.requirement("availability-query", "schedule")
def test_a_slot_that_nobody_wanted_yet_is_shown_as_the_offering_makes_it() -> None:
    nine = Schedule(PROVIDER, weekly=((START.isoweekday(), Hours(9 * 60, 10 * 60)),))
    calendar = Calendar(ZoneInfo("Europe/Berlin"), nine, (), {})
    (found,) = calendar.view([an_offering(capacity=3)], NOW, NOW + 7 * DAY, NOW)
    start = START.replace(hour=8)
    assert (found["offering_id"], found["starts_at"], found["ends_at"]) == (OFFERING, start, start + HOUR)
    assert (found["seats_left"], found["reason"]) == (3, None)


@pytest.mark.requirement("availability-query")
def test_what_is_asked_for_includes_its_beginning_and_not_its_end() -> None:
    daily = Schedule(PROVIDER, weekly=tuple((day, Hours(12 * 60, 13 * 60)) for day in range(1, 8)))
    singles = [a_slot(an_offering(), START + days * DAY) for days in range(-1, 3)]
    for calendar in (Calendar(UTC_ZONE, daily, (), {}), Calendar(UTC_ZONE, None, singles, {})):
        found = calendar.view([an_offering()], START, START + 2 * DAY, NOW)
        assert [shown["starts_at"] for shown in found] == [START, START + DAY]


@pytest.mark.requirement("availability-query", "provider-overlap")
def test_slots_that_touch_do_not_make_each_other_busy() -> None:
    before, after = (a_slot(an_offering(), START + step, taken=1) for step in (-HOUR, HOUR))
    assert reason(a_slot(an_offering()), before, after) == (None, 1)
    inside = a_slot(an_offering(), START + HOUR - timedelta(seconds=1), taken=1)
    assert reason(a_slot(an_offering()), before, inside) == ("provider_busy", 1)


@pytest.mark.requirement("availability-query", "conflict-check")
@given(st.sampled_from([0, 90, 600]), st.sampled_from([1, 3]), st.sampled_from(["notice", "horizon"]), st.data())
def test_too_soon_and_too_far_is_what_a_booking_would_be_told(
    notice: int, horizon: int, limit: str, data: st.DataObject
) -> None:
    """Both limits belong to what can be booked; one microsecond past them does not."""
    offering = an_offering(minimum_notice_minutes=notice, horizon_days=horizon)
    at = timedelta(minutes=notice) if limit == "notice" else horizon * DAY
    ahead = at + data.draw(st.sampled_from([-1, 0, 1])) * timedelta(microseconds=1)
    code: str | None = None
    try:
        check_window(offering, NOW + ahead, NOW)
    except Rejected as rejected:
        code = rejected.code
    expected = None if timedelta(minutes=notice) <= ahead <= horizon * DAY else limit
    assert {"NOTICE_TOO_SHORT": "notice", "BEYOND_HORIZON": "horizon", None: None}[code] == expected
    if ahead > timedelta(0):
        slot = a_slot(offering, NOW + ahead)
        shown = reason(slot, minimum_notice_minutes=notice, horizon_days=horizon)[0]
        assert {"too_soon": "notice", "too_far": "horizon", None: None}[shown] == expected
