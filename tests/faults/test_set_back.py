"""A database that was set back notices it by Kafka's offsets, and knows which records it reads again."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from booking_contracts.topics import NOTIFICATIONS_EVENTS

from deploy.local.stack import Stack
from services.chassis import metrics
from services.chassis.database import Pool
from services.chassis.set_back import LATELY_DAYS, SetBack, reads_again
from tests.faults.test_intake import Table, of, reading

TOPIC, NUMBER = NOTIFICATIONS_EVENTS.name, 7
QUIET = 8
"""A partition that the group has read to its end: nothing of it is forgotten."""


@pytest.fixture
async def database(broker: Stack) -> AsyncIterator[Pool]:
    pool = await asyncpg.create_pool(broker.env["PAYMENTS_DATABASE_URL"], min_size=1, max_size=1)
    assert pool is not None
    async with pool:
        await pool.execute("DELETE FROM consumed_position")
        yield pool
        await pool.execute("DELETE FROM read_again")
        await pool.execute("DELETE FROM consumed_position")


async def stands(database: Pool, offset: int, number: int = NUMBER) -> None:
    await database.execute(
        """
        INSERT INTO consumed_position (topic, partition, next_offset) VALUES ($1, $2, $3)
        ON CONFLICT (topic, partition) DO UPDATE SET next_offset = EXCLUDED.next_offset
        """,
        TOPIC,
        number,
        offset,
    )


async def filled(broker: Stack, number: int = NUMBER) -> int:
    """Six records more in a partition; returns where it ends."""
    async with AIOKafkaProducer(bootstrap_servers=broker.env["KAFKA_BOOTSTRAP_SERVERS"]) as producer:
        sent = [await producer.send_and_wait(TOPIC, b"old", partition=number) for _ in range(6)]
    return int(sent[-1].offset) + 1


def replica(broker: Stack, group: str) -> AIOKafkaConsumer:
    """One of a service's group, which commits what a test says."""
    servers = broker.env["KAFKA_BOOTSTRAP_SERVERS"]
    return AIOKafkaConsumer(TOPIC, bootstrap_servers=servers, group_id=group, enable_auto_commit=False)


def noticed_at() -> float:
    """What alerts watch."""
    found = metrics.set_back.collect()
    return next(iter(found)).samples[0].value


@pytest.mark.requirement("inbox", "retry-mechanism")
async def test_what_is_read_again_is_known_and_what_is_new_is_not(broker: Stack, database: Pool) -> None:
    servers, url = broker.env["KAFKA_BOOTSTRAP_SERVERS"], broker.env["PAYMENTS_DATABASE_URL"]
    group = f"g{uuid4()}"
    for number in (NUMBER, QUIET):
        await filled(broker, number)
    async with replica(broker, group) as consumer:
        ends = await consumer.end_offsets([TopicPartition(TOPIC, number) for number in (NUMBER, QUIET)])
        end = ends[TopicPartition(TOPIC, NUMBER)]
        await consumer.commit({**ends, TopicPartition(TOPIC, NUMBER): end - 2})  # the last second is in no offset

        await stands(database, ends[TopicPartition(TOPIC, QUIET)], QUIET)
        await stands(database, end - 2)
        one_life = SetBack(url)
        await one_life.look(consumer)
        assert not one_life.lately()
        assert noticed_at() == 0
        assert not await reads_again(database)

        await stands(database, end - 4)
        noticed = SetBack(url)
        await noticed.look(consumer)
        assert noticed.lately()
        assert abs(noticed_at() - time.time()) < 60
        again = [offset for offset in range(end - 1, end + 2) if noticed.is_read_again(TOPIC, NUMBER, offset)]
        assert again == [end - 1], "up to where the log ended"
        assert not noticed.is_read_again(TOPIC, QUIET, ends[TopicPartition(TOPIC, QUIET)] - 1)
        assert await reads_again(database)

        await stands(database, end - 3)
        await consumer.commit({TopicPartition(TOPIC, NUMBER): end - 3})  # follows the database back
        later = SetBack(url)
        await later.look(consumer)
        assert later.lately()
        assert later.is_read_again(TOPIC, NUMBER, end - 1)

    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        await producer.send_and_wait(TOPIC, b"new", partition=NUMBER)
    async with reading(servers, of([TOPIC]), Table(), group, SetBack(url)) as reader:
        await reader.until(lambda: any(raw.body == b"new" for raw in reader.found))
    here = [raw for raw in reader.found if raw.partition == NUMBER]
    assert [raw.again for raw in here] == [raw.offset < end for raw in here]

    await stands(database, end - 2)
    assert await reads_again(database), "calls may last"
    await database.execute("UPDATE read_again SET read_at = read_at - interval '1 minute'")
    assert not await reads_again(database)


@pytest.mark.requirement("inbox", "retry-mechanism")
async def test_a_second_time_is_noticed_though_nothing_new_is_in_the_log(broker: Stack, database: Pool) -> None:
    url, end = broker.env["PAYMENTS_DATABASE_URL"], await filled(broker)
    async with replica(broker, f"g{uuid4()}") as consumer:
        ends = await consumer.end_offsets([TopicPartition(TOPIC, NUMBER)])
        assert ends == {TopicPartition(TOPIC, NUMBER): end}
        for handled, forgotten in ((end - 3, end - 5), (end - 1, end - 3)):
            await consumer.commit({TopicPartition(TOPIC, NUMBER): handled})
            await stands(database, forgotten)
            await SetBack(url).look(consumer)
            assert await reads_again(database)
            await stands(database, handled)
            assert await reads_again(database), "calls may last"
            await database.execute("UPDATE read_again SET read_at = read_at - interval '1 minute'")
            assert not await reads_again(database)


@pytest.mark.requirement("inbox", "retry-mechanism")
async def test_what_the_log_does_not_hold_any_more_is_not_waited_for(broker: Stack, database: Pool) -> None:
    """Kafka has lost its end, too; or what was forgotten went by age while the service stood."""
    url, end = broker.env["PAYMENTS_DATABASE_URL"], await filled(broker)
    async with replica(broker, f"g{uuid4()}") as consumer:
        await consumer.commit({TopicPartition(TOPIC, NUMBER): end + 5})
        await stands(database, end - 5)
        await SetBack(url).look(consumer)
    await stands(database, end - 3)
    assert await reads_again(database)
    later = "UPDATE read_again SET noticed_at = noticed_at - make_interval(days => $1)"
    await database.execute(later, LATELY_DAYS)
    assert not await reads_again(database), "it is not there any more"
    await database.execute(later, -LATELY_DAYS)
    await stands(database, end)
    await reads_again(database)
    await database.execute("UPDATE read_again SET read_at = read_at - interval '1 minute'")
    assert not await reads_again(database), "all there is was read"
