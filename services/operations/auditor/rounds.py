"""The rounds that go on beside each other: what lingers, what was written of late, and all rows, one after another.

Work has a budget, in seconds of each second: after a look it rests in proportion. A look that fails is taken again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog

from services.chassis.clock import Clock, SystemClock, real_seconds
from services.chassis.database import AMISS
from services.operations.auditor import metrics
from services.operations.auditor.all_checks import LINGERING, WALKS
from services.operations.auditor.check_types import CHUNK, MOST, Lingering, Walk
from services.operations.auditor.databases import Databases
from services.operations.auditor.findings import Finding
from services.operations.auditor.looking import chunks, same, still
from services.operations.auditor.recent import Recent
from services.operations.auditor.record import Pass, Record
from services.operations.auditor.scope import Id, Scope, Those

log = structlog.get_logger()

REAL = SystemClock()
"""Of passes: `clock` says when deadlines are over, as it does for the services."""
EVERY_SECONDS = 5.0
"""From one look at what lingers, or one round over what was written, to the next, at least. What lingers counts when
two looks in a row have found it."""
RECENT_SHARE = 0.08
"""Of the time that such a round may work, at most: a million bookings' tables are seen in 20 seconds."""
PASS_SECONDS, PASS_SHARE = 60.0, 0.045
"""Between two passes, at least; of the time that a pass may work."""
REST_SECONDS, BUSY_SHARE = 0.45, 0.16
"""No rest is longer, as long as looks take no more than that share: on a machine that is busy with others a look takes
long and works as little, and a pass over a million bookings ends in ten minutes all the same."""
HURRY_SHARE = 0.5
"""Where rows are gone that never go."""
MOST_CHANGED = 50_000
"""Keys of one round: somebody changes a whole table, and the pass sees it."""


class Rounds:
    """`databases` makes sessions for one round's own use."""

    def __init__(
        self, databases: Callable[[], Databases], record: Record, clock: Clock, every_seconds: float = EVERY_SECONDS
    ) -> None:
        self._databases, self._record, self._clock, self._every = databases, record, clock, every_seconds
        self._problems: dict[str, str] = {}
        self._unseen = {"lingering"}
        self._hurried: set[str] = set()
        self._recent: Recent | None = None

    async def run(self) -> None:
        """Until it is cancelled."""
        for look in ("lingering", "recent", "pass"):
            metrics.looked.labels(look).set(real_seconds())  # from here on it is late
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._go_on("lingering", self.lingering))
            tasks.create_task(self._go_on("recent", self.recent))
            tasks.create_task(self._go_on("pass", self.passes))
            tasks.create_task(self._go_on("hurried", self.hurried))

    async def ready(self) -> str | None:
        """Why it is not known what is wrong, or cannot be kept; None where all can be seen, whatever is found."""
        if self._problems:
            return "; ".join(f"{name}: the last look failed: {why}" for name, why in sorted(self._problems.items()))
        return "nothing has been looked at yet" if self._unseen else self._record.problem

    async def _go_on(self, name: str, rounds: Callable[[Databases], AsyncIterator[float]]) -> None:
        """Rounds yield for how many seconds to rest; one that fails is begun again."""
        databases = self._databases()
        while True:
            try:
                async for seconds in rounds(databases):
                    self._problems.pop(name, None)
                    await asyncio.sleep(seconds)
            except AMISS as error:
                self._could_not(name, error)
                await databases.close()
                await asyncio.sleep(self._every)

    def _could_not(self, name: str, error: BaseException) -> None:
        log.warning("could not look", look=name, error=repr(error))
        self._problems[name] = repr(error)

    def _seen(self, look: str) -> None:
        metrics.looked.labels(look).set(real_seconds())
        if look == "pass":
            log.info("looked at all", violations=len(self._record.open))

    async def lingering(self, databases: Databases) -> AsyncIterator[float]:
        """Looks at all that lingers, and again at all that is open."""
        before: dict[str, list[Finding]] = {}
        while True:
            failed = False
            for check in LINGERING:
                found = await self._tried(check.name, databases, check.look(databases, self._clock.now()))
                failed = failed or found is None
                if found is not None:
                    self._note(check, found, before.get(check.name, []))
                    before[check.name] = found
            for walk in WALKS:
                await self._look_again(walk, databases)
            await self._record.keep()
            if not failed:
                self._unseen.clear()
                self._seen("lingering")
            yield self._every

    async def _tried(self, name: str, databases: Databases, look: Awaitable[list[Finding]]) -> list[Finding] | None:
        """What it finds; None where it could not be taken, and others may be."""
        try:
            with metrics.timed(name):
                found = await look
        except AMISS as error:
            self._could_not(name, error)
            await databases.close()
            return None
        self._problems.pop(name, None)
        return found

    def _note(self, check: Lingering, found: list[Finding], before: list[Finding]) -> None:
        self._record.saw(same(before, found))
        if len(found) < MOST:
            there = {one.key for one in found}
            self._record.well(one.key for one in self._record.of(check.kinds) if one.key not in there)

    async def _look_again(self, walk: Walk, databases: Databases) -> None:
        """One look that finds all well is enough."""
        known = self._record.of(walk.kinds)
        if not known:
            self._problems.pop(walk.name, None)
            return
        found = await self._tried(walk.name, databases, walk.look(databases, walk.subjects(known)))
        if found is not None:
            there = {one.key: one for one in found}
            self._record.saw(there[one.key] for one in known if one.key in there)
            self._record.well(one.key for one in known if one.key not in there)

    async def recent(self, databases: Databases) -> AsyncIterator[float]:
        """Looks at what was written since the round before."""
        recent = self._recent = self._recent or Recent(databases)
        while True:
            async for table, seconds in recent.round():
                metrics.work.labels(f"written: {table}").inc(seconds)
                yield rest(seconds, RECENT_SHARE)
            self._hurried |= recent.deleted
            recent.deleted.clear()
            for walk in WALKS:
                keys = sorted(recent.changed.get(walk.key, ()))[:MOST_CHANGED]
                for at in range(0, len(keys), CHUNK):
                    yield rest(await self._look(walk, databases, Those(keys[at : at + CHUNK])), RECENT_SHARE)
            recent.changed.clear()
            self._seen("recent")
            yield self._every

    async def _look(self, walk: Walk, databases: Databases, scope: Scope) -> float:
        """For how long it has looked the first time."""
        with metrics.timed(walk.name) as seconds:
            found = await walk.look(databases, scope)
        self._record.saw(await still(walk, databases, found))
        return seconds()

    async def hurried(self, databases: Databases) -> AsyncIterator[float]:
        """Passes at once over what lacks rows that never go."""
        while True:
            keys, self._hurried = self._hurried, set()
            for walk in [one for one in WALKS if one.key in keys]:
                log.error("rows are gone from a table that is never deleted from", looked_at=walk.name)
                async for seconds in self._walk(walk, databases, walk.beginning, Pass(REAL.now())):
                    yield rest(seconds, HURRY_SHARE)
            yield self._every

    async def passes(self, databases: Databases) -> AsyncIterator[float]:
        """Walks over everything, for ever; begins where the process before this one ended."""
        positions = await self._record.positions()
        while True:
            for walk in WALKS:
                after = positions.pop(walk.name, None)
                of = self._record.passes[walk.name] = Pass(REAL.now())
                begin = walk.beginning if after is None else walk.id_of(after)
                async for seconds in self._walk(walk, databases, begin, of):
                    yield rest(seconds, PASS_SHARE)
                of.ended_at, of.after = REAL.now(), None
            self._seen("pass")
            yield PASS_SECONDS

    async def _walk(self, walk: Walk, databases: Databases, after: Id, of: Pass) -> AsyncIterator[float]:
        """Yields after every stretch how long it took."""
        async for between, rows in chunks(walk, databases, after):
            seconds = await self._look(walk, databases, between)
            of.after, of.rows, of.seconds = str(between.until or ""), of.rows + rows, of.seconds + seconds
            yield seconds


def rest(seconds: float, share: float) -> float:
    """So long after so much work, that the work is that share of the time; or REST_SECONDS."""
    return min(seconds * (1 / share - 1), max(REST_SECONDS, seconds * (1 / BUSY_SHARE - 1)))
