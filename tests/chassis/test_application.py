"""Every service is a FastStream application: made by its factory, documented from contracts' one source."""

from __future__ import annotations

import importlib
from typing import Any
from uuid import uuid4

import pytest
from booking_contracts.envelope import Envelope, uuid7
from faststream import FastStream
from faststream.kafka import TestKafkaBroker
from pydantic import SecretStr

from services.booking.app import SERVICE
from services.chassis.process import Parts, Process
from services.chassis.settings import Settings
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene

ENVIRONMENT = {
    "DATABASE_URL": "postgresql://localhost:1/nowhere",
    "KAFKA_BOOTSTRAP_SERVERS": "localhost:1",
    "STRIPE_API_KEY": "sk_test_fake",
    "STRIPE_WEBHOOK_SECRETS": '["whsec_fake"]',
    "SMTP_HOST": "localhost",
    "SMTP_PORT": "1",
    "MAIL_FROM": "no-reply@example.org",
    "ADMIN_EMAIL": "admin@example.org",
}


@pytest.fixture(params=["booking", "payments", "notifications"])
def made(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[str, FastStream]:
    """A service's name, and what `faststream run services.<name>.app:application --factory` starts."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("services.chassis.logging.configure", lambda *_: None)
    monkeypatch.setattr("services.chassis.process.calm_garbage_collector", lambda: None)
    app = importlib.import_module(f"services.{request.param}.app").application()
    return request.param, app


@pytest.mark.requirement("contracts")
def test_a_service_is_an_application_with_one_subscriber_for_all_its_topics(made: tuple[str, FastStream]) -> None:
    name, app = made
    assert isinstance(app, FastStream)
    assert app.broker is not None
    (subscriber,) = app.broker.subscribers
    document: Any = app.schema.to_specification().to_jsonable()
    received = {
        operation["channel"]["$ref"].rpartition("/")[2]
        for operation in document["operations"].values()
        if operation["action"] == "receive"
    }
    assert set(subscriber.topic_names_for_subscribe) == received, name  # type: ignore[attr-defined]


@pytest.mark.requirement("contracts")
def test_its_document_is_whole(made: tuple[str, FastStream]) -> None:
    name, app = made
    document: Any = app.schema.to_specification().to_jsonable()
    assert document["info"]["title"] == f"{name} service"
    for channel in document["channels"].values():
        for message in channel["messages"]:
            told = document["components"]["messages"][message]
            assert told["bindings"]["kafka"]["key"]
            assert message == "dead-letter" or "properties" in told["payload"]["schema"]


async def test_a_command_is_decided_through_the_application_in_memory(
    engine: Engine, databases: dict[str, str]
) -> None:
    scene = await Scene(engine).open()
    command, message_id = scene.place(), uuid4()
    settings = Settings(database_url=databases["BOOKING_DATABASE_URL"], kafka_bootstrap_servers="localhost:1")
    process = Process(Parts(SERVICE, settings, add_routes=lambda *_: None), engine.clock)
    envelope = Envelope(
        id=message_id,
        type=command.ce_type,
        source="/test",
        key=command.key,
        time=engine.clock.now(),
        body=command.model_dump_json().encode(),
        correlation_id=str(uuid7()),
    )
    broker: Any = process.app.broker
    async with TestKafkaBroker(broker):
        headers = {name: value.decode() for name, value in envelope.headers()}
        await broker.publish(envelope.body, command.topic, key=envelope.key.encode(), headers=headers, partition=9)
    (reply,) = [sent for sent in await engine.sent() if sent.body.get("command_id") == str(message_id)]
    assert reply.body["state"] == "PENDING_PAYMENT"


def test_kafka_is_told_who_the_service_is() -> None:
    settings = Settings(
        database_url="postgresql://nowhere",
        kafka_bootstrap_servers="localhost:1",
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_username="booking",
        kafka_sasl_password=SecretStr("fake"),
    )
    told: dict[str, Any] = settings.kafka_security()
    assert (told["security_protocol"], told["sasl_mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")
    assert (told["sasl_plain_username"], told["sasl_plain_password"].encode("ascii")) == ("booking", b"fake")
    assert told["ssl_context"].check_hostname
    plain = Settings(database_url="postgresql://nowhere", kafka_bootstrap_servers="localhost:1")
    assert plain.kafka_client() == {"bootstrap_servers": "localhost:1"}
