"""When a provider works: weekly rules, dated exceptions, on the wall clock of the provider's zone.

Requirement schedule (rules.md, Slots). The one rule for changes of the clock stands in `instant`: a wall time that the
clock skips (gap) is not offered, one that it shows twice (fold) means the first time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from services.booking.model.catalogue import Offering

DAY = timedelta(days=1)


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

    def hours_on(self, day: date) -> list[Hours]:
        """A date's hours: `closed` removes the weekly ones only, dated ones still count; overlapping are merged."""
        weekly = [] if day in self.closed else [hours for weekday, hours in self.weekly if weekday == day.isoweekday()]
        return merged([*weekly, *(hours for date_, hours in self.dated if date_ == day)])


def merged(found: Iterable[Hours]) -> list[Hours]:
    """Overlapping hours become one; hours that only touch stay two, each stepping from its own `since`."""
    result: list[Hours] = []
    for hours in sorted(found):
        if result and hours.since < result[-1].until:
            result[-1] = Hours(result[-1].since, max(result[-1].until, hours.until))
        else:
            result.append(hours)
    return result


def instant(day: date, minute: int, zone: ZoneInfo) -> datetime | None:
    """A wall time in UTC: None where the clock skips it (gap), the first occurrence where it shows it twice (fold)."""
    wall = datetime.combine(day, time(minute // 60, minute % 60))
    found = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return found if found.astimezone(zone).replace(tzinfo=None) == wall else None


def starts_on(schedule: Schedule, offering: Offering, zone: ZoneInfo, day: date) -> Iterator[datetime]:
    """A date's starts in UTC: from `since` every step while start + duration ≤ `until`, all on the wall clock."""
    step = offering.slot_step_minutes or offering.duration_minutes
    for hours in schedule.hours_on(day):
        for minute in range(hours.since, hours.until - offering.duration_minutes + 1, step):
            found = instant(day, minute, zone)
            if found is not None:
                yield found


def starts_between(
    schedule: Schedule, offering: Offering, zone: ZoneInfo, start: datetime, end: datetime
) -> Iterator[datetime]:
    """Every start that the schedule offers with start ≤ it < end, in order."""
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        for found in starts_on(schedule, offering, zone, day):
            if found >= end:
                return
            if found >= start:
                yield found
        day += DAY


def offers(schedule: Schedule, offering: Offering, zone: ZoneInfo, starts_at: datetime) -> bool:
    """Whether the schedule offers a slot at this instant."""
    return starts_at in starts_on(schedule, offering, zone, starts_at.astimezone(zone).date())
