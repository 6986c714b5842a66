"""Whether a running stack has anything left to do."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from booking_contracts.testkit.clock import MovableClock
from booking_contracts.topics import TOPICS

from tests.faults.collecting import READS, SERVICES

MOVING = """
SELECT (SELECT count(*) FROM outbox) AS outbox, (SELECT count(*) FROM gateway_call WHERE state = 'open') AS calls,
       (SELECT count(*) FROM local_message WHERE due_at <= $1) AS due
"""


async def calm(env: Mapping[str, str], seconds: float) -> Counter[str]:
    """Wait until nothing moves, at most so long; returns what still does, by name."""
    deadline = time.monotonic() + seconds
    while True:
        found = await moving(env)
        if not found or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.25)


async def moving(env: Mapping[str, str]) -> Counter[str]:
    """What the services have not read, sent, called and done yet, by name; `env` is a stack.env."""
    now, found = await MovableClock(env["CLOCK_OFFSET_URL"]).now(), Counter[str]()
    ends = await _ends(env["KAFKA_BOOTSTRAP_SERVERS"])
    for service in SERVICES:
        connection = await asyncpg.connect(env[f"AUDITOR_{service.upper()}_DATABASE_URL"])
        try:
            rows = await connection.fetch("SELECT * FROM consumed_position")
            (counts,) = await connection.fetch(MOVING, now)
        finally:
            await connection.close()
        read = {TopicPartition(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        found[f"{service} unread"] = sum(
            end - read.get(partition, 0) for partition, end in ends.items() if partition.topic in READS[service]
        )
        found.update({f"{service} {name}": count for name, count in counts.items()})
    return +found


async def _ends(servers: str) -> Mapping[TopicPartition, int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=servers)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic.name, number) for topic in TOPICS for number in range(topic.partitions)]
        ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
        return ends
    finally:
        await consumer.stop()
