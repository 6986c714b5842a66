"""Puts records on Kafka as they are: header names of any bytes, values that are null, any codec, a batch of one.

aiokafka writes header names as text; its own builder in Python asks each name to encode itself, which is the way in.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from booking_contracts.topics import PARTITIONS

from tests.hostile.records import Hostile, Sent

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
MOST_BYTES = 900_000
"""Of records in one batch; Kafka takes 1 MiB."""


class _Name(str):
    """A header name that is written as these bytes."""

    raw: bytes

    def __new__(cls, raw: bytes) -> Self:
        name = super().__new__(cls, raw.decode("latin-1"))
        name.raw = raw
        return name

    def encode(self, *_args: Any, **_kwargs: Any) -> bytes:
        return self.raw


def _batch(records: Sequence[Hostile]) -> BatchBuilder:
    batch = BatchBuilder(10**8, CODECS[records[0].codec], is_transactional=0)
    batch._builder = _DefaultRecordBatchBuilderPy(2, CODECS[records[0].codec], 0, -1, -1, 0, 10**8)
    for record in records:
        headers = [(_Name(name), value) for name, value in record.headers]
        batch.append(timestamp=None, key=record.key, value=record.value, headers=headers)
    batch.close()
    return batch


class Wire:
    """A producer of raw batches; `sent` is what Kafka took."""

    def __init__(self, servers: str) -> None:
        self._servers = servers
        self.sent: list[Sent] = []

    async def __aenter__(self) -> Self:
        self._producer = AIOKafkaProducer(bootstrap_servers=self._servers, acks="all", max_request_size=10**7)
        await self._producer.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._producer.stop()

    async def send(self, records: Iterable[Hostile]) -> None:
        """Send in order, those of a partition in as few batches as fit; returns once Kafka has all of them."""
        waiting = [asyncio.ensure_future(self._deliver(*where, group)) for where, group in _grouped(records)]
        for delivered in waiting:
            self.sent += await delivered

    async def send_to(self, partition: int, record: Hostile) -> None:
        """Send to a partition whatever the key says."""
        self.sent += await self._deliver(record.topic, partition, [record])

    async def _deliver(self, topic: str, partition: int, records: Sequence[Hostile]) -> list[Sent]:
        taken = []
        for batch in _fitting(records):
            future = await self._producer.send_batch(_batch(batch), topic, partition=partition)
            base = (await future).offset
            taken += [Sent(record, partition, base + nth) for nth, record in enumerate(batch)]
        return taken


def partition_of(key: bytes | None) -> int:
    """As the contract says: murmur2, as Kafka's own clients. Without a key anywhere, here the first."""
    return 0 if key is None else (murmur2(key) & 0x7FFFFFFF) % PARTITIONS


def _grouped(records: Iterable[Hostile]) -> list[tuple[tuple[str, int], list[Hostile]]]:
    groups: defaultdict[tuple[str, int], list[Hostile]] = defaultdict(list)
    for record in records:
        groups[record.topic, partition_of(record.key)].append(record)
    return [*groups.items()]


def _fitting(records: Sequence[Hostile]) -> list[list[Hostile]]:
    batches: list[list[Hostile]] = []
    size = 0
    for record in records:
        bytes_ = len(record.value or b"") + sum(len(name) + len(value or b"") + 10 for name, value in record.headers)
        if not batches or size + bytes_ > MOST_BYTES or record.codec != batches[-1][0].codec:
            batches.append([])
            size = 0
        batches[-1].append(record)
        size += bytes_
    return batches
