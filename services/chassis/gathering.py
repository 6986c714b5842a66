"""What a batch is gathered from: local messages and events first, commands at most half of it while any of those wait;
and batches that the Kafka library cannot read, record by record (engine.md, Batch)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, CorruptRecordException, KafkaError, UnsupportedCodecError

from services.chassis.local import Local
from services.chassis.messages import OPERATION, Raw
from services.chassis.positions import Positions
from services.chassis.service import Service

MOST = 500
IDLE_SECONDS = 0.25
ANSWER_SECONDS = 0.002
"""How long Kafka takes to send what it has."""
COMPANY_SECONDS = 0.05
"""How long what nobody waits for waits for company; what somebody waits for takes it along at once."""
ENOUGH = 16
"""So many cost little more together than one: they wait for no more."""
UNDECODABLE = (UnsupportedCodecError, CorruptRecordException)

Batch = tuple[ConsumerRecord[bytes, bytes] | Raw, ...]
Found = list[ConsumerRecord[bytes, bytes] | Raw]


class Unfetchable(Exception):
    """Some partition has a batch that the Kafka library cannot read."""


class Gathering:
    """The next items of a service, from its partitions and its own table."""

    def __init__(self, service: Service, local: Local, positions: Positions) -> None:
        self._events, self._commands = frozenset(service.event_topics), frozenset(service.command_topics)
        self._every = self._events | self._commands
        self._gathers_seconds = service.gathers_seconds
        self._patient = service.nobody_waits_for
        self._patient_types = {name.encode() for name in service.nobody_waits_for}
        self._local, self._where = local, positions

    async def gather(self, consumer: AIOKafkaConsumer, pause_seconds: float) -> Found:
        """The next batch, with what comes in the pause before it; empty where there is none. Raises Unfetchable.

        A service that nobody waits for pauses from its first message on: what follows at once shares its batch.
        """
        events: Found = []
        commands: Found = []
        if self._gathers_seconds and pause_seconds <= 0:
            first = await self._next_record(consumer, IDLE_SECONDS)
            for record in first:
                (commands if record.topic in self._commands else events).append(record)
            if not first and not self._local.woken.is_set():
                return list(await self._local.due(MOST, self._where.numbers()))
            pause_seconds = self._gathers_seconds
        if pause_seconds > 0:
            for wait in (pause_seconds, ANSWER_SECONDS):
                await self._take(consumer, events, commands, MOST // 2)
                await asyncio.sleep(wait)
        local = await self._local.due(MOST, self._where.numbers())
        await self._take(consumer, events, commands, MOST // 2 if local else MOST)
        if local or events or commands or self._local.woken.is_set() or self._gathers_seconds:
            found = [*local, *events, *commands]
        else:
            found = await self._next_record(consumer, IDLE_SECONDS)
        found = await self._with_company(consumer, found)
        if self._where.moved:  # looked at last: what comes behind a rebalance is from where Kafka's group stands
            return list(local)
        return found

    async def _with_company(self, consumer: AIOKafkaConsumer, found: Found) -> Found:
        """Few items that nobody waits for: with what comes meanwhile, until one comes that somebody waits for."""
        until = time.monotonic() + COMPANY_SECONDS
        while found and len(found) < ENOUGH and all(map(self._can_wait, found)):
            if (left := until - time.monotonic()) <= 0:
                break
            records = [item for item in found if not isinstance(item, Raw)]
            records += await self._next_record(consumer, left)
            local = await self._local.due(MOST, self._where.numbers())
            found = [*local, *sorted(records, key=self._is_command)]
        return found

    def _can_wait(self, item: ConsumerRecord[bytes, bytes] | Raw) -> bool:
        """By its type; the result of a call by the call's operation. A row does not: its time has come."""
        if isinstance(item, Raw):
            return item.row is None and dict(item.headers).get(OPERATION) in self._patient
        return any(name == "ce_type" and value in self._patient_types for name, value in item.headers)  # or it is null

    def _is_command(self, record: ConsumerRecord[bytes, bytes]) -> bool:
        return record.topic in self._commands

    async def _take(self, consumer: AIOKafkaConsumer, events: Found, commands: Found, most: int) -> None:
        """What has been fetched; the library asks for more of a partition when it is taken, and not before."""
        events += await self._fetch_fairly(consumer, self._where.assigned(self._events), MOST - len(events))
        most = MOST // 2 if events else most
        commands += await self._fetch_fairly(consumer, self._where.assigned(self._commands), most - len(commands))

    async def one_by_one(self, consumer: AIOKafkaConsumer) -> Found:
        """Every partition by itself; where a batch of it cannot be read, record by record, and its offsets are noted.

        Each has its share, so that none of them waits for one that is flooded.
        """
        every = self._where.assigned(self._events) + self._where.assigned(self._commands)
        ends = await consumer.end_offsets(every)
        found: Found = []
        share = max(1, MOST // max(1, len(every)))
        for partition in every:
            most, tried = len(found) + share, -1
            while len(found) < most and (offset := await consumer.position(partition)) < ends[partition]:
                at_once = 1 if offset == tried else most - len(found)
                try:
                    if not (read := await self._fetch(consumer, [partition], at_once, wait_ms=500)):
                        break
                    found += read
                except Unfetchable as error:
                    if offset == tried:
                        topic, number = partition
                        found.append(Raw(topic, number, offset, None, [], b"", undecodable=str(error)))
                        offset += 1
                    tried = offset  # it may be one of those behind: from here on one at a time
                    consumer.seek(partition, offset)
        return found

    async def _next_record(self, consumer: AIOKafkaConsumer, seconds: float) -> Found:
        """Whatever comes first: a record, a result, a stored webhook; or nothing for a while."""
        every = self._where.assigned(self._every)
        if not every:
            await asyncio.sleep(seconds)
            return []
        fetch = asyncio.ensure_future(self._fetch(consumer, every, MOST // 2, int(seconds * 1000)))
        woken = asyncio.ensure_future(self._local.woken.wait())
        try:
            await asyncio.wait((fetch, woken), return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()
        if not fetch.done():
            fetch.cancel()
        try:
            return sorted(await fetch, key=self._is_command)
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            return []

    async def _fetch_fairly(self, consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition], most: int) -> Found:
        """Where there is more than that, every partition has its share too: aiokafka begins with the same one again."""
        if not partitions or most <= 0:
            return []
        found = await self._fetch(consumer, partitions, most)
        if len(found) < most:
            return found
        share = max(1, most // len(partitions))
        had = {(record.topic, record.partition) for record in found}
        for partition in partitions:
            if partition not in had:
                found += await self._fetch(consumer, [partition], share)
        return found

    async def _fetch(
        self, consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition], most: int, wait_ms: int = 0
    ) -> Found:
        try:
            found = await consumer.getmany(*partitions, timeout_ms=wait_ms, max_records=most)
        except (ConsumerStoppedError, asyncio.CancelledError):
            raise
        except Exception as error:
            if isinstance(error, KafkaError) and not isinstance(error, UNDECODABLE):
                raise
            raise Unfetchable(repr(error)) from error
        return [record for records in found.values() for record in records]
