"""How refusals name instants and lengths of time: sentences are for people, details for programs."""

from __future__ import annotations

from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)
UNITS = ((24 * 60, "day"), (60, "hour"), (1, "minute"))


def lasting(minutes: int) -> str:
    """A length of time in the units that people use: "2 days", "1 hour and 30 minutes"."""
    parts = []
    for length, unit in UNITS:
        many, minutes = divmod(minutes, length)
        if many:
            parts.append(f"{many} {unit}" + ("s" if many > 1 else ""))
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1]))) if parts else "0 minutes"


def of_lasting(minutes: int) -> str:
    """The same before what lasts so long: "2 days'", "1 day's"."""
    text = lasting(minutes)
    return f"{text}'" if text.endswith("s") else f"{text}'s"


def named(at: datetime, *, up: bool = False) -> str:
    """An instant to the minute, "2030-01-10 12:00 UTC"; the next whole minute where it is rounded `up`."""
    if up and (at.second or at.microsecond):
        at += MINUTE
    return f"{at:%Y-%m-%d %H:%M} UTC"
