"""The subscriber of a service on a real Kafka: where it begins, what it passes over, what it never reads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka import codec as codec_module
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy as RecordBatch
from booking_contracts.client.lost_connections import lose_connections_visibly
from booking_contracts.testkit.waiting import eventually
from booking_contracts.topics import NOTIFICATIONS_EVENTS, WALLET_COMMANDS, WALLET_REPLIES
from faststream import FastStream
from faststream.kafka import KafkaBroker

from deploy.local.stack import Stack
from services.booking.app import SERVICE
from services.chassis.failures import Broken
from services.chassis.intake import Intake
from services.chassis.messages import Raw
from services.chassis.offsets import Partition
from services.chassis.positions import Positions
from services.chassis.service import Service
from services.chassis.set_back import SetBack

TOPIC = NOTIFICATIONS_EVENTS.name
PARTITION = (TOPIC, 5)


class Table:
    """The table consumed_position of a database that may be away."""

    def __init__(self, next_offset: int | None = None, refusals: int = 0) -> None:
        self.next_offset, self.refusals = next_offset, refusals

    async def read(self, wanted: Collection[Partition]) -> dict[Partition, int]:
        await asyncio.sleep(0.1)  # Kafka answers sooner
        if self.refusals:
            self.refusals -= 1
            raise ConnectionRefusedError
        return {} if self.next_offset is None else {PARTITION: self.next_offset}


class Nothing:
    """No local messages."""

    def __init__(self) -> None:
        self.woken = asyncio.Event()

    async def due(self, most: int, partitions: Collection[int]) -> list[Raw]:
        return []


class Reader:
    """A service that notes what it is given, through a real FastStream application."""

    def __init__(
        self, servers: str, table: Table, service: Service, group: str, set_back: SetBack | None = None
    ) -> None:
        self.found: list[Raw] = []
        self.batches: list[list[Raw]] = []
        self.faults: list[BaseException] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self.positions = Positions(table.read, set_back)
        self.positions.give_up = self._idle
        self._turn = asyncio.Lock()
        broker = KafkaBroker(servers, consumer_only=True, allow_auto_create_topics=False, apply_types=False)
        named = replace(service, name=group)
        local: Any = Nothing()
        self.intake = Intake(broker, named, local, self.positions, self.faults.append)
        self.intake(self._handle)
        self.app = FastStream(broker)

    @property
    def busy(self) -> bool:
        return self._turn.locked()

    async def _idle(self) -> None:
        async with self._turn:
            return

    async def _handle(self, batch: list[Raw]) -> None:
        async with self._turn:
            await self.hold.wait()
            self.batches.append(batch)
            self.found += batch
            self.positions.done({(raw.topic, raw.partition): raw.offset + 1 for raw in batch})

    async def until(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        async def look() -> bool:
            return condition()

        await eventually("it is read", look, seconds=seconds)


def of(events: Sequence[str] = (), commands: Sequence[str] = ()) -> Service:
    return replace(SERVICE, event_topics=tuple(events), command_topics=dict.fromkeys(commands))


@asynccontextmanager
async def reading(
    servers: str,
    service: Service,
    table: Table | None = None,
    group: str = "",
    set_back: SetBack | None = None,
) -> AsyncIterator[Reader]:
    reader = Reader(servers, table or Table(), service, group or f"g{uuid4()}", set_back)
    async with reader.app:
        yield reader


@pytest.fixture
async def servers(broker: Stack) -> str:
    """Ten more records on one partition."""
    servers: str = broker.env["KAFKA_BOOTSTRAP_SERVERS"]
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        for number in range(10):
            await producer.send_and_wait(TOPIC, b"%d" % number, partition=PARTITION[1])
    return servers


async def first_record(servers: str, group: str, table: Table) -> Raw:
    async with reading(servers, of([TOPIC]), table, group) as reader:
        await reader.until(lambda: any(raw.partition == PARTITION[1] for raw in reader.found))
        return next(raw for raw in reader.found if raw.partition == PARTITION[1])


async def commit(servers: str, group: str, offset: int) -> None:
    async with AIOKafkaConsumer(TOPIC, bootstrap_servers=servers, group_id=group) as consumer:
        await consumer.commit({TopicPartition(*PARTITION): offset})


async def committed(servers: str, group: str) -> int | None:
    async with AIOKafkaConsumer(bootstrap_servers=servers, group_id=group) as consumer:
        found: int | None = await consumer.committed(TopicPartition(*PARTITION))
        return found


async def end_of(servers: str, topic: str, partition: int) -> int:
    async with AIOKafkaConsumer(bootstrap_servers=servers) as consumer:
        ends = await consumer.end_offsets([TopicPartition(topic, partition)])
        return int(ends[TopicPartition(topic, partition)])


@pytest.mark.requirement("inbox", "ordering")
async def test_a_restored_database_reads_again_what_it_has_lost(servers: str) -> None:
    group = f"g{uuid4()}"
    await commit(servers, group, 9)
    assert (await first_record(servers, group, Table(4))).offset == 4


@pytest.mark.requirement("inbox", "ordering")
async def test_a_database_that_never_read_a_partition_begins_at_its_beginning(servers: str) -> None:
    group = f"g{uuid4()}"
    await commit(servers, group, 9)
    assert (await first_record(servers, group, Table(None))).offset == 0


@pytest.mark.requirement("inbox", "ordering")
async def test_nothing_is_read_before_the_database_has_answered(servers: str) -> None:
    group, table = f"g{uuid4()}", Table(4, refusals=3)
    await commit(servers, group, 2)
    assert (await first_record(servers, group, table)).offset == 4
    assert table.refusals == 0


@pytest.mark.requirement("ordering")
async def test_a_log_that_ends_before_the_databases_position_stops_the_service(servers: str) -> None:
    end = await end_of(servers, *PARTITION)
    async with reading(servers, of([TOPIC]), Table(end + 5)) as reader:
        await reader.until(lambda: bool(reader.faults))
    (fault,) = reader.faults
    assert isinstance(fault, Broken)
    assert "bookingctl positions" in str(fault)
    assert reader.found == []


@pytest.mark.requirement("transaction-atomicity")
async def test_only_what_was_handled_is_committed(servers: str) -> None:
    group = f"g{uuid4()}"
    end = await end_of(servers, *PARTITION)
    async with reading(servers, of([TOPIC]), Table(end - 3), group) as reader:
        reader.hold.clear()
        timer = asyncio.create_task(reader.positions.commit_forever())
        await asyncio.sleep(1)
        assert await committed(servers, group) is None
        reader.hold.set()
        await reader.until(lambda: bool(reader.found))
        timer.cancel()
    assert await committed(servers, group) == end


@pytest.mark.requirement("health")
async def test_what_was_read_and_not_handled_is_lag(servers: str) -> None:
    end = await end_of(servers, *PARTITION)
    async with reading(servers, of([TOPIC]), Table(end - 3)) as reader:
        reader.hold.clear()
        await reader.until(lambda: reader.busy)
        await asyncio.sleep(0.1)

        async def lag() -> int:
            found = await reader.positions.lag(idle=not reader.busy)
            return found[TOPIC].records

        assert await lag() >= 3
        reader.hold.set()
        await eventually("all of it is handled", lambda: _none(lag))


async def _none(lag: Callable[[], Awaitable[int]]) -> bool:
    return await lag() == 0


@pytest.mark.requirement("ordering")
async def test_events_come_first_and_commands_fill_half_of_a_batch(servers: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        for _ in range(600):
            await producer.send(WALLET_COMMANDS.name, b"{}", partition=0)
        await producer.flush()
    async with reading(servers, of([], [WALLET_COMMANDS.name])) as reader:
        await reader.until(lambda: len(reader.found) >= 600)
    async with reading(servers, of([TOPIC], [WALLET_COMMANDS.name])) as reader:
        await reader.until(lambda: len(reader.found) >= 500)
        mixed = [batch for batch in reader.batches if {raw.topic for raw in batch} == {TOPIC, WALLET_COMMANDS.name}]
    for batch in mixed:
        topics = [raw.topic for raw in batch]
        assert topics == sorted(topics, key=lambda topic: topic != TOPIC), "events first"
        assert topics.count(WALLET_COMMANDS.name) <= 250
    assert mixed


@pytest.mark.requirement("ordering")
async def test_nobody_waits_for_a_partition_that_is_flooded(servers: str) -> None:
    topic = WALLET_REPLIES.name
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer, reading(servers, of([], [topic])) as reader:
        await producer.send_and_wait(topic, b"first", partition=0)
        await reader.until(lambda: any(raw.body == b"first" for raw in reader.found))
        reader.hold.clear()
        for number in range(1800):
            await producer.send(topic, b"%d" % number, partition=1)
        await producer.flush()
        await asyncio.sleep(0.5)
        await producer.send_and_wait(topic, b"alone", partition=2)
        await asyncio.sleep(0.5)
        reader.batches.clear()
        reader.hold.set()
        await reader.until(lambda: any(raw.body == b"1799" for raw in reader.found))
    when = next(number for number, batch in enumerate(reader.batches) if any(raw.body == b"alone" for raw in batch))
    assert when <= 2, f"one record waited for {when} batches of a flood"
    flood = [int(raw.body) for raw in reader.found if raw.partition == 1 and raw.body.isdigit()]
    assert flood == list(range(1800)), "and the flood is in order"


@pytest.mark.requirement("notify-people")
async def test_a_service_that_nobody_waits_for_lets_its_messages_gather(servers: str) -> None:
    topic = WALLET_REPLIES.name
    patient = replace(of([], [topic]), gathers_seconds=0.5)
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer, reading(servers, patient) as reader:
        await producer.send_and_wait(topic, b"begin", partition=3)
        await reader.until(lambda: any(raw.body == b"begin" for raw in reader.found))
        reader.batches.clear()
        began = time.monotonic()
        for _ in range(20):
            await producer.send_and_wait(topic, b"one of many", partition=3)
            await asyncio.sleep(0.05)
        await reader.until(lambda: sum(raw.body == b"one of many" for raw in reader.found) == 20)
    assert len(reader.batches) <= (time.monotonic() - began) / 0.5 + 1


@pytest.mark.requirement("bad-input", "poison")
async def test_records_that_the_library_cannot_decode_are_noted_and_passed_over(servers: str) -> None:
    topic = WALLET_REPLIES.name
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        await producer.send_and_wait(topic, b"before", partition=3)
        await producer.send_batch(_unreadable_headers(3), topic, partition=3)
        await producer.flush()
        await producer.send_and_wait(topic, b"after", partition=3)
        await producer.send_and_wait(topic, b"elsewhere", partition=4)
    async with reading(servers, of([topic])) as reader:
        await reader.until(lambda: {b"after", b"elsewhere"} <= {raw.body for raw in reader.found})
    here = [raw for raw in reader.found if raw.partition == 3]
    bad = [raw for raw in here if raw.undecodable]
    assert (len(bad), [raw.body for raw in here].count(b"good")) == (3, 3), "those of the same batch are read"
    assert all("UnicodeDecodeError" in raw.undecodable for raw in bad)
    assert [raw.offset for raw in here] == list(range(here[0].offset, here[0].offset + len(here)))
    assert reader.faults == []


def _unreadable_headers(count: int) -> Any:
    """Records with a header whose name is no UTF-8, as another client can send them, each with a good one behind it."""

    class Name(str):
        def encode(self, *_: object) -> bytes:
            return b"\xff\xfe"

    from aiokafka.producer.message_accumulator import BatchBuilder

    builder = BatchBuilder(1 << 16, 0)
    builder._builder = RecordBatch(2, 0, False, -1, -1, 0, 1 << 16)
    for _ in range(count):
        builder.append(timestamp=None, key=b"k", value=b"bad", headers=[(Name("x"), b"v")])
        builder.append(timestamp=None, key=b"k", value=b"good", headers=[("x", b"v")])
    return builder


@pytest.mark.requirement("bad-input", "poison")
async def test_batches_that_cannot_be_unpacked_are_noted_and_passed_over(
    servers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A codec that the library cannot handle, on a topic that says nothing about compression."""
    topic = f"t{uuid4()}"
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 2, 1)])
    await admin.close()
    for body, codec in ((b"before", None), (b"packed" * 9, "lz4"), (b"after", None)):
        async with AIOKafkaProducer(bootstrap_servers=servers, compression_type=codec) as producer:
            await producer.send_and_wait(topic, body, partition=0)
            if codec is None:
                await producer.send_and_wait(topic, body, partition=1)
    monkeypatch.setattr(codec_module, "has_lz4", lambda: False)
    async with reading(servers, of([topic])) as reader:
        await reader.until(lambda: len(reader.found) == 5)
    here = [(raw.offset, raw.body, bool(raw.undecodable)) for raw in reader.found if raw.partition == 0]
    assert here == [(0, b"before", False), (1, b"", True), (2, b"after", False)]
    assert reader.faults == []


@pytest.mark.requirement("transaction-atomicity")
async def test_records_of_an_aborted_transaction_are_never_read(servers: str) -> None:
    topic = WALLET_REPLIES.name
    async with AIOKafkaProducer(bootstrap_servers=servers, transactional_id=f"t{uuid4()}") as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"never", partition=7)
        await producer.abort_transaction()
        async with producer.transaction():
            await producer.send_and_wait(topic, b"told", partition=7)
    async with reading(servers, of([topic])) as reader:
        await reader.until(lambda: any(raw.body == b"told" for raw in reader.found))

        async def no_lag() -> bool:
            return (await reader.positions.lag(idle=True))[topic].records == 0

        await eventually("the markers of transactions are no lag", no_lag, seconds=5)
    assert [raw.body for raw in reader.found if raw.partition == 7] == [b"told"]


@pytest.mark.requirement("health")
async def test_a_consumer_whose_fetcher_has_ended_is_made_anew(servers: str) -> None:
    """Nothing comes then, and nobody says so."""
    topic = WALLET_REPLIES.name
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer, reading(servers, of([topic])) as reader:
        await producer.send_and_wait(topic, b"first", partition=8)
        await reader.until(lambda: any(raw.body == b"first" for raw in reader.found))
        first = reader.positions.consumer

        async def unexpected(*_: object, **__: object) -> bool:
            raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")

        first._fetcher._proc_fetch_request = unexpected
        await reader.until(lambda: reader.positions.consumer is not first)
        await producer.send_and_wait(topic, b"second", partition=8)
        await reader.until(lambda: any(raw.body == b"second" for raw in reader.found))
    assert reader.faults == []


@pytest.mark.requirement("health")
async def test_uvloops_word_for_a_cut_connection_is_kafkas(servers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AIOKafkaConnection, "send", AIOKafkaConnection.send)  # put back afterwards
    lose_connections_visibly()
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        await producer.send_and_wait(WALLET_REPLIES.name, b"over this one", partition=8)
        connection = next(iter(producer.client._conns.values()))

        def write(_: bytes) -> None:
            raise RuntimeError("the handler is closed")

        monkeypatch.setattr(connection._writer, "write", write)
        with pytest.raises(KafkaConnectionError, match="the handler is closed"):
            connection.send(MetadataRequest([]))
        assert not connection.connected()
        await producer.send_and_wait(WALLET_REPLIES.name, b"over a new one", partition=8)


@pytest.mark.requirement("health")
async def test_a_consumer_whose_coordinator_has_ended_is_made_anew(
    servers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As aiokafka tells it: a connection was cut while its coordinator wrote, and nothing answers from then on."""
    topic = WALLET_REPLIES.name
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer, reading(servers, of([topic])) as reader:
        await producer.send_and_wait(topic, b"before", partition=9)
        await reader.until(lambda: any(raw.body == b"before" for raw in reader.found))
        first = reader.positions.consumer

        async def ended(*_: object, **__: object) -> None:
            raise KafkaError("Unexpected error during coordination RuntimeError('the handler is closed')")

        first.getmany = ended
        starts = iter([KafkaConnectionError("the broker is away, too"), None])
        make = AIOKafkaConsumer.start

        async def start(consumer: AIOKafkaConsumer) -> None:
            if (refused := next(starts, None)) is not None:
                raise refused
            await make(consumer)

        monkeypatch.setattr(AIOKafkaConsumer, "start", start)
        await reader.until(lambda: reader.positions.consumer is not first)
        await producer.send_and_wait(topic, b"after it", partition=9)
        await reader.until(lambda: any(raw.body == b"after it" for raw in reader.found))
    assert reader.faults == []
