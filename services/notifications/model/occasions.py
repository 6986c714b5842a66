"""When a letter that no event asks for is due, and how long it is of use (rules.md, People)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from booking_contracts.types import REMINDER_MINUTES

TIME_TO_PAY_AT_ONCE = timedelta(minutes=1)
"""Whoever pays within it is not asked to: the next letter says that the booking is confirmed."""
FIRST_LOOK_AT_A_DISPUTE = timedelta(days=7)
NEXT_LOOK_AT_A_DISPUTE = timedelta(days=1)
LATE = timedelta(minutes=1)
"""A timer that comes later than this was kept by something, which kept the booking's events as well."""
LET_EVENTS_PASS = timedelta(seconds=3)


class Reminder(NamedTuple):
    """When it is due, and until when it is of use: to the next one, the last to the start."""

    due_at: datetime
    until: datetime


def reminders(
    starts_at: datetime, booked_at: datetime, minutes_before: Iterable[int] = REMINDER_MINUTES
) -> tuple[Reminder, ...]:
    """When to remind, earliest first; a time that had passed when it was booked is skipped."""
    times = [starts_at - timedelta(minutes=minutes) for minutes in sorted(minutes_before, reverse=True)]
    return tuple(Reminder(*one) for one in pairwise((*times, starts_at)) if one[0] > booked_at)


def reminder_ends(starts_at: datetime, due_at: datetime) -> datetime:
    """Until when a reminder is of use that the release before has set: it knows the default times alone."""
    return min((*(one.due_at for one in reminders(starts_at, booked_at=due_at)), starts_at))
