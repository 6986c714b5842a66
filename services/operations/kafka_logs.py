"""What Kafka has: where the logs of topics begin and end, and who reads them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

TRIES = 20
MEMBERS = 5
"""Which field of a described group they are: error, group, state, protocol type, protocol, members."""


class Log(NamedTuple):
    """The first offset that is still there, and the one that the next record gets."""

    begin: int
    end: int


async def logs(kafka: Mapping[str, object], topics: Collection[str]) -> dict[tuple[str, int], Log]:
    """By topic and partition; a topic that is not there has none. `kafka`: what a client is made with."""
    admin = AIOKafkaAdminClient(**kafka)
    await admin.start()
    try:
        described = await admin.describe_topics(sorted(topics))
    finally:
        await admin.close()
    partitions = [
        TopicPartition(topic["topic"], partition["partition"])
        for topic in described
        if topic["error_code"] == 0
        for partition in topic["partitions"]
    ]
    if not partitions:
        return {}
    async with AIOKafkaConsumer(**kafka, group_id=None) as consumer:
        begins = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
    return {(one.topic, one.partition): Log(begins[one], ends[one]) for one in partitions}


async def members(kafka: Mapping[str, object], group: str) -> int:
    """How many consumers a group has now."""
    admin = AIOKafkaAdminClient(**kafka)
    await admin.start()
    try:
        return await members_of(admin, group)
    finally:
        await admin.close()


async def members_of(admin: AIOKafkaAdminClient, group: str) -> int:
    """The same, by a client that is connected."""
    coordinator = await _coordinator(admin, group)
    (answer,) = await admin.describe_consumer_groups([group], group_coordinator_id=coordinator)
    return sum(len(described[MEMBERS]) for described in answer.groups)


async def _coordinator(admin: AIOKafkaAdminClient, group: str) -> int:
    """The broker that knows the group; a new cluster makes the topic of groups when it is first asked."""
    for _ in range(TRIES - 1):
        try:
            found: int = await admin.find_coordinator(group)
        except GroupCoordinatorNotAvailableError:
            await asyncio.sleep(0.5)
        else:
            return found
    last: int = await admin.find_coordinator(group)
    return last
