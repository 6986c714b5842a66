"""The relay on a real Kafka: what is too large, what is held open beside it, who is frozen, who is stopped."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer
from booking_contracts.testkit.waiting import eventually
from booking_contracts.topics import BOOKING_EVENTS, CATALOGUE_EVENTS

from deploy.local.stack import Stack
from services.chassis import relay as relays
from services.chassis.relay import Relay
from tests import backend
from tests.faults.settings import LONG

OPEN_SECONDS = 300 if LONG else 20


class Outbox:
    """Writes rows as a service does and hears what arrives."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record], consumer: AIOKafkaConsumer) -> None:
        self.connection, self._consumer = connection, consumer
        self.heard: list[tuple[str, float]] = []

    async def write(self, key: str, name: str, body: bytes = b"{}", topic: str = BOOKING_EVENTS.name) -> None:
        headers = json.dumps([("ce_id", name), ("ce_type", "t")])
        await self.connection.execute(
            "INSERT INTO outbox (topic, key, headers, body) VALUES ($1, $2, $3, $4)", topic, key, headers, body
        )

    async def hears(self, name: str, seconds: float = 20) -> None:
        async with asyncio.timeout(seconds):
            while name not in [heard for heard, _ in self.heard]:
                record = await self._consumer.getone()
                self.heard.append((dict(record.headers)["ce_id"].decode(), time.monotonic()))

    async def left(self) -> int:
        count: int = await self.connection.fetchval("SELECT count(*) FROM outbox")
        return count


@pytest.fixture
async def outbox(broker: Stack) -> AsyncIterator[Outbox]:
    connection = await asyncpg.connect(broker.env["BOOKING_DATABASE_URL"])
    await connection.execute("DELETE FROM outbox; DELETE FROM dead_letter")
    servers = broker.env["KAFKA_BOOTSTRAP_SERVERS"]
    topics = (BOOKING_EVENTS.name, CATALOGUE_EVENTS.name)
    async with AIOKafkaConsumer(*topics, bootstrap_servers=servers, fetch_max_wait_ms=20) as consumer:
        await consumer.seek_to_end()
        yield Outbox(connection, consumer)
    await connection.close()


@asynccontextmanager
async def running(broker: Stack, name: str = "a") -> AsyncIterator[Relay]:
    relay = Relay(broker.env["BOOKING_DATABASE_URL"], broker.env["KAFKA_BOOTSTRAP_SERVERS"], name)
    task = asyncio.create_task(relay.run())
    yield relay
    relay.stop()
    await asyncio.wait_for(task, 10)


@pytest.mark.requirement("outbox", "poison")
async def test_a_row_too_large_for_kafka_is_set_aside_and_those_behind_it_go_on(broker: Stack, outbox: Outbox) -> None:
    key = str(uuid4())
    for name, size in (("first", 10), ("huge", 5_000_000), ("second", 10), ("at-the-limit", 990_000), ("third", 10)):
        await outbox.write(key, name, b"x" * size)
    async with running(broker):
        await outbox.hears("third")
    assert [name for name, _ in outbox.heard] == ["first", "second", "at-the-limit", "third"]
    (letter,) = await outbox.connection.fetch("SELECT topic, octet_length(body) AS size FROM dead_letter")
    assert (letter["topic"], letter["size"]) == ("outbox:booking.events", 5_000_000)
    assert await outbox.left() == 0


@pytest.mark.requirement("outbox", "poison")
async def test_a_row_that_the_broker_refuses_is_found_among_its_batch(
    broker: Stack, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.publishing.MAX_RECORD_BYTES", 50_000_000)
    monkeypatch.setattr("services.chassis.relay.BATCH_BYTES", 8_000_000)
    key = str(uuid4())
    for name, size in (("one", 10), ("two", 2_000_000), ("three", 10)):
        await outbox.write(key, name, b"x" * size)
    async with running(broker):
        await outbox.hears("three")
    assert list(dict.fromkeys(name for name, _ in outbox.heard)) == ["one", "three"]
    assert await outbox.connection.fetchval("SELECT count(*) FROM dead_letter") == 1


@pytest.mark.requirement("outbox")
@pytest.mark.timeout(OPEN_SECONDS + 200)
async def test_a_write_transaction_held_open_delays_nobody_and_loses_nothing(broker: Stack, outbox: Outbox) -> None:
    other = await asyncpg.connect(broker.env["BOOKING_DATABASE_URL"])
    delays: list[float] = []
    async with running(broker):
        held = other.transaction()
        await held.start()
        headers = json.dumps([("ce_id", "late"), ("ce_type", "t")])
        insert = "INSERT INTO outbox (topic, key, headers, body) VALUES ('booking.events', 'late', $1, '')"
        await other.execute(insert, headers)
        until, number = time.monotonic() + OPEN_SECONDS, 0
        while time.monotonic() < until:
            number += 1
            await outbox.write(f"k{number % 7}", f"n{number}")
            written = time.monotonic()
            await other_wake(outbox)
            await outbox.hears(f"n{number}")
            delays.append(outbox.heard[-1][1] - written)
        await held.commit()
        await outbox.hears("late", 70)
    delays.sort()
    middle, worst = delays[len(delays) // 2], delays[int(len(delays) * 0.99)]
    print(f"{OPEN_SECONDS} s, {number} rows: p50 {middle * 1000:.1f} ms, p99 {worst * 1000:.1f} ms")
    assert [name for name, _ in outbox.heard if name != "late"] == [f"n{n}" for n in range(1, number + 1)]
    assert worst < 1, "a gap that somebody holds open is not waited for"
    await other.close()


async def other_wake(outbox: Outbox) -> None:
    """What a standby does when its own batch has committed."""
    await outbox.connection.execute("SELECT pg_notify('outbox', '')")


class Frozen:
    """A relay in a thread whose event loop can be stopped for a while, as SIGSTOP stops a process."""

    def __init__(self, broker: Stack) -> None:
        self._loop = asyncio.new_event_loop()
        self._relay = Relay(broker.env["BOOKING_DATABASE_URL"], broker.env["KAFKA_BOOTSTRAP_SERVERS"], "frozen")
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._relay.run(),))
        self._thread.start()

    def freeze(self, seconds: float) -> None:
        self._loop.call_soon_threadsafe(time.sleep, seconds)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._relay.stop)
        self._thread.join(20)


@pytest.mark.requirement("outbox", "ordering")
async def test_a_frozen_leader_is_replaced_and_does_no_harm_when_it_wakes(
    broker: Stack, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relays, "LEADER_IDLE", "2s")
    leader = Frozen(broker)
    try:
        await outbox.write("k", "before")
        await outbox.hears("before")
        await asyncio.sleep(0.5)  # between parse and bind a session is not idle; it would live for 30 s
        leader.freeze(8)
        async with running(broker, "standby"):
            for number in range(50):
                await outbox.write("k", f"n{number}")
            began = time.monotonic()
            await outbox.hears("n49")
            assert time.monotonic() - began < 6
            await asyncio.sleep(max(0.0, 9 - (time.monotonic() - began)))
            await outbox.write("k", "after")
            await outbox.hears("after")
    finally:
        leader.stop()
    first = list(dict.fromkeys(name for name, _ in outbox.heard))
    assert first == ["before", *(f"n{number}" for number in range(50)), "after"]


@pytest.mark.requirement("outbox")
async def test_a_stopped_relay_has_forgotten_what_it_published(broker: Stack, outbox: Outbox) -> None:
    async with running(broker) as relay:
        for number in range(300):
            await outbox.write(f"k{number % 5}", f"n{number}")
        await outbox.hears("n0")
        relay.stop()
    async with running(broker):
        await outbox.hears("n299")
    names = [name for name, _ in outbox.heard]
    assert len(names) == len(set(names)), "nothing is published twice"


@pytest.mark.requirement("outbox")
async def test_rows_of_a_restored_database_are_not_forgotten_for_those_that_had_their_ids(
    broker: Stack, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relays, "QUIET_SECONDS", 5.0)  # what is published is not forgotten before
    admin = await asyncpg.connect(broker.env["POSTGRES_ADMIN_URL"].rsplit("/", 1)[0] + "/booking")
    async with running(broker) as relay:
        await outbox.write("k", "lost")
        await outbox.hears("lost")
        await admin.execute("UPDATE outbox SET headers = replace(headers, 'lost', 'again')")  # as after a restore
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'a-relay'")
        relay.wake()
        await outbox.hears("again")
    await admin.close()
    assert await outbox.left() == 0


async def test_a_relay_whose_broker_is_away_is_alive(broker: Stack) -> None:
    relay = Relay(broker.env["BOOKING_DATABASE_URL"], "127.0.0.1:9", "lonely")
    task = asyncio.create_task(relay.run())
    await asyncio.sleep(1)
    before = relay.last_progress
    await asyncio.sleep(1.5)
    assert relay.last_progress > before
    task.cancel()


@pytest.mark.skipif(bool(backend.contained(os.environ)), reason="a broker in a container lasts as long as its stack")
@pytest.mark.requirement("outbox", "health")
async def test_a_relay_is_alive_while_a_broker_is_away_that_has_not_taken_its_rows(
    broker: Stack, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.publishing.ACKNOWLEDGED_WITHIN_SECONDS", 1.0)
    async with running(broker) as relay:
        await outbox.write("k", "before")
        await outbox.hears("before")
        await asyncio.to_thread(broker.stop_process, "kafka", signal.SIGKILL)
        try:
            await outbox.write("k", "meanwhile")
            relay.wake()
            written = time.monotonic()
            await eventually("it tries again", lambda: _progress(relay), lambda at: at > written + 8.0, 30.0)
        finally:
            await asyncio.to_thread(broker.start_process, "kafka")
        await outbox.hears("meanwhile")


async def _progress(relay: Relay) -> float:
    return relay.last_progress
