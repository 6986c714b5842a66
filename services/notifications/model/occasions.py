"""When a letter that no event asks for is due, and how long it is of use (rules.md, People)."""

from __future__ import annotations

from datetime import datetime, timedelta

REMIND_BEFORE = (timedelta(hours=24), timedelta(hours=1))
TIME_TO_PAY_AT_ONCE = timedelta(minutes=1)
"""Whoever pays within it is not asked to: the next letter says that the booking is confirmed."""
FIRST_LOOK_AT_A_DISPUTE = timedelta(days=7)
NEXT_LOOK_AT_A_DISPUTE = timedelta(days=1)
LATE = timedelta(minutes=1)
"""A timer that comes later than this was kept by something, which kept the booking's events as well."""
LET_EVENTS_PASS = timedelta(seconds=3)


def reminder_times(starts_at: datetime, booked_at: datetime) -> tuple[datetime, ...]:
    """When to remind, earliest first; a time that had passed when it was booked is skipped."""
    times = (starts_at - before for before in REMIND_BEFORE)
    return tuple(time for time in times if time > booked_at)


def reminder_ends(starts_at: datetime, due_at: datetime) -> datetime:
    """Until when the reminder that was due at `due_at` is of use: to the next one, the last to the start."""
    return min((*reminder_times(starts_at, booked_at=due_at), starts_at))
