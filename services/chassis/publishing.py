"""Sends outbox rows to Kafka so that no row overtakes another of its partition, whatever fails.

One batch per partition is on its way at a time: a batch is taken whole or not at all, and what comes after it is sent
only when it was acknowledged. (A producer left to itself may give up one batch and deliver the next.)
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError, RecordListTooLargeError
from aiokafka.partitioner import murmur2

from services.chassis import crash_points
from services.chassis.crash_points import Point

BATCH_BYTES = 512 * 1024
MAX_RECORD_BYTES = 1_000_000
"""Below the broker's own default limit for a batch, 1,048,588."""
ACKNOWLEDGED_WITHIN_SECONDS = 30.0

Partition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Row:
    """An outbox row as Kafka takes it."""

    id: int
    topic: str
    key: bytes | None
    headers: list[tuple[str, bytes]]
    body: bytes
    asked_at: datetime | None = None

    @property
    def size(self) -> int:
        """Roughly the bytes of its record."""
        return len(self.body) + len(self.key or b"") + sum(len(name) + len(value) for name, value in self.headers)


class TooLarge(Exception):
    """Kafka will never take these rows."""

    def __init__(self, rows: Sequence[Row]) -> None:
        super().__init__(f"{len(rows)} rows are too large for Kafka")
        self.rows = rows


class NotTogether(Exception):
    """Kafka refuses a batch for its size: its rows have to be sent one by one."""


async def publish(
    producer: AIOKafkaProducer, rows: Sequence[Row], acknowledged: Callable[[Row], None], *, one_by_one: bool
) -> None:
    """Send in order; `acknowledged` is told every row as soon as Kafka has it.

    Raises TooLarge, NotTogether, or the first error of Kafka. The producer is not to be used again after that.
    """
    if too_large := [row for row in rows if row.size > MAX_RECORD_BYTES]:
        raise TooLarge(too_large)
    queues: dict[Partition, deque[Row]] = {}
    for row in rows:
        queues.setdefault(await _partition(producer, row), deque()).append(row)
    while queues:
        async with asyncio.timeout(ACKNOWLEDGED_WITHIN_SECONDS):
            await _publish_heads(producer, queues, acknowledged, one_by_one=one_by_one)
        queues = {partition: queue for partition, queue in queues.items() if queue}


async def _publish_heads(
    producer: AIOKafkaProducer,
    queues: dict[Partition, deque[Row]],
    acknowledged: Callable[[Row], None],
    *,
    one_by_one: bool,
) -> None:
    """The first batch of every queue, together."""
    sent, waiting = [], []
    for (topic, partition), queue in queues.items():
        batch = producer.create_batch()
        rows: list[Row] = []
        while queue and not (one_by_one and rows):
            head = queue[0]
            if batch.append(timestamp=None, key=head.key, value=head.body, headers=head.headers) is None:
                break
            rows.append(queue.popleft())
        sent.append(rows)
        waiting.append(await producer.send_batch(batch, topic, partition=partition))
    crash_points.reached(Point.AFTER_PUBLISH)
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    for rows, outcome in zip(sent, outcomes, strict=True):
        if not isinstance(outcome, BaseException):
            for row in rows:
                acknowledged(row)
    for rows, outcome in zip(sent, outcomes, strict=True):
        if isinstance(outcome, MessageSizeTooLargeError | RecordListTooLargeError):
            raise TooLarge(rows) if len(rows) == 1 else NotTogether from outcome
        if isinstance(outcome, BaseException):
            raise outcome


async def give_up(producer: AIOKafkaProducer) -> None:
    """Let a producer end without what Kafka has not taken: by itself its end waits for that as long as Kafka is away,
    with idempotence for ever. Takes as long as a request that is under way, and no longer."""
    await producer._sender.close()
    for batches in producer._message_accumulator._batches.values():
        for batch in batches:
            batch.future.cancel()


async def _partition(producer: AIOKafkaProducer, row: Row) -> Partition:
    """Where the key belongs (murmur2, as every producer that shares our topics); a row without one goes anywhere."""
    partitions = sorted(await producer.partitions_for(row.topic))
    place = row.id if row.key is None else murmur2(row.key) & 0x7FFFFFFF
    return row.topic, partitions[place % len(partitions)]
