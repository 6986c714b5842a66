"""What a schedule offers, whatever the zone does to its clock (requirement schedule)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.booking.model.schedule import Hours, Schedule, instant, offers, starts_between, starts_on
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
    found = starts_on(schedule, an_offering(**offering), zone, day)
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
def test_overlapping_rules_are_merged_and_touching_ones_step_on_their_own() -> None:
    monday = date(2030, 1, 7)
    assert walls(a_schedule((1, 9, 11), (1, 10, 12)), monday, duration_minutes=90) == ["09:00", "10:30"]
    assert walls(a_schedule((1, 9, 11), (1, 11, 13)), monday, duration_minutes=90) == ["09:00", "11:00"]
    assert walls(a_schedule((1, 9, 17), (1, 10, 12)), monday, duration_minutes=240) == ["09:00", "13:00"]


@pytest.mark.requirement("schedule")
def test_what_the_clock_skips_is_not_offered() -> None:
    assert walls(a_schedule((7, 1, 5)), SPRING) == ["01:00", "03:00", "04:00"]


@pytest.mark.requirement("schedule")
def test_what_the_clock_shows_twice_is_offered_the_first_time() -> None:
    schedule = a_schedule((7, 1, 5))
    found = list(starts_on(schedule, an_offering(), BERLIN, AUTUMN))
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


@pytest.mark.requirement("schedule")
@settings(deadline=None)
@given(schedules, st.sampled_from(ZONES), days, st.integers(5, 600), st.integers(5, 300))
def test_every_start_lies_in_hours_of_its_date(
    schedule: Schedule, name: str, day: date, duration: int, step: int
) -> None:
    zone = ZoneInfo(name)
    offering = an_offering(duration_minutes=duration, slot_step_minutes=step)
    start = datetime.combine(day, datetime.min.time(), tzinfo=UTC)
    found = list(starts_between(schedule, offering, zone, start, start + timedelta(days=3)))
    assert found == sorted(set(found))
    for starts_at in found:
        wall = starts_at.astimezone(zone)
        assert wall.fold == 0
        minute = wall.hour * 60 + wall.minute
        assert any(h.since <= minute and minute + duration <= h.until for h in schedule.hours_on(wall.date()))
        assert offers(schedule, offering, zone, starts_at)
        assert not offers(schedule, offering, zone, starts_at + timedelta(seconds=30))


@pytest.mark.requirement("schedule")
@settings(deadline=None)
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
