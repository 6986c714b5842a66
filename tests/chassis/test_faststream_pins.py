"""What FastStream does that shaped our engine. A red test here is good news: read which decision it asks to revisit."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage, KafkaPublishMessage, TestKafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaAckableMessage
from faststream.kafka.parser import AioKafkaParser
from faststream.kafka.publisher.producer import AioKafkaFastProducerImpl
from faststream.kafka.response import KafkaPublishCommand
from faststream.kafka.subscriber import usecase
from faststream.response.publish_type import PublishType


def record(*headers: tuple[str, bytes | None]) -> Any:
    return ConsumerRecord("t", 0, 0, 0, 0, b"k", b"1", None, 1, 1, headers)


async def test_consume_swallows_what_a_handler_raises() -> None:
    """Else the engine's subscriber need not override `consume_one`, and a batch that failed is never read past."""
    broker, failed = KafkaBroker(), []
    subscriber = broker.subscriber("t", batch=True, ack_policy=AckPolicy.MANUAL)

    @subscriber
    async def handler(batch: list[int]) -> None:
        failed.append(batch)
        raise RuntimeError("the database is away")

    async with TestKafkaBroker(broker):
        await subscriber.consume((record(),))

        assert failed == [[1]]
        with pytest.raises(RuntimeError):
            await subscriber.process_message((record(),))


@pytest.mark.parametrize("value", [b"\xff", None])
async def test_its_parser_fails_on_a_header_that_is_no_text(value: bytes | None) -> None:
    """Else the parsers of the engine and of booking_contracts.faststream can be FastStream's own."""
    parser = AioKafkaParser(msg_class=KafkaMessage, regex=None)

    with pytest.raises((UnicodeDecodeError, AttributeError)):
        await parser.parse_message(record(("x", value)))


async def test_its_batch_subscriber_sleeps_after_an_empty_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the engine can wait for records in FastStream's own `get_msg`, and looks at local messages elsewhere."""
    subscriber, slept = KafkaBroker().subscriber("t", batch=True, batch_timeout_ms=70), []

    async def getmany(**_: object) -> dict[object, object]:
        return {}

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(usecase, "anyio", SimpleNamespace(sleep=sleep))

    assert await subscriber.get_msg(cast(Any, SimpleNamespace(getmany=getmany))) == ()
    assert slept == [0.07]


async def test_ack_commits_wherever_the_consumer_stands() -> None:
    """Else a batch could be acknowledged by itself; as it is, the engine commits offsets, and gives FAKE_CONSUMER."""
    committed: list[tuple[object, ...]] = []

    async def commit(*offsets: object) -> None:
        committed.append(offsets)

    message = KafkaAckableMessage(record(), b"", consumer=cast(Any, SimpleNamespace(commit=commit)))
    await message.ack()

    assert committed == [()]
    await KafkaAckableMessage(record(), b"", consumer=FAKE_CONSUMER).ack()


def test_what_nobody_says_is_committed_before_it_is_handled() -> None:
    """Else MANUAL, and at the edge NACK_ON_ERROR, need not be said."""
    assert KafkaBroker().subscriber("t").ack_policy is AckPolicy.ACK_FIRST


def test_it_makes_topics_that_are_missing_unless_told_otherwise() -> None:
    """With the broker's partitions instead of ours. Else `allow_auto_create_topics=False` need not be said."""
    assert inspect.signature(KafkaBroker).parameters["allow_auto_create_topics"].default is True


async def test_a_batch_loses_the_headers_of_its_messages() -> None:
    """Else the relay could publish through FastStream's `publish_batch` instead of aiokafka's batches."""
    sent: list[list[tuple[str, bytes]]] = []

    def append(*, headers: list[tuple[str, bytes]], **_: object) -> object:
        sent.append(headers)
        return object()

    async def send_batch(*_: object, **__: object) -> Any:
        async def acknowledged() -> None:
            return None

        return acknowledged()

    kafka = SimpleNamespace(create_batch=lambda: SimpleNamespace(append=append), send_batch=send_batch)
    producer = AioKafkaFastProducerImpl(None, None)
    producer._producer = cast(Any, SimpleNamespace(producer=kafka))
    messages = [KafkaPublishMessage(b"1", key=b"k", headers={"ce_id": number}) for number in ("1", "2")]

    await producer.publish_batch(
        KafkaPublishCommand(*messages, topic="t", correlation_id="c", _publish_type=PublishType.PUBLISH)
    )

    assert [[name for name, _ in headers] for headers in sent] == [["correlation_id"], ["correlation_id"]]


async def test_a_record_is_parsed_anew_for_every_handler() -> None:
    """Else booking_contracts.faststream need not keep on the record what it has parsed."""
    parsed: list[object] = []

    async def parse(raw: Any, original: Any) -> Any:
        parsed.append(raw)
        return await original(raw)

    broker = KafkaBroker()
    subscriber = broker.subscriber("t", parser=parse)

    async def never(_: object) -> bool:
        return False

    async def always(_: object) -> bool:
        return True

    @subscriber(filter=never)
    async def one(_: Any) -> None:
        pass

    @subscriber(filter=always)
    async def two(_: Any) -> None:
        pass

    async with TestKafkaBroker(broker):
        await subscriber.process_message(record())

    assert len(parsed) == 2
