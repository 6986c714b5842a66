"""What a sample says, and what one that fails says of the replica's progress (requirement health)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import pytest
from prometheus_client import REGISTRY

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
    task = asyncio.create_task(gauges.run(pool, SetClock(), positions, lambda: False, ()))
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


def shown(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"booking_{name}", labels)


LETTER = """
INSERT INTO dead_letter (id, topic, partition, "offset", kind, type, error, headers, body)
SELECT gen_random_uuid(), 't', 0, nth, kind, type, '', '[]', ''
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS t (kind, type, nth)
"""
ROW = """
INSERT INTO local_message (id, kind, type, key, due_at, headers, body)
VALUES (gen_random_uuid(), 'record', $2, $1, 'infinity', '[]', '')
"""


@pytest.mark.requirement("observability", "poison")
async def test_dead_letters_and_blocked_keys_are_counted_by_type(engine: Engine) -> None:
    connection = await engine.session.connection()
    place, captured = "booking.PlaceBooking.v1", "payments.PaymentCaptured.v1"
    kinds = ["failed", "failed", "unread", "unread", "refused"]
    types = [place, place, "hostile\n", "local.NobodyHasMadeThis", place]
    await connection.execute(LETTER, kinds, types)
    for key, kind in (("a", captured), ("a", place), ("b", "local.DeadlineReached")):
        await connection.execute("INSERT INTO blocked_key (key) VALUES ($1) ON CONFLICT DO NOTHING", key)
        await connection.execute(ROW, key, kind)
    pool = await open_pool(engine.session.url, "gauges", size=1)
    await gauges.sample(pool, SetClock(), ["local.DeadlineReached"])
    assert (shown("dead_letters_open", type=place), shown("dead_letters_open", type="other")) == (2, 2)
    assert (shown("blocked_keys", type=captured), shown("blocked_keys", type="local.DeadlineReached")) == (1, 1)
    assert shown("blocked_keys", type=place) is None
    await connection.execute("DELETE FROM dead_letter")
    await connection.execute("DELETE FROM blocked_key")
    await gauges.sample(pool, SetClock(), ["local.DeadlineReached"])
    assert shown("dead_letters_open", type=place) is None
    assert shown("blocked_keys", type=captured) is None
    pool.terminate()


@pytest.mark.requirement("observability")
async def test_the_oldest_call_without_an_answer_has_an_age(engine: Engine) -> None:
    connection = await engine.session.connection()
    call = """
        INSERT INTO gateway_call (id, subject, key, operation, parameters, idempotency_key, headers, try_at, opened_at)
        VALUES (gen_random_uuid(), 's', 'k', 'o', '', '', '[]', now(), now() - interval '90 s')
    """
    await connection.execute(call)
    pool = await open_pool(engine.session.url, "gauges", size=1)
    await gauges.sample(pool, SetClock(), ["local.DeadlineReached"])
    assert shown("gateway_call_oldest_seconds") == pytest.approx(90, abs=10)
    pool.terminate()


@pytest.mark.requirement("observability")
async def test_a_sample_that_fails_keeps_its_age(engine: Engine) -> None:
    began, looked = time.time(), asyncio.Event()
    fails = False

    async def look() -> None:
        looked.set()
        if fails:
            raise OSError

    task = asyncio.create_task(gauges.keep_sampling("test", 0.01, look))
    await looked.wait()
    await asyncio.sleep(0.05)
    assert (shown("sampled_timestamp_seconds", sample="test") or 0) >= began
    fails = True
    await asyncio.sleep(0.05)
    last = shown("sampled_timestamp_seconds", sample="test")
    looked.clear()
    await looked.wait()
    assert shown("sampled_timestamp_seconds", sample="test") == last
    task.cancel()


@pytest.mark.requirement("observability")
async def test_a_look_that_takes_long_is_taken_seldomer() -> None:
    looks = 0

    async def look() -> None:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0.05)

    task = asyncio.create_task(gauges.keep_sampling("test", 0.01, look, most_of_time=0.01))
    await asyncio.sleep(0.5)
    task.cancel()
    assert looks == 1
