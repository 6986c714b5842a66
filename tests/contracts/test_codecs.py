"""Any producer's codec is welcome: the topics unpack it, and our libraries could, too."""

from __future__ import annotations

import pytest
from aiokafka import AIOKafkaProducer, codec
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from booking_contracts.booking import BookingConfirmed
from booking_contracts.client import BookingClient
from booking_contracts.testkit.told import told
from booking_contracts.topics import BOOKING_EVENTS, TOPICS
from pydantic import ValidationError

from services.chassis.codecs import codecs_missing
from services.operations import topics
from tests.contracts.test_faststream import confirmed_event
from tests.flows.operators import bookingctl

CODECS = ["gzip", "lz4", "snappy", "zstd"]


async def settings_of(servers: str, topic: str) -> dict[str, str]:
    """What is set on the topic itself."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        return (await topics._settings(admin, [one for one in TOPICS if one.name == topic]))[topic]
    finally:
        await admin.close()


async def set_on(servers: str, topic: str, **config: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        config = {name.replace("_", "."): value for name, value in config.items()}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, config)])
    finally:
        await admin.close()


@pytest.mark.requirement("contracts", "bad-input")
@pytest.mark.parametrize("name", CODECS)
async def test_what_any_codec_packed_is_read(kafka: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by a reader that could not unpack it: the broker has done so."""
    event = confirmed_event()
    envelope = told(event)
    async with BookingClient(kafka, source="/team") as client:
        async with AIOKafkaProducer(bootstrap_servers=kafka, compression_type=name, linger_ms=50) as producer:
            key, headers = event.key.encode(), envelope.headers()
            for _ in range(20):
                await producer.send(event.topic, envelope.body, key=key, headers=headers)
            await producer.flush()
            monkeypatch.setattr(codec, "cramjam", None)

        assert await client.outcome(event.booking_id, BookingConfirmed, timeout_seconds=20) == event


@pytest.mark.requirement("contracts", "operations-cli")
async def test_settings_of_a_topic_that_is_there_already_follow_and_an_operators_own_stay(kafka: str) -> None:
    await set_on(kafka, BOOKING_EVENTS.name, compression_type="producer", max_message_bytes="1000", segment_ms="900000")

    assert await topics.apply({"bootstrap_servers": kafka}) == []

    assert await settings_of(kafka, BOOKING_EVENTS.name) == {**BOOKING_EVENTS.config, "segment.ms": "900000"}
    assert await settings_of(kafka, "catalogue.events") == {**BOOKING_EVENTS.config, "retention.ms": "-1"}


@pytest.mark.requirement("operations-cli")
async def test_what_a_cluster_wants_of_every_topic_is_set(kafka: str) -> None:
    env = {"KAFKA_BOOTSTRAP_SERVERS": kafka, "TOPICS_MIN_INSYNC_REPLICAS": "1"}

    said = bookingctl(env, "topics", "apply", "--config", "segment.bytes=100000000", "--config", "segment.ms=800000")

    assert "nothing, all are there" in said
    wanted = {"min.insync.replicas": "1", "segment.bytes": "100000000", "segment.ms": "800000"}
    assert (await settings_of(kafka, "payments.events")).items() >= wanted.items()


@pytest.mark.requirement("operations-cli")
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TOPICS_MIN_INSYNC_REPLICAS", "2", "nothing could be written"),
        ("TOPICS_CONFIG", '{"retention.ms": "1"}', "retention.ms: contracts set that"),
        ("TOPICS_REPLICATION_FACTOR", "0", "greater than or equal to 1"),
    ],
)
def test_what_no_topic_can_have_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "nowhere:1")
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=said):
        topics.TopicsSettings()


@pytest.mark.requirement("contracts")
async def test_a_setting_that_the_broker_refuses_is_an_error(kafka: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("booking_contracts.topics.COMPRESSION", "brotli")

    with pytest.raises(Exception, match=r"brotli"):
        await topics.apply({"bootstrap_servers": kafka})


def test_every_codec_is_there() -> None:
    assert codecs_missing() == []


def test_a_codec_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "cramjam", None)

    assert codecs_missing() == ["lz4", "snappy", "zstd"]
