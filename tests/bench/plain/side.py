"""One of the two systems, as the benchmark runs it: alone, while the other is stopped."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence

from deploy.local.concurrently import concurrently
from deploy.local.layout import Layout
from deploy.local.processes import Process, ProcessTable
from tests.bench.plain.messages import Method
from tests.bench.runs import Load
from tests.bench.wire import Prepared, Wire

PROVIDERS, SLOTS = 25, 20
"""As many slots on both sides: PROVIDERS × SLOTS."""

Keys = Mapping[Method, Collection[bytes]]
"""The bookings that were made, by how they were paid."""


class Commands(Load):
    """A load of commands that are there already."""

    def __init__(self, commands: Sequence[Prepared]) -> None:
        self.commands = list(commands)
        self.keys = [command.key for command in commands]


class Side(ABC):
    """A system to measure. All but `prepare`, `start` and `stop` expect it to run.

    Its processes stand among those of the stack in `layout`, whose `down` stops them, too.
    """

    name: str
    heard: Sequence[str]
    """Topics with what the load client waits for."""
    costs: Sequence[str]
    """Processes whose CPU time counts."""

    def __init__(self, layout: Layout, env: Mapping[str, str]) -> None:
        self.layout, self.env = layout, env
        self._table = ProcessTable(layout.pids, layout.logs)

    @abstractmethod
    def processes(self) -> Sequence[Process]:
        """What runs while it is measured and not otherwise."""

    @abstractmethod
    async def open_slots(self, wire: Wire, capacity: int) -> None:
        """Make what is booked, so many seats a slot."""

    @abstractmethod
    async def load(self, wire: Wire, count: int, who: str, method: Method) -> Load:
        """Commands of so many customers, spread evenly over the slots. Their wallets hold what they pay."""

    @abstractmethod
    async def busy(self) -> bool:
        """Whether anything is left to do but to send mails."""

    @abstractmethod
    async def check(self, keys: Keys) -> None:
        """Every booking is confirmed and paid for once, no seat was sold twice. Raises AssertionError."""

    async def start(self) -> None:
        """All at once, until each answers."""
        found = {process.name: process for process in self.processes()}
        await asyncio.to_thread(concurrently, lambda name: self.start_process(found[name]), found)

    async def stop(self) -> None:
        """All at once."""
        names = [process.name for process in self.processes()]
        await asyncio.to_thread(concurrently, self._table.stop, names)

    def start_process(self, process: Process) -> None:
        """One, until it answers."""
        process.before_start()
        self._table.start(process)
        self._table.wait_until_ready(process, lambda _: None)

    async def rest(self) -> None:
        """Until nothing is left to do."""
        while True:
            if not await self.busy():
                return
            await asyncio.sleep(0.25)
