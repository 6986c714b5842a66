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


def made_at(of: UUID) -> datetime:
    """When an id was made, by the machine's own clock: those of uuid7 begin with it (RFC 9562, section 5.7)."""
    return datetime.fromtimestamp((of.int >> 80) / 1000, UTC)


def real_seconds() -> float:
    """Seconds since 1970 by the machine's own clock, for the age of what must not jump with a movable one."""
    return time.time()
