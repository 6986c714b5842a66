"""A whole system under load, what is done to it, and the verdict."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from deploy.local.concurrently import concurrently
from deploy.local.processes import ProcessFailed
from deploy.local.stack import Stack
from tests.calm import calm
from tests.faults.blows import BLOWS, Arena
from tests.faults.checks import violations
from tests.faults.collecting import collect
from tests.faults.facts import Facts
from tests.faults.load import Load
from tests.faults.network import Network
from tests.faults.settings import LONG, rng

SETTLED_WITHIN_SECONDS = 300.0 if LONG else 120.0
"""A call whose process died is made again after its lease of 10 s; a saga asks again after 30 and 60 s."""
PER_SECOND = 40.0


@dataclass
class Ordeal:
    """`environment` is the extra environment of the stack's processes, read whenever one starts."""

    stack: Stack
    environment: dict[str, dict[str, str]]
    load: Load
    network: Network
    report: list[str] = field(default_factory=list)
    dealt: Counter[str] = field(default_factory=Counter)
    """Faults so far, by kind."""

    def __post_init__(self) -> None:
        self.arena = Arena(self.stack, self.network, rng("blows"))

    async def suffer(self, name: str, seconds: float, *blows: Callable[[], object], faults: int = 0) -> Facts:
        """Deal the blows one after another while commands come in; then let it rest, and judge everything so far.

        `faults` says how many this scenario deals, where the blows do not count themselves (`deal`).
        """
        self.dealt[name] += faults
        before, began, enough = self.dealt.total() - faults, time.monotonic(), asyncio.Event()
        load = asyncio.create_task(self.load.run(seconds, PER_SECOND, enough))
        try:
            await asyncio.sleep(1.0)
            for blow in blows:
                await asyncio.to_thread(blow)
        finally:
            enough.set()
            taken = await load
        loaded = time.monotonic() - began
        facts = await self.rest()
        rested = time.monotonic() - began - loaded
        count = self.dealt.total() - before
        self.report.append(f"| {name} | {count} | {taken} | {loaded:.0f} s | {rested:.0f} s | 0 |")
        print(self.report[-1])
        return facts

    def deal(self, kind: str) -> None:
        """One blow of blows.py, counted."""
        self.dealt[kind] += 1
        BLOWS[kind][0](self.arena)

    def tables(self) -> list[str]:
        """What happened so far, in markdown: by scenario, and faults by kind."""
        head = ("| scenario | faults | commands | load | at rest after | violations |", "|---|---|---|---|---|---|")
        total = f"| all | {self.dealt.total()} | {len(self.load.published)} | | | |"
        kinds = [f"| {kind} | {count} |" for kind, count in self.dealt.most_common() if count]
        return [*head, *self.report, total, "", "| fault | times |", "|---|---|", *kinds]

    async def rest(self) -> Facts:
        """Look until nothing is wrong or waiting. Raises with everything that is."""
        deadline = time.monotonic() + SETTLED_WITHIN_SECONDS
        while True:
            await calm(self.stack.env, deadline - time.monotonic())  # to read everything is dear: not while much moves
            facts = await collect(self.stack.env, self.load.published, self.load.planted)
            wrong = violations(facts)
            if not wrong:
                return facts
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(wrong)} violations:\n" + "\n".join(wrong[:40]))
            await asyncio.sleep(1.0)

    def crash(self, points: Mapping[str, str], provoke: Callable[[], None] = lambda: None) -> None:
        """Let each of these processes die at its point, and start them again without it."""

        def arm(name: str) -> None:
            self.environment[name] = {"CRASH_AT": points[name]}
            with contextlib.suppress(ProcessFailed):  # it may die before it is ready
                self.stack.restart(name)

        concurrently(arm, points)
        provoke()
        self._wait_for_deaths(tuple(points))
        for name in points:
            del self.environment[name]
        concurrently(self.stack.start_process, points)

    def _wait_for_deaths(self, names: tuple[str, ...], seconds: float = 40.0) -> None:
        deadline = time.monotonic() + seconds
        while alive := [name for name in names if self.stack.pid(name) is not None]:
            if time.monotonic() > deadline:
                raise AssertionError(f"{alive} did not die; the point was not reached")
            time.sleep(0.05)
