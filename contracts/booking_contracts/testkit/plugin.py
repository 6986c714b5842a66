"""Fixtures for pytest: `pytest_plugins = ["booking_contracts.testkit.plugin"]`. Needs the extra `testkit`.

It is asked for by name and no entry point: who only reads our messages has our package too, and no use for fixtures.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from dataclasses import dataclass

import pytest
import pytest_asyncio

from booking_contracts.client.inbox import Received
from booking_contracts.testkit.running import Running
from booking_contracts.testkit.starting import running_system
from booking_contracts.testkit.system import System, connected

LAST = 40
"""So many messages of a failed test are shown, and so many lines of each process."""


@dataclass(frozen=True)
class _Meanwhile:
    """What the system does while a test runs; `before` is how long each log was when it began."""

    running: Running
    system: System
    before: Mapping[str, int]

    def sections(self) -> Iterator[tuple[str, str]]:
        """A title and its text: the messages, and what each process wrote."""
        yield "booking system, messages", "\n".join(_line(one) for one in self.system.client.heard()[-LAST:])
        for name, text in self.running.logs().items():
            lines = text[self.before.get(name, 0) :].splitlines()[-LAST:]
            if lines:
                yield f"booking system, {name}", "\n".join(lines)


def _line(received: Received) -> str:
    envelope = received.envelope
    return f"{envelope.time:%H:%M:%S.%f} {envelope.type} {envelope.key} {envelope.body.decode('utf-8', 'replace')}"


_MEANWHILE = pytest.StashKey[_Meanwhile]()


@pytest.fixture(scope="session")
def running_booking_system() -> Iterator[Running]:
    """One system for the whole session; of each worker its own, under pytest-xdist.

    A system has one clock: a test that lets two days pass would end the holds of a test beside it.
    """
    with running_system() as running:
        yield running


@pytest_asyncio.fixture
async def booking_system(running_booking_system: Running, request: pytest.FixtureRequest) -> AsyncIterator[System]:
    """The system as its users see it, on the test's own event loop. Tests share it: what each makes has new ids."""
    before = {name: len(text) for name, text in running_booking_system.logs().items()}
    async with connected(running_booking_system.env, running_booking_system) as system:
        request.node.stash[_MEANWHILE] = _Meanwhile(running_booking_system, system, before)
        yield system


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what the system did meanwhile."""
    report = yield
    meanwhile = item.stash.get(_MEANWHILE, None)
    if report.failed and meanwhile is not None:
        report.sections.extend(meanwhile.sections())
    return report
