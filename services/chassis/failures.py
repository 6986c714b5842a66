"""What an error between a record and its commit means; ladder.py says what is done about it (engine.md)."""

from __future__ import annotations

import random
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from enum import StrEnum

import asyncpg

from services.chassis.database import USELESS
from services.chassis.offsets import Fenced
from services.chassis.service import PlanChanged


class Failure(StrEnum):
    """Every way in which a batch fails."""

    AWAY = "away"
    """No connection, no room, no right to write at the moment: the database is waited for."""
    CONFLICT = "conflict"
    """Deadlock, serialization, a plan that changed: another transaction was there at the same time."""
    LOCKED = "locked"
    """A row lock was not had in time."""
    OVERTIME = "overtime"
    """The work met a time limit."""
    NEWER = "newer_build"
    """A row that a newer build wrote: this one cannot read it."""
    MESSAGE = "message"
    """A rule of the database, a value that fits nowhere, a fault of ours: whatever one message can cause."""
    FENCED = "fenced"
    """Another replica has handled these records."""
    BROKEN = "broken"
    """Wrong schema, rights or database: no message's fault, and waiting does not help."""

    @property
    def passes(self) -> bool:
        """Whether the same message may be handled some time later, as it is."""
        return self in {Failure.CONFLICT, Failure.LOCKED, Failure.OVERTIME, Failure.NEWER}


class Broken(Exception):
    """The service must stop: what is wrong is not a message's fault. The text tells an operator what to check."""


class NewerBuild(Exception):
    """A row that a newer build wrote: what needs it waits for a build that knows it. The text names the value."""


AWAY = ("08", "53", "58", "57P", "28P01")  # 28P01: a password that is being changed, which a new connection reads
CONFLICT = ("40", "0A000")  # 0A000: a cached statement whose table was changed under it
OVERTIME = ("57014", "25P03", "25P04")
AWAY_FOR_WRITES = ("25006",)  # a standby, while another server takes over
BROKEN = ("42", "28", "3D", "3F")


def classify(error: BaseException) -> Failure:
    """Which failure an error of a batch is."""
    if isinstance(error, asyncpg.PostgresError):
        return _of_database(error)
    if isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):
        return Failure.MESSAGE  # a value that does not fit its parameter: no new connection helps
    if isinstance(error, RuntimeError) and "closed" in str(error):
        return Failure.AWAY  # uvloop's word for a connection that was cut while somebody wrote to it
    for kind, failure in _KINDS.items():
        if isinstance(error, kind):
            return failure
    return Failure.MESSAGE


_KINDS: dict[type[BaseException], Failure] = {
    Fenced: Failure.FENCED,
    Broken: Failure.BROKEN,
    NewerBuild: Failure.NEWER,
    PlanChanged: Failure.CONFLICT,
    **dict.fromkeys(USELESS, Failure.AWAY),
    OSError: Failure.AWAY,
    TimeoutError: Failure.AWAY,
}


def _of_database(error: asyncpg.PostgresError) -> Failure:
    state = error.sqlstate or ""
    if isinstance(error, asyncpg.LockNotAvailableError):
        return Failure.LOCKED
    for states, failure in (
        (OVERTIME, Failure.OVERTIME),
        (AWAY + AWAY_FOR_WRITES, Failure.AWAY),
        (CONFLICT, Failure.CONFLICT),
        (BROKEN, Failure.BROKEN),
    ):
        if state.startswith(states):
            return failure
    return Failure.MESSAGE


def has_no_room(error: BaseException) -> bool:
    """Whether the database answers and lacks disk, memory or connections: no batch is too large for that."""
    return isinstance(error, asyncpg.PostgresError) and (error.sqlstate or "").startswith(("53", "58", "25006"))


def backoff_seconds(tries: int, *, first: float = 0.1, most: float = 5.0) -> float:
    """Exponential backoff with equal jitter: before try n+1, between half and all of min(most, first × 2^n)."""
    ceiling: float = min(most, first * 2 ** min(tries, 20))
    return ceiling * random.uniform(0.5, 1.0)


class BadRelease:
    """Tells a bad release from bad input, by message type.

    Bad input fails beside messages of its type that succeed. Where more than `most` of a type failed within the window
    and none succeeded, this build is at fault: further ones wait for a better one instead of becoming dead letters.
    """

    def __init__(
        self, most: int = 20, window_seconds: float = 60, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._window, self._monotonic = most, window_seconds, monotonic
        self._failed: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=most))
        self._succeeded: dict[str, float] = {}

    def suspected(self, kind: str) -> bool:
        """Whether a failure of this type is rather this build's than the message's."""
        since = self._monotonic() - self._window
        failed = self._failed[kind]
        return len(failed) == self._most and failed[0] > since and self._succeeded.get(kind, since) <= since

    def suspects(self) -> list[str]:
        """Every type that this build seems unable to handle."""
        return [kind for kind in self._failed if self.suspected(kind)]

    def count(self, failed: Iterable[str], succeeded: Iterable[str]) -> None:
        """Types of what a batch set aside, one for each, and of what it handled; call after the commit."""
        now = self._monotonic()
        self._succeeded.update(dict.fromkeys(succeeded, now))
        for kind in failed:
            self._failed[kind].append(now)
