"""Whether a running stack has anything left to do."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from booking_contracts.rights import SERVICES
from booking_contracts.testkit.clock import MovableClock
from booking_contracts.topics import TOPICS

from tests.faults.collecting import READS

MOVING = """
SELECT (SELECT count(*) FROM outbox) AS outbox, (SELECT count(*) FROM gateway_call WHERE state = 'open') AS calls,
       (SELECT count(*) FROM local_message WHERE due_at <= $1) AS due
"""


async def calm(env: Mapping[str, str], seconds: float) -> Counter[str]:
    """Wait until nothing moves, at most so long; returns what still does, by name."""
    deadline = time.monotonic() + seconds
    async with AsyncExitStack() as stack:
        look = await _watcher(env, stack)
        while True:
            found = await look()
            if not found or time.monotonic() > deadline:
                return found
            await asyncio.sleep(0.25)


async def _watcher(env: Mapping[str, str], stack: AsyncExitStack) -> Callable[[], Awaitable[Counter[str]]]:
    """Says what the services have not read, sent, called and done yet, by name.

    `env` is a stack.env, without a clock's address where no clock is moved.
    Its connections last as long as `stack`: to make them is most of what a look costs.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=env["KAFKA_BOOTSTRAP_SERVERS"])
    await stack.enter_async_context(consumer)
    connections = {name: await asyncpg.connect(env[f"AUDITOR_{name.upper()}_DATABASE_URL"]) for name in SERVICES}
    for connection in connections.values():
        stack.push_async_callback(connection.close)
    clock = MovableClock(env["CLOCK_OFFSET_URL"]) if "CLOCK_OFFSET_URL" in env else None
    partitions = [TopicPartition(topic.name, number) for topic in TOPICS for number in range(topic.partitions)]

    async def look() -> Counter[str]:
        now = await clock.now() if clock else datetime.now(UTC)
        found = Counter[str]()
        ends = await consumer.end_offsets(partitions)
        for service, connection in connections.items():
            rows = await connection.fetch("SELECT topic, partition, next_offset FROM consumed_position")
            (counts,) = await connection.fetch(MOVING, now)
            read = {TopicPartition(row["topic"], row["partition"]): row["next_offset"] for row in rows}
            found[f"{service} unread"] = sum(
                end - read.get(partition, 0) for partition, end in ends.items() if partition.topic in READS[service]
            )
            found.update({f"{service} {name}": count for name, count in counts.items()})
        return +found

    return look
