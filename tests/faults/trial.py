"""A running system under load while something is done to it, and the verdict. It needs addresses alone, so that a
stack of processes and a cluster are judged alike."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests import audited
from tests.calm import calm
from tests.faults.checks import violations
from tests.faults.collecting import collect
from tests.faults.facts import Facts
from tests.faults.load import Load
from tests.faults.settings import LONG, PER_SECOND

SETTLED_WITHIN_SECONDS = 300.0 if LONG else 120.0
"""A call whose process died is made again after its lease of 10 s; a saga asks again after 30 and 60 s."""
FIRST_SECONDS = 0.5
"""Of load before the first blow."""


@dataclass(frozen=True)
class Row:
    """One scenario: commands that Kafka took; seconds of load, and from its end to rest. Nothing was wrong then."""

    name: str
    faults: int
    commands: int
    loaded: float
    rested: float

    def __str__(self) -> str:
        return f"| {self.name} | {self.faults} | {self.commands} | {self.loaded:.0f} s | {self.rested:.0f} s | 0 |"


class Trial:
    """`env` says where everything is, with the names of a stack.env, whenever it is asked."""

    def __init__(self, env: Callable[[], Mapping[str, str]], load: Load, per_second: float = PER_SECOND) -> None:
        self.env = env
        self.load = load
        self.per_second = per_second
        self.rows: list[Row] = []
        self.dealt: Counter[str] = Counter()
        """Faults so far, by kind."""

    async def suffer(self, name: str, seconds: float, *blows: Callable[[], object], faults: int = 0) -> Facts:
        """Deal the blows one after another while commands come in; then let it rest, and judge everything so far.

        `faults` says how many this scenario deals, where the blows do not count themselves.
        """
        self.dealt[name] += faults
        before, began = self.dealt.total() - faults, time.monotonic()
        going, enough = asyncio.Event(), asyncio.Event()
        async with audited.audited(self.env()) as told:
            load = asyncio.create_task(self.load.run(seconds, self.per_second, going, enough))
            try:
                await asyncio.wait([load, asyncio.ensure_future(going.wait())], return_when=asyncio.FIRST_COMPLETED)
                await asyncio.sleep(FIRST_SECONDS)
                for blow in blows:
                    await asyncio.to_thread(blow)
            finally:
                enough.set()
                taken = await load
            loaded = time.monotonic() - began
            facts = await self.rest()
        told += await audited.violations(self.env())
        assert not told, "the auditor tells:\n" + "\n".join(str(one.row()) for one in told[:40])
        rested = time.monotonic() - began - loaded
        self.rows.append(Row(name, self.dealt.total() - before, taken, loaded, rested))
        print(self.rows[-1])
        return facts

    def tables(self) -> list[str]:
        """What happened so far, in markdown: by scenario, and faults by kind."""
        head = ("| scenario | faults | commands | load | at rest after | violations |", "|---|---|---|---|---|---|")
        total = f"| all | {self.dealt.total()} | {len(self.load.published)} | | | |"
        kinds = [f"| {kind} | {count} |" for kind, count in self.dealt.most_common() if count]
        return [*head, *map(str, self.rows), total, "", "| fault | times |", "|---|---|", *kinds]

    async def rest(self) -> Facts:
        """Look until nothing is wrong or waiting. Raises with everything that is."""
        deadline = time.monotonic() + SETTLED_WITHIN_SECONDS
        while True:
            await calm(self.env(), deadline - time.monotonic())  # to read everything is dear: not while much moves
            facts = await collect(self.env(), self.load.published, self.load.planted)
            wrong = violations(facts)
            if not wrong:
                return facts
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(wrong)} violations:\n" + "\n".join(wrong[:40]))
            await asyncio.sleep(1.0)
