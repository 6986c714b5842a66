"""What a failed batch means and what happens then (engine.md, When a batch fails)."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable
from enum import StrEnum

import asyncpg

from services.chassis.handlers import PlanChanged
from services.chassis.offsets import Fenced


class Failure(StrEnum):
    """The five ways a batch fails."""

    TRANSIENT = "transient"
    """Connection, resources, shutdown, serialization, deadlock: back off, same batch again."""
    LOCKED = "locked"
    """A row lock was not had in time: once more with SKIP LOCKED."""
    MESSAGE = "message"
    """A rule of the database (class 23), or a fault of ours outside a decision: load again (the other replica's row
    is visible now), then halve; poison only when alone and failing twice."""
    FENCED = "fenced"
    """Another replica owns a partition: drop the batch."""
    BROKEN = "broken"
    """Wrong schema, rights or database: stop, go unready, never set messages aside."""


class Broken(Exception):
    """The service must stop: what is wrong is not a message's fault. The text tells an operator what to check."""


class NewerBuild(Exception):
    """A row that a newer build wrote: what needs it waits for a build that knows it. The text names the value."""


class Busy(Exception):
    """An event or a local message needs a row that another transaction holds: the batch waits."""


def classify(error: BaseException) -> Failure:
    """Which failure an error of a batch is."""
    if isinstance(error, Fenced):
        return Failure.FENCED
    if isinstance(error, asyncpg.LockNotAvailableError):
        return Failure.LOCKED
    if isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):
        return Failure.MESSAGE  # a value that does not fit its parameter: no connection mends it
    if isinstance(error, Busy | PlanChanged | OSError | TimeoutError | asyncpg.InterfaceError):
        return Failure.TRANSIENT
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        if state.startswith(("08", "53", "57", "40")) or state in {"25P03", "25P04"}:
            return Failure.TRANSIENT
        if state.startswith(("42", "28", "3D")):
            return Failure.BROKEN
    return Failure.BROKEN if isinstance(error, Broken) else Failure.MESSAGE


def backoff_seconds(tries: int, *, first: float = 0.1, most: float = 5.0) -> float:
    """Exponential backoff with full jitter: before try n+1, between half and all of min(most, first × 2^n)."""
    ceiling: float = min(most, first * 2 ** min(tries, 20))
    return ceiling * random.uniform(0.5, 1.0)


class DeadLetterLimit:
    """Stops the service when its handlers fail too often: a bad release must not empty a topic into dead letters."""

    def __init__(
        self, most: int = 20, window_seconds: float = 60, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._window, self._monotonic = most, window_seconds, monotonic
        self._at: deque[float] = deque()

    def check(self, failed: int) -> None:
        """Raises Broken when `failed` more would be too many within the window; call before the commit."""
        now = self._monotonic()
        while self._at and self._at[0] < now - self._window:
            self._at.popleft()
        if len(self._at) + failed > self._most:
            raise Broken(
                f"more than {self._most} messages failed in {self._window:.0f} s; look at the newest release, "
                "then at `bookingctl dead-letters list`, and start again"
            )

    def count(self, failed: int) -> None:
        """So many were set aside; call after the commit, because a batch that rolls back is tried again."""
        self._at.extend([self._monotonic()] * failed)
