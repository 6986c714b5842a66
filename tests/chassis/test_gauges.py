"""What a sample that fails says of the replica's progress (requirement health)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import pytest

from services.chassis import gauges
from services.chassis.database import SESSION, connect, open_pool
from services.chassis.offsets import Partition
from services.chassis.positions import Positions
from tests.chassis.harness import Engine, SetClock

pytestmark = pytest.mark.requirement("health")
NOWHERE = "postgresql://nobody:no@127.0.0.1:9/none"


async def _nothing(_: Collection[Partition]) -> dict[Partition, int]:
    return {}


@asynccontextmanager
async def _sampling(url: str) -> AsyncIterator[Positions]:
    """A replica that something waits for, while its gauges are sampled with next to no time for a statement."""
    positions = Positions(_nothing)
    positions.progress.saw_due(waiting=True, handled=False)
    pool = await open_pool(url, "gauges", size=1, settings={**SESSION, "statement_timeout": "50ms"})
    task = asyncio.create_task(gauges.run(pool, SetClock(), positions, lambda: False))
    await asyncio.sleep(0.5)
    yield positions
    task.cancel()
    pool.terminate()


async def test_a_database_that_takes_too_long_is_no_excuse(engine: Engine) -> None:
    other = await connect(engine.session.url, "other")
    async with other.transaction():
        await other.execute("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE")
        async with _sampling(engine.session.url) as positions:
            assert positions.progress.stalled_seconds() > 0
    await other.close()


async def test_what_waits_for_a_database_that_is_away_is_no_fault_of_the_replica() -> None:
    async with _sampling(NOWHERE) as positions:
        assert positions.progress.stalled_seconds() == 0
