"""What Kafka has: where the logs of topics begin and end, and who reads them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError, TopicAuthorizationFailedError
from booking_contracts.patience import within

from services.chassis.offsets import Partition

TRIES = 20
MEMBERS = 5
"""Which field of a described group they are: error, group, state, protocol type, protocol, members."""
NAMED = slice(1, 3)
"""Of a member: its id, client id and host, metadata, assignment."""

READING = {
    "group_id": None,
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "isolation_level": "read_committed",
    "max_partition_fetch_bytes": 16_384,
}
"""Of who only looks."""
PATIENCE_SECONDS = 10.0
ENDS_WITHIN_SECONDS = 3.0
MARKERS_SECONDS = 1.0
LOOK_MS = 100
MOST_MARKERS = 100
"""A gap that is wider has records in it."""


Client = TypeVar("Client", AIOKafkaAdminClient, AIOKafkaConsumer)


class Reader(NamedTuple):
    """A consumer of a group: how it calls itself, and from where it comes."""

    client_id: str
    host: str


class Log(NamedTuple):
    """The first offset that is still there, and the one that the next record gets."""

    begin: int
    end: int
    here: int = 0
    """Where its reader stands once what is no record is passed over."""


@asynccontextmanager
async def started(client: Client) -> AsyncIterator[Client]:
    """Started within PATIENCE_SECONDS, and ended soon, whatever Kafka does."""
    try:
        await within(PATIENCE_SECONDS, client.start())
        yield client
    finally:
        with suppress(TimeoutError, KafkaError):
            await within(
                ENDS_WITHIN_SECONDS, client.close() if isinstance(client, AIOKafkaAdminClient) else client.stop()
            )


async def logs(
    kafka: Mapping[str, object], topics: Collection[str], stands: Mapping[Partition, int]
) -> dict[Partition, Log]:
    """By topic and partition; a topic that is not there has none.

    `kafka`: what a client is made with; `stands`: the positions of who reads them.
    """
    async with started(AIOKafkaAdminClient(**kafka)) as admin:
        described = await admin.describe_topics(sorted(topics))
    partitions = [
        TopicPartition(topic["topic"], partition["partition"])
        for topic in described
        if topic["error_code"] == 0
        for partition in topic["partitions"]
    ]
    if not partitions:
        return {}
    async with started(AIOKafkaConsumer(**kafka, **READING)) as consumer:
        begins = await consumer.beginning_offsets(partitions)
        ends = {(one.topic, one.partition): end for one, end in (await consumer.end_offsets(partitions)).items()}
        here = {place: max(stands.get(place, 0), begins[place]) for place in ends}
    here |= await past_markers(kafka, here, ends)
    return {place: Log(begins[place], end, here[place]) for place, end in ends.items()}


async def past_markers(
    kafka: Mapping[str, object], here: Mapping[Partition, int], ends: Mapping[Partition, int]
) -> dict[Partition, int]:
    """The ends of partitions that have no record any more from `here` on: no service waits for more there.

    What they have are markers of transactions, and records of those that were given up.
    """
    waiting = {TopicPartition(*place): at for place, at in here.items() if 0 < ends[place] - at <= MOST_MARKERS}
    if not waiting:
        return {}
    found: dict[Partition, int] = {}
    until = time.monotonic() + MARKERS_SECONDS
    async with started(AIOKafkaConsumer(**kafka, **READING)) as consumer:
        consumer.assign(list(waiting))
        for partition, at in waiting.items():
            consumer.seek(partition, at)
        while waiting and time.monotonic() < until:
            try:
                read = await consumer.getmany(*waiting, timeout_ms=LOOK_MS, max_records=1)
            except TopicAuthorizationFailedError:  # operators may see where topics end without reading them
                break
            for partition in list(waiting):
                place = (partition.topic, partition.partition)
                if partition in read:
                    del waiting[partition]
                elif await consumer.position(partition) >= ends[place]:
                    found[place] = ends[place]
                    del waiting[partition]
    return found


async def members(kafka: Mapping[str, object], group: str) -> int:
    """How many consumers a group has now."""
    async with started(AIOKafkaAdminClient(**kafka)) as admin:
        return len(await readers(admin, group))


async def readers(admin: AIOKafkaAdminClient, group: str) -> tuple[Reader, ...]:
    """Who they are, by a client that is connected."""
    coordinator = await _coordinator(admin, group)
    (answer,) = await admin.describe_consumer_groups([group], group_coordinator_id=coordinator)
    return tuple(Reader(*one[NAMED]) for described in answer.groups for one in described[MEMBERS])


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
