"""What a schedule offers, whatever the zone does to its clock (requirement schedule)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.booking.model.catalogue import Offering
from services.booking.model.schedule import Hours, Schedule, Windows, instant, offers, starts_between, starts_on
from tests.booking.builders import an_offering

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "UTC"]
SPRING, AUTUMN = date(2030, 3, 31), date(2030, 10, 27)
"""Berlin's clock skips 02:00–03:00 on the first and shows it twice on the second; both are Sundays."""


def a_schedule(*weekly: tuple[int, int, int], **changes: object) -> Schedule:
    """(weekday, hour, hour) each."""
    hours = tuple((weekday, Hours(since * 60, until * 60)) for weekday, since, until in weekly)
    return Schedule(UUID(int=1), weekly=hours, **changes)  # type: ignore[arg-type]


def walls(schedule: Schedule, day: date, zone: ZoneInfo = BERLIN, **offering: int) -> list[str]:
    found = starts_on(Windows(schedule), an_offering(**offering), zone, day)
    return [f"{start.astimezone(zone):%H:%M}" for start in found]


@pytest.mark.requirement("schedule")
def test_slots_step_from_the_start_while_they_fit() -> None:
    monday = date(2030, 1, 7)
    assert walls(a_schedule((1, 9, 12)), monday) == ["09:00", "10:00", "11:00"]
    assert walls(a_schedule((1, 9, 11)), monday, slot_step_minutes=20) == ["09:00", "09:20", "09:40", "10:00"]
    assert walls(a_schedule((1, 22, 24)), monday, duration_minutes=50) == ["22:00", "22:50"]
    assert walls(a_schedule((1, 22, 24)), monday) == ["22:00", "23:00"]
    assert walls(a_schedule((2, 9, 12)), monday) == []


@pytest.mark.requirement("schedule")
def test_a_closed_date_loses_its_weekly_hours_and_keeps_its_dated_ones() -> None:
    monday = date(2030, 1, 7)
    extra = ((monday, Hours(18 * 60, 19 * 60)),)
    assert walls(a_schedule((1, 9, 10), dated=extra), monday) == ["09:00", "18:00"]
    assert walls(a_schedule((1, 9, 10), dated=extra, closed=frozenset({monday})), monday) == ["18:00"]
    assert walls(a_schedule((1, 9, 10), closed=frozenset({monday})), monday + timedelta(days=7)) == ["09:00"]


@pytest.mark.requirement("schedule")
def test_rules_that_meet_are_one_window_and_each_has_its_own_starts() -> None:
    monday = date(2030, 1, 7)
    touching, overlapping = a_schedule((1, 9, 11), (1, 11, 13)), a_schedule((1, 9, 11), (1, 10, 12))
    assert walls(touching, monday, duration_minutes=90) == ["09:00", "10:30", "11:00"]
    assert walls(overlapping, monday, duration_minutes=90) == ["09:00", "10:00", "10:30"]
    assert walls(a_schedule((1, 9, 11), (1, 12, 14)), monday, duration_minutes=90) == ["09:00", "12:00"]
    assert walls(a_schedule((1, 9, 17), (1, 10, 12)), monday, duration_minutes=240) == ["09:00", "10:00", "13:00"]
    usual = walls(a_schedule((1, 9, 11)), monday)
    assert usual == ["09:00", "10:00"]
    earlier = Schedule(UUID(int=1), ((1, Hours(510, 570)), (1, Hours(540, 660))))
    assert walls(earlier, monday) == ["08:30", "09:00", "10:00"], "half an hour more takes nothing away"


SATURDAY, SUNDAY, MONDAY = date(2030, 1, 5), date(2030, 1, 6), date(2030, 1, 7)
LATE, EARLY = Hours(22 * 60 + 30, 24 * 60), Hours(0, 2 * 60)


@pytest.mark.requirement("schedule")
@pytest.mark.parametrize(
    ("rules", "evening"),
    [
        ({"weekly": ((7, LATE), (1, EARLY))}, ["22:30", "23:30"]),
        ({"weekly": ((7, LATE), (1, EARLY)), "closed": frozenset({MONDAY})}, ["22:30"]),
        (
            {"weekly": ((7, LATE), (1, EARLY)), "closed": frozenset({MONDAY}), "dated": ((MONDAY, EARLY),)},
            ["22:30", "23:30"],
        ),
        ({"weekly": ((1, EARLY),), "dated": ((SUNDAY, LATE),)}, ["22:30", "23:30"]),
        ({"weekly": ((7, LATE), (1, Hours(1, 120)))}, ["22:30"]),
        ({"weekly": ((7, LATE), (2, EARLY))}, ["22:30"]),
    ],
)
def test_windows_touch_across_midnight(rules: dict[str, Any], evening: list[str]) -> None:
    """22:30–24:00 and 00:00–02:00, over the end of the week too, into and out of dates with hours of their own."""
    assert walls(Schedule(UUID(int=1), **rules), SUNDAY) == evening


@pytest.mark.requirement("schedule")
def test_the_morning_keeps_its_own_starts_and_days_on_end_are_one_window() -> None:
    night = Schedule(UUID(int=1), ((7, LATE), (1, EARLY)))
    assert walls(night, MONDAY) == ["00:00", "01:00"]
    assert walls(night, SUNDAY, duration_minutes=120) == ["22:30"]
    always = a_schedule(*((weekday, 0, 24) for weekday in range(1, 8)))
    assert walls(always, SATURDAY, duration_minutes=7 * 24 * 60) == ["00:00"]
    weekend = a_schedule((6, 0, 24), (7, 0, 24))
    assert walls(weekend, SATURDAY, duration_minutes=48 * 60) == ["00:00"]
    assert walls(weekend, SATURDAY, duration_minutes=48 * 60 + 1) == []


@pytest.mark.requirement("schedule")
def test_midnight_is_crossed_where_the_clock_skips_it() -> None:
    """In Cairo 00:00 of the last Friday of April is 01:00."""
    cairo, thursday = ZoneInfo("Africa/Cairo"), date(2024, 4, 25)
    night = Schedule(UUID(int=1), ((4, LATE), (5, EARLY)))
    assert walls(night, thursday, cairo) == ["22:30", "23:30"]
    assert walls(night, thursday + timedelta(days=1), cairo) == ["01:00"]


@pytest.mark.requirement("schedule")
def test_what_the_clock_skips_is_not_offered() -> None:
    assert walls(a_schedule((7, 1, 5)), SPRING) == ["01:00", "03:00", "04:00"]


@pytest.mark.requirement("schedule")
def test_what_the_clock_shows_twice_is_offered_the_first_time() -> None:
    schedule = a_schedule((7, 1, 5))
    found = list(starts_on(Windows(schedule), an_offering(), BERLIN, AUTUMN))
    assert found == [
        datetime(2030, 10, 26, 23, tzinfo=UTC),
        *(datetime(2030, 10, 27, h, tzinfo=UTC) for h in (0, 2, 3)),
    ]
    assert not offers(schedule, an_offering(), BERLIN, datetime(2030, 10, 27, 1, tzinfo=UTC))


@pytest.mark.requirement("schedule")
@pytest.mark.parametrize("name", ["Pacific/Honolulu", "Pacific/Auckland"])
def test_the_days_that_are_looked_at_are_the_providers(name: str) -> None:
    """Far from Greenwich the first and the last instant lie on other dates than they do there."""
    zone = ZoneInfo(name)
    always = a_schedule(*((weekday, 0, 24) for weekday in range(1, 8)))
    for hour in range(24):
        start = datetime(2030, 1, 8, hour, tzinfo=UTC)
        hours = [start + timedelta(hours=step) for step in range(3)]
        assert list(starts_between(always, an_offering(), zone, start, start + timedelta(hours=3))) == hours


@pytest.mark.requirement("schedule")
def test_an_instant_is_told_in_utc() -> None:
    found = instant(date(2030, 1, 7), 9 * 60, BERLIN)
    assert found == datetime(2030, 1, 7, 8, tzinfo=UTC)
    assert found.tzinfo is UTC, "also on a machine whose own zone has another name for it"


days = st.dates(date(2024, 1, 1), date(2034, 12, 31))
rules = st.builds(
    lambda weekday, since, length: (weekday, Hours(since, min(since + length, 1440))),
    st.integers(1, 7),
    st.integers(0, 1439),
    st.integers(1, 1440),
)
schedules = st.builds(
    lambda weekly, dated, closed: Schedule(UUID(int=1), tuple(weekly), tuple(dated), frozenset(closed)),
    st.lists(rules, max_size=6),
    st.lists(st.tuples(days, rules.map(lambda rule: rule[1])), max_size=3),
    st.lists(days, max_size=3),
)


def offered(schedule: Schedule, offering: Offering, zone: ZoneInfo, day: date) -> list[datetime]:
    """The starts of three days."""
    start = datetime.combine(day, datetime.min.time(), tzinfo=UTC)
    return list(starts_between(schedule, offering, zone, start, start + timedelta(days=3)))


def open_minutes(schedule: Schedule, day: date) -> set[datetime]:
    """The minutes of a day's wall clock that a rule covers."""
    dated = [hours for date_, hours in schedule.dated if date_ == day]
    weekly = [hours for weekday, hours in schedule.weekly if weekday == day.isoweekday() and day not in schedule.closed]
    midnight = datetime.combine(day, time())
    covered = {minute for hours in [*dated, *weekly] for minute in range(hours.since, hours.until)}
    return {midnight + timedelta(minutes=minute) for minute in covered}


@pytest.mark.requirement("schedule")
@given(schedules, st.sampled_from(ZONES), days, st.integers(5, 600), st.integers(5, 300))
def test_every_session_lies_in_hours_that_meet(
    schedule: Schedule, name: str, day: date, duration: int, step: int
) -> None:
    zone = ZoneInfo(name)
    offering = an_offering(duration_minutes=duration, slot_step_minutes=step)
    found = offered(schedule, offering, zone, day)
    open_then = set().union(*(open_minutes(schedule, day + timedelta(days=shift)) for shift in range(-1, 6)))
    assert found == sorted(set(found))
    for starts_at in found:
        wall = starts_at.astimezone(zone)
        assert wall.fold == 0
        begin = wall.replace(tzinfo=None)
        assert {begin + timedelta(minutes=minute) for minute in range(duration)} <= open_then
        assert offers(schedule, offering, zone, starts_at)
        assert not offers(schedule, offering, zone, starts_at + timedelta(seconds=30))


@pytest.mark.requirement("schedule")
@given(
    schedules,
    st.lists(rules, max_size=4),
    st.lists(st.tuples(st.integers(-1, 4), rules.map(lambda rule: rule[1])), max_size=4),
    st.sampled_from(ZONES),
    st.one_of(days, st.sampled_from([SPRING, AUTUMN])),
    st.integers(5, 600),
    st.integers(5, 300),
)
def test_hours_that_are_added_take_no_start_away(
    schedule: Schedule,
    weekly: list[tuple[int, Hours]],
    dated: list[tuple[int, Hours]],
    name: str,
    day: date,
    duration: int,
    step: int,
) -> None:
    offering = an_offering(duration_minutes=duration, slot_step_minutes=step)
    extra = tuple((day + timedelta(days=shift), hours) for shift, hours in dated)
    more = replace(schedule, weekly=(*schedule.weekly, *weekly), dated=(*schedule.dated, *extra))
    zone = ZoneInfo(name)
    assert set(offered(schedule, offering, zone, day)) <= set(offered(more, offering, zone, day))


@pytest.mark.requirement("schedule")
@given(st.sampled_from(ZONES), days, st.integers(0, 1439))
def test_a_wall_time_is_offered_unless_skipped_and_always_means_its_first_occurrence(
    name: str, day: date, minute: int
) -> None:
    """Against a search through the instants of the day, one minute at a time."""
    zone = ZoneInfo(name)
    wall = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute)
    around = wall.replace(tzinfo=UTC) - timedelta(hours=15)
    shown = (around + timedelta(minutes=quarter * 15) for quarter in range(120))
    first = next((at for at in shown if at.astimezone(zone).replace(tzinfo=None) == wall), None)
    assert instant(day, minute, zone) == first
