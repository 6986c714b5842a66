"""The lean end of Kafka: publish prepared commands, note when replies and events of each key arrive."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from booking_contracts import topics
from booking_contracts.client.booking_client import ClientCommand, topic_of
from booking_contracts.envelope import Envelope, Header, uuid7

HEARD = (topics.BOOKING_REPLIES.name, topics.BOOKING_EVENTS.name, topics.PAYMENTS_EVENTS.name)
STALLED_SECONDS = 30.0


class Stalled(AssertionError):
    """What was waited for stopped coming."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A command as bytes, made before the clock starts."""

    topic: str
    key: bytes
    body: bytes
    headers: list[Header]


def prepared(command: ClientCommand, key: UUID | None = None) -> Prepared:
    """The wire form of a command; `key` where the body does not name it."""
    text, identity = str(key) if key else command.key, uuid7()
    body = command.model_dump_json(by_alias=True, exclude_none=True).encode()
    envelope = Envelope(identity, command.ce_type, "/bench", text, datetime.now(UTC), body, str(identity))
    return Prepared(topic_of(command), text.encode(), body, envelope.headers())


class Wire:
    """`seen[type][key]` is the monotonic time when a message of that type first arrived under that key."""

    def __init__(self, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer) -> None:
        self._producer, self._consumer = producer, consumer
        self.seen: defaultdict[str, dict[bytes, float]] = defaultdict(dict)
        self.counts: Counter[str] = Counter()
        self._changed = asyncio.Event()

    async def publish(self, command: Prepared) -> None:
        """Hand over to the producer, which sends at once."""
        await self._producer.send(command.topic, command.body, key=command.key, headers=command.headers)

    async def until(self, kind: str, keys: Sequence[bytes] | set[bytes]) -> None:
        """Wait until every key has had this type; raises Stalled when nothing comes any more."""
        while missing := set(keys) - self.seen[kind].keys():
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), STALLED_SECONDS)
            except TimeoutError:
                raise Stalled(f"{kind}: {len(missing)} of {len(keys)} never came; heard: {dict(self.counts)}") from None
            await asyncio.sleep(0.01)

    async def changed(self) -> None:
        """The next arrival of anything."""
        self._changed.clear()
        try:
            await asyncio.wait_for(self._changed.wait(), STALLED_SECONDS)
        except TimeoutError:
            raise Stalled(f"nothing came for {STALLED_SECONDS:.0f} s; heard: {dict(self.counts)}") from None

    async def listen(self) -> None:
        """Until cancelled."""
        while True:
            for records in (await self._consumer.getmany(timeout_ms=1000)).values():
                now = time.monotonic()
                for record in records:
                    kind = next(value for name, value in record.headers if name == "ce_type").decode()
                    self.counts[kind] += 1
                    self.seen[kind].setdefault(record.key, now)
                self._changed.set()


@asynccontextmanager
async def wired(bootstrap_servers: str, heard: Sequence[str] = HEARD) -> AsyncIterator[Wire]:
    """Producer and consumer on a running stack, from now on."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers, acks="all", enable_idempotence=True, linger_ms=0, max_batch_size=262_144
    )
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers, group_id=None, enable_auto_commit=False, fetch_max_wait_ms=10
    )
    await producer.start()
    await consumer.start()
    partitions = [TopicPartition(topic, number) for topic in heard for number in range(topics.PARTITIONS)]
    consumer.assign(partitions)
    await consumer.seek_to_end(*partitions)
    for partition in partitions:
        await consumer.position(partition)
    wire = Wire(producer, consumer)
    listening = asyncio.create_task(wire.listen())
    try:
        yield wire
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await producer.stop()
        await consumer.stop()
