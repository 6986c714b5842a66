"""When a provider works: weekly rules, dated exceptions, on the wall clock of the provider's zone.

Requirement schedule. Hours that overlap or touch are one window, also across midnight; a session may run across the
border of the rules that make it up. Every rule has the starts of its own grid, so that hours which are added never take
a usual start away. The one rule for changes of the clock stands in `instant`: a wall time that the clock skips (gap) is
not offered, one that it shows twice (fold) means the first time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from services.booking.model.catalogue import Offering

DAY = timedelta(days=1)
MINUTES = 24 * 60
"""Of a day on the wall clock."""


@dataclass(frozen=True, slots=True, order=True)
class Hours:
    """Working hours of one day, in minutes after midnight on the wall clock; `until` is at most 1440 (24:00)."""

    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """A provider's whole schedule. `weekly` by ISO weekday (1 Monday … 7 Sunday); `dated` adds, `closed` removes."""

    provider_id: UUID
    weekly: tuple[tuple[int, Hours], ...] = ()
    dated: tuple[tuple[date, Hours], ...] = ()
    closed: frozenset[date] = frozenset()

    @property
    def row_key(self) -> UUID:
        return self.provider_id


class Windows:
    """A schedule's hours, day by day; each day is worked out once."""

    def __init__(self, schedule: Schedule) -> None:
        self._weekly: defaultdict[int, list[Hours]] = defaultdict(list)
        self._dated: defaultdict[date, list[Hours]] = defaultdict(list)
        self._closed, self._merged = schedule.closed, dict[date, list[Hours]]()
        for weekday, hours in schedule.weekly:
            self._weekly[weekday].append(hours)
        for day, hours in schedule.dated:
            self._dated[day].append(hours)

    def rules_on(self, day: date) -> list[Hours]:
        """A date's rules: `closed` removes the weekly ones only, dated ones still count."""
        weekly = [] if day in self._closed else self._weekly.get(day.isoweekday(), [])
        return [*weekly, *self._dated.get(day, ())]

    def open_until(self, day: date, minute: int, enough: int) -> int:
        """Until when it is open from a minute of a rule of `day` on, in minutes after that day's midnight.

        Windows go on across midnight; `enough` is where the search may end.
        """
        until = next(hours.until for hours in self._hours_on(day) if hours.since <= minute < hours.until)
        midnight = MINUTES
        while until == midnight and until < enough:
            day += DAY
            until += next((hours.until for hours in self._hours_on(day) if hours.since == 0), 0)
            midnight += MINUTES
        return until

    def _hours_on(self, day: date) -> list[Hours]:
        if day not in self._merged:
            self._merged[day] = merged(self.rules_on(day))
        return self._merged[day]


def merged(found: Iterable[Hours]) -> list[Hours]:
    """Hours of one day that overlap or touch become one."""
    result: list[Hours] = []
    for hours in sorted(found):
        if result and hours.since <= result[-1].until:
            result[-1] = Hours(result[-1].since, max(result[-1].until, hours.until))
        else:
            result.append(hours)
    return result


def instant(day: date, minute: int, zone: ZoneInfo) -> datetime | None:
    """A wall time in UTC: None where the clock skips it (gap), the first occurrence where it shows it twice (fold)."""
    wall = datetime.combine(day, time(minute // 60, minute % 60))
    found = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return found if found.astimezone(zone).replace(tzinfo=None) == wall else None


def starts_on(windows: Windows, offering: Offering, zone: ZoneInfo, day: date) -> Iterator[datetime]:
    """A date's starts in UTC, in order: in every rule from its `since` every step, while the window that the rule is
    part of lasts for the duration; all on the wall clock."""
    step, duration = offering.slot_step_minutes or offering.duration_minutes, offering.duration_minutes
    minutes: set[int] = set()
    for hours in windows.rules_on(day):
        last = windows.open_until(day, hours.since, hours.until + duration) - duration
        minutes.update(range(hours.since, min(hours.until, last + 1), step))
    for minute in sorted(minutes):
        found = instant(day, minute, zone)
        if found is not None:
            yield found


def starts_between(
    schedule: Schedule, offering: Offering, zone: ZoneInfo, start: datetime, end: datetime
) -> Iterator[datetime]:
    """Every start that the schedule offers with start ≤ it < end, in order."""
    windows = Windows(schedule)
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        for found in starts_on(windows, offering, zone, day):
            if found >= end:
                return
            if found >= start:
                yield found
        day += DAY


def offers(schedule: Schedule, offering: Offering, zone: ZoneInfo, starts_at: datetime) -> bool:
    """Whether the schedule offers a slot at this instant."""
    return starts_at in starts_on(Windows(schedule), offering, zone, starts_at.astimezone(zone).date())
