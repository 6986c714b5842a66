"""A provider's week: days on the wall clock of their zone, slots with their seats, and how their bookings stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from services.booking.model.states import State
from services.chassis.database import Connection
from services.operations.console.reads.paging import Bounded

SLOTS = 400
"""Of a week that are shown; a slot has a row from when somebody first wanted it, or a provider opened it."""
COUNTED = 100
"""Bookings of one state that are counted on one slot: on some, hundreds have expired."""

SLOT = """
SELECT s.slot_id, s.offering_id, s.starts_at, s.ends_at, s.capacity, s.taken, s.opened, s.closed,
       o.definition ->> 'title' AS title,
       (SELECT count(*) FROM (SELECT FROM waitlist_entry e WHERE e.slot_id = s.slot_id AND e.state = 'WAITING'
                              LIMIT $5) w) AS waiting,
       (SELECT coalesce(sum(seats), 0) FROM (SELECT seats FROM waitlist_entry e
                                             WHERE e.slot_id = s.slot_id AND e.state = 'OFFERED' LIMIT $5) w) AS offered
FROM slot s JOIN offering o USING (offering_id)
WHERE s.provider_id = $1 AND s.starts_at >= $2 AND s.starts_at < $3 ORDER BY s.starts_at, s.slot_id LIMIT $4
"""
STATES = """
SELECT w.slot_id, w.state, c.count FROM (
    SELECT slot_id, state FROM unnest($1::uuid[]) AS s (slot_id), unnest($2::text[]) AS t (state)) w, LATERAL (
    SELECT count(*) AS count FROM (
        SELECT FROM booking b WHERE b.slot_id = w.slot_id AND b.state = w.state LIMIT $3) few) c
WHERE c.count > 0
"""


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot as the calendar shows it. `waiting` counts entries, `offered` seats: those are taken, too."""

    slot_id: UUID
    offering_id: UUID
    starts_at: datetime
    ends_at: datetime
    capacity: int
    taken: int
    opened: bool
    closed: bool
    title: str
    waiting: Bounded
    offered: int
    states: Mapping[State, Bounded] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        return self.taken >= self.capacity


@dataclass(frozen=True, slots=True)
class Day:
    """A day on the provider's clock; `hours` is 24, but where the clock changes."""

    day: date
    hours: float
    slots: Sequence[Slot]


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days from a Monday. `more`: slots are left out."""

    provider_id: UUID
    zone: ZoneInfo
    days: Sequence[Day]
    more: bool

    @property
    def monday(self) -> date:
        return self.days[0].day


def week_of(day: date) -> date:
    """Its Monday."""
    return day - timedelta(days=day.weekday())


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins there, in UTC. A midnight that the clock shows twice is the first one; where it skips midnight,
    the day begins when the clock goes on (PEP 495: by the offset before the change)."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


async def zone_of(connection: Connection, provider_id: UUID) -> ZoneInfo | None:
    """A provider's zone, or None where there is no such provider."""
    name = await connection.fetchval("SELECT timezone FROM provider WHERE provider_id = $1", provider_id)
    return None if name is None else ZoneInfo(name)


async def week(connection: Connection, provider_id: UUID, zone: ZoneInfo, monday: date) -> Week:
    """The week that begins with this Monday."""
    days = [monday + timedelta(days=number) for number in range(8)]
    begins = [midnight(day, zone) for day in days]
    rows = await connection.fetch(SLOT, provider_id, begins[0], begins[7], SLOTS + 1, COUNTED + 1)
    shown = rows[:SLOTS]
    states: dict[UUID, dict[State, Bounded]] = {}
    ids = [row["slot_id"] for row in shown]
    for row in await connection.fetch(STATES, ids, list(State), COUNTED + 1):
        states.setdefault(row["slot_id"], {})[State(row["state"])] = _bounded(row["count"])
    by_day: dict[date, list[Slot]] = {day: [] for day in days[:7]}
    for row in shown:
        columns = {name: value for name, value in row.items() if name != "waiting"}
        slot = Slot(**columns, waiting=_bounded(row["waiting"]), states=states.get(row["slot_id"], {}))
        by_day[slot.starts_at.astimezone(zone).date()].append(slot)
    hours = [(after - before) / timedelta(hours=1) for before, after in pairwise(begins)]
    found = [Day(day, hours[number], by_day[day]) for number, day in enumerate(days[:7])]
    return Week(provider_id, zone, found, len(rows) > SLOTS)


def total(week: Week) -> Counter[State]:
    """How many bookings of each state the week has, as far as they are counted."""
    found = Counter[State]()
    for day in week.days:
        for slot in day.slots:
            found.update({state: count.count for state, count in slot.states.items()})
    return found


def _bounded(count: int) -> Bounded:
    return Bounded(min(count, COUNTED), count > COUNTED)
