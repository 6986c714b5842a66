"""The one clock. `now` reaches decisions as an argument; leases, backoff and purges use real time instead."""

import time
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID


class Clock(Protocol):
    """Tells the current instant, in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def instant(milliseconds: int) -> datetime | None:
    """Milliseconds since 1970 as an instant; None where they are none: publishers set timestamps as they like."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def made_at(of: UUID) -> datetime | None:
    """When an id was made, by the machine's own clock: those of uuid7 begin with it (RFC 9562, section 5.7)."""
    return instant(of.int >> 80) if of.version == 7 else None


def real_seconds() -> float:
    """Seconds since 1970 by the machine's own clock, for the age of what must not jump with a movable one."""
    return time.time()
