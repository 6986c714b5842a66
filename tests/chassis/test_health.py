"""Live, ready, startup and serving: which fault fails which probe."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from services.chassis.failures import BadRelease
from services.chassis.health import Checks
from services.chassis.progress import Progress

pytestmark = pytest.mark.requirement("health")


@dataclass
class Standing:
    joined: bool = True
    answers: bool = True
    progress: Progress = field(default_factory=Progress)

    async def broker_answers(self) -> bool:
        return self.answers


@dataclass
class Worker:
    last_progress: float = field(default_factory=time.monotonic)


class Database:
    """Lacks revisions, or is away."""

    def __init__(self, missing: str | None = None, *, away: bool = False) -> None:
        self._missing, self._away = missing, away

    async def missing(self) -> str | None:
        if self._away:
            raise ConnectionRefusedError
        return self._missing


def checks(
    consumer: Standing | None = None,
    loop: Worker | None = None,
    relay: Worker | None = None,
    database: Database | None = None,
    stopping: str | None = None,
    failing: int = 0,
) -> Checks:
    ask, release = (database or Database()).missing, BadRelease()
    release.count(failed=["booking.PlaceBooking.v1"] * failing, succeeded=[])
    return Checks(loop or Worker(), consumer or Standing(), relay or Worker(), release, ask, stopping)


async def probes(asked: Checks) -> tuple[bool, bool, bool, bool]:
    """(live, ready, startup, serving)"""
    answers = [await asked.live(), await asked.ready(), await asked.startup(), await asked.serving()]
    live, ready, startup, serving = (answer is None for answer in answers)
    return live, ready, startup, serving


A_MINUTE, LONG = 61, 301


def since(seconds: float) -> Worker:
    """One that made progress so long before the test, however late in the run that comes."""
    return Worker(time.monotonic() - seconds)


def stalled() -> Standing:
    times = iter([0.0, LONG])
    standing = Standing(progress=Progress(lambda: next(times)))
    standing.progress.saw({("t", 0): 1}, {("t", 0): 2})
    return standing


@pytest.mark.parametrize(
    ("what", "asked", "expected"),
    [
        ("all is well", lambda: checks(), (True, True, True, True)),
        ("the relay has not begun", lambda: checks(relay=Worker(math.inf)), (True, True, True, True)),
        ("the broker is away", lambda: checks(Standing(answers=False)), (True, False, True, True)),
        ("the database is away", lambda: checks(database=Database(away=True)), (True, False, False, False)),
        ("an older database", lambda: checks(database=Database("0002")), (True, False, False, False)),
        (
            "the group is not joined yet",
            lambda: checks(Standing(joined=False), loop=since(LONG)),
            (True, False, True, True),
        ),
        ("a bad release", lambda: checks(failing=20), (True, False, True, False)),
        ("a batch takes a minute", lambda: checks(loop=since(A_MINUTE)), (True, True, True, True)),
        ("it stops", lambda: checks(stopping="it stops"), (True, False, True, False)),
        ("the loop hangs", lambda: checks(loop=since(LONG)), (False, True, True, True)),
        ("the relay hangs", lambda: checks(relay=since(A_MINUTE)), (False, True, True, True)),
        ("nothing is handled", lambda: checks(stalled()), (False, True, True, True)),
    ],
)
async def test_every_fault_fails_its_probe(
    what: str, asked: Callable[[], Checks], expected: tuple[bool, bool, bool, bool]
) -> None:
    assert await probes(asked()) == expected, what
