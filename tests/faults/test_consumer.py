"""Where reading goes on: where the database says, whatever Kafka's group remembers, however late it answers."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from booking_contracts.topics import NOTIFICATIONS_EVENTS as TOPIC

from deploy.local.stack import Stack
from services.chassis.consumer import Consumer
from services.chassis.messages import Raw
from services.chassis.offsets import Partition

PARTITION = (TOPIC.name, 5)


class Positions:
    """The table consumed_position of a database that may be away."""

    def __init__(self, next_offset: int | None, refusals: int = 0) -> None:
        self.next_offset, self.refusals = next_offset, refusals

    async def read(self, wanted: list[Partition]) -> dict[Partition, int]:
        await asyncio.sleep(0.1)  # Kafka answers sooner
        if self.refusals:
            self.refusals -= 1
            raise ConnectionRefusedError
        return {} if self.next_offset is None else {PARTITION: self.next_offset}


@pytest.fixture
async def servers(broker: Stack) -> str:
    """Ten more records on one partition."""
    servers: str = broker.env["KAFKA_BOOTSTRAP_SERVERS"]
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        for number in range(10):
            await producer.send_and_wait(TOPIC.name, b"%d" % number, partition=PARTITION[1])
    return servers


async def first_record(servers: str, group: str, positions: Positions) -> Raw:
    """Join, read until something comes, leave; commits nothing."""

    async def nothing_in_hand() -> None:
        return None

    consumer = Consumer(
        bootstrap_servers=servers,
        group=group,
        instance="t",
        event_topics=(TOPIC.name,),
        command_topics=(),
        give_up=nothing_in_hand,
        positions=positions.read,
    )
    await consumer.start()
    try:
        async with asyncio.timeout(20):
            while True:
                for raw in await consumer.wait(500, 0.2):
                    if raw.partition == PARTITION[1]:
                        return raw
    finally:
        await consumer.stop()


async def commit(servers: str, group: str, offset: int) -> None:
    async with AIOKafkaConsumer(TOPIC.name, bootstrap_servers=servers, group_id=group) as consumer:
        await consumer.commit({TopicPartition(*PARTITION): offset})


@pytest.mark.requirement("inbox", "ordering")
async def test_a_restored_database_reads_again_what_it_has_lost(servers: str) -> None:
    group = f"g{uuid4()}"
    await commit(servers, group, 9)
    assert (await first_record(servers, group, Positions(4))).offset == 4


@pytest.mark.requirement("inbox", "ordering")
async def test_a_database_that_never_read_a_partition_begins_at_its_beginning(servers: str) -> None:
    group = f"g{uuid4()}"
    await commit(servers, group, 9)
    assert (await first_record(servers, group, Positions(None))).offset == 0


@pytest.mark.requirement("inbox", "ordering")
async def test_nothing_is_read_before_the_database_has_answered(servers: str) -> None:
    group, positions = f"g{uuid4()}", Positions(4, refusals=3)
    await commit(servers, group, 2)
    assert (await first_record(servers, group, positions)).offset == 4
    assert positions.refusals == 0
