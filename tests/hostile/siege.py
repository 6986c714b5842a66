"""A running system under siege: hostile records beside an ordinary client, then quiet, then stock is taken."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from booking_contracts.client import BookingClient
from booking_contracts.testkit import sample
from booking_contracts.topics import PARTITIONS

from deploy.local.stack import Stack
from tests.hostile import settings
from tests.hostile.acts import ACTS
from tests.hostile.collecting import moving, resident_mib, take_stock
from tests.hostile.drawing import COMMAND_TOPICS
from tests.hostile.envelopes import framed
from tests.hostile.facts import Aftermath, Memory
from tests.hostile.kinds import KINDS, Forge
from tests.hostile.ordinary import Ordinary
from tests.hostile.records import Hostile
from tests.hostile.stage import Stage
from tests.hostile.town import Town, command
from tests.hostile.wire import Wire

BURST = 10
"""Records sent at once, one round after another, so that the sender is not what is measured."""
ACT_SECONDS = 900.0
LEAST_SECONDS = 10.0
"""A siege is not over before: the ordinary client has to meet what was done."""


class ProcessEnded(AssertionError):
    """What was being sent when a process ended, and the end of its log."""


@dataclass
class Siege:
    """One siege of a stack of two replicas; `aftermath` is filled by `run`."""

    stack: Stack
    chosen: Sequence[str] = ()
    aftermath: Aftermath = field(default_factory=Aftermath)
    notes: list[str] = field(default_factory=list)
    rested_seconds: float = 0.0

    async def run(self, records: int, per_second: float) -> Aftermath:
        """Send so many records and all acts; raises ProcessEnded as soon as a service is not what it was."""
        self._pids = {name: self.stack.pid(name) for name in self._services()}
        name = ",".join(self.chosen)
        env, town = self.stack.env, Town(settings.rng(f"town {name}"))
        servers = env["KAFKA_BOOTSTRAP_SERVERS"]
        async with BookingClient(servers, source="/ordinary", remembered=50_000) as client, Wire(servers) as wire:
            ordinary = Ordinary(client, settings.rng(f"ordinary {name}"))
            stage = Stage(env, town, wire, client, self.aftermath.planted, self.notes, self.aftermath.locked)
            await ordinary.move_in([town.venue(100_000) for _ in range(3)])
            for venue in town.venues:
                await stage.ask("sound", venue.opening())
            before = {name: resident_mib(self.stack, name)[0] for name in self._services()}
            enough = asyncio.Event()
            living = asyncio.create_task(ordinary.live(settings.ORDINARY_PER_SECOND, enough))
            self.aftermath.sent = wire.sent
            try:
                await self._besiege(stage, Forge(town, ordinary.bookings), records, per_second)
                await self._sweep(stage)
                enough.set()
                await self._rest()
                await living
            finally:
                living.cancel()
                await asyncio.wait([living])
        found = self.aftermath
        found.asked, found.unconfirmed = ordinary.asked, [str(one) for one in ordinary.unconfirmed]
        found.memory = {name: Memory(before[name], *resident_mib(self.stack, name)) for name in self._services()}
        await take_stock(env, found)
        return found

    async def _besiege(self, stage: Stage, forge: Forge, records: int, per_second: float) -> None:
        """Single records at an even rate, and the acts, each as long as it takes."""
        names = [name for name in ACTS if not self.chosen or name in self.chosen]
        acting = asyncio.gather(*(self._act(name, stage) for name in names))
        began, count = time.monotonic(), 0
        burst: list[Hostile] = []
        try:
            for record in forge.stream(records, self.chosen):
                burst.append(record)
                if len(burst) == BURST:
                    await stage.wire.send(burst)
                    count, burst = count + BURST, []
                    self._look()
                    await asyncio.sleep(max(0.0, began + count / per_second - time.monotonic()))
            await stage.wire.send(burst)
            await asyncio.sleep(max(0.0, began + LEAST_SECONDS - time.monotonic()))
            while not acting.done():
                self._look()
                await asyncio.wait([acting], timeout=0.5)
            await acting
        finally:
            acting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await acting

    async def _act(self, name: str, stage: Stage) -> None:
        began = time.monotonic()
        try:
            async with asyncio.timeout(ACT_SECONDS):
                await ACTS[name](stage)
        except TimeoutError:
            self.notes.append(f"{name}: not done after {ACT_SECONDS:.0f} s")
        else:
            self.notes.append(f"{name}: {time.monotonic() - began:.1f} s")
        finally:
            self.aftermath.acted_until = max(self.aftermath.acted_until, time.monotonic())

    async def _sweep(self, stage: Stage) -> None:
        """A sound command last on every partition: a position is known by records, not by what markers follow them."""
        for topic in COMMAND_TOPICS:
            make = sample.withdraw_from_wallet if topic == "wallet.commands" else sample.quote_cancellation
            for partition in range(PARTITIONS):
                record = framed("sweep", command(make()), stage.town.uuid())
                await stage.wire.send_to(partition, replace(record, topic=topic))

    async def _rest(self) -> None:
        """Until nothing moves, or the time for it is over: what still does is then a violation."""
        self._look()
        began = time.monotonic()
        while (waiting := await moving(self.stack.env, self.aftermath)) and (
            time.monotonic() - began < settings.SETTLED_WITHIN_SECONDS
        ):
            self._look()
            await asyncio.sleep(0.5)
        self.rested_seconds = time.monotonic() - began
        if waiting:
            self.notes.append(f"still moving after {self.rested_seconds:.0f} s: {dict(waiting)}")

    def _services(self) -> list[str]:
        return [name for name in self.stack.names if name.rpartition("-")[2].isdigit()]

    def _look(self) -> None:
        """Raises as soon as a service process is not the one that was started."""
        ended = [name for name, pid in self._pids.items() if self.stack.pid(name) != pid]
        if not ended:
            return
        self.aftermath.ended = ended
        tail = "\n".join(self.stack.log(ended[0]).read_text(errors="replace").splitlines()[-5:])
        raise ProcessEnded(
            f"{ended} ended. Kinds: {self.chosen or [*KINDS, *ACTS]}. The end of its log:\n{tail[-3000:]}"
        )
