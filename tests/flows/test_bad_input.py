"""Bad input over the real Kafka: answered where the id is readable, dead-lettered always, and nobody else waits."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from booking_contracts.booking import CommandRejected
from booking_contracts.client import BookingClient
from booking_contracts.testkit.system import System
from booking_contracts.testkit.waiting import eventually

from deploy.local.stack import Stack

TOPIC = "booking.commands"


def headers(message_id: str, **changes: str) -> list[tuple[str, bytes]]:
    pairs = {"ce_id": message_id, "ce_type": "booking.PlaceBooking.v1", **changes}
    return [(name, value.encode()) for name, value in pairs.items() if value]


def cases(good: dict[str, Any]) -> dict[str, tuple[str, bytes, dict[str, str]]]:
    """Name → (expected field, body, header changes)."""

    def body(**changes: Any) -> bytes:
        return json.dumps({**good, **changes}).encode()

    return {
        "broken JSON": ("body", b'{"booking_id": ', {}),
        "not UTF-8": ("body", b"\xff\xfe\x00", {}),
        "extra field": ("price", body(price={"amount": 1, "currency": "EUR"}), {}),
        "wrong type": ("seats", body(seats="two"), {}),
        "missing field": ("offering_id", body(offering_id=None), {}),
        "null byte": ("customer.name", body(customer={**good["customer"], "name": "a\x00b"}), {}),
        "bad address": ("customer.email", body(customer={**good["customer"], "email": "nobody"}), {}),
        "oversized": ("body", b'{"x": "' + b"x" * 300_000 + b'"}', {}),
        "unknown type": ("ce_type", body(), {"ce_type": "booking.Fly.v1"}),
        "no type": ("ce_type", body(), {"ce_type": ""}),
    }


async def dead_letters(system: System) -> list[dict[str, str]]:
    """The headers of everything on booking's dead-letter topic."""
    consumer = AIOKafkaConsumer(
        "booking.dead-letters",
        bootstrap_servers=system.env["KAFKA_BOOTSTRAP_SERVERS"],
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    async with consumer:
        found: list[dict[str, str]] = []
        while batch := await consumer.getmany(timeout_ms=500):
            for records in batch.values():
                found += [{name: value.decode() for name, value in record.headers} for record in records]
        return found


@pytest.mark.requirement("bad-input")
async def test_bad_input_is_answered_set_aside_and_stops_nobody(system: System, running_stack: Stack) -> None:
    pids = [running_stack.pid(name) for name in ("booking-1", "booking-2")]
    studio = await system.studio()
    command = system.place(studio, "ines")
    good = json.loads(command.model_dump_json(exclude_none=True))
    sent = {name: (str(uuid4()), *case) for name, case in cases(good).items()}
    producer = AIOKafkaProducer(bootstrap_servers=system.env["KAFKA_BOOTSTRAP_SERVERS"])
    async with producer:
        for message_id, _, body, changes in sent.values():
            pairs = headers(message_id, **changes)
            await producer.send_and_wait(TOPIC, body, key=str(command.booking_id).encode(), headers=pairs)
        wrong_key = str(uuid4())
        await producer.send_and_wait(TOPIC, json.dumps(good).encode(), key=b"other", headers=headers(wrong_key))
        await producer.send_and_wait(TOPIC, b"{}", key=b"k", headers=[("ce_type", b"booking.PlaceBooking.v1")])
        await producer.send_and_wait(TOPIC, b"{}", key=None, headers=[])
    await system.accepted(command)  # the same key, behind all of it
    for name, (message_id, field, _, _) in sent.items():
        reply = await _rejection(system.client, message_id)
        assert (name, reply.details["field"]) == (name, field)
    assert (await _rejection(system.client, wrong_key)).details["field"] == "key"

    async def all_set_aside() -> bool:
        ids = [letter.get("ce_id") for letter in await dead_letters(system)]
        return {message_id for message_id, *_ in sent.values()} <= set(ids) and ids.count(None) >= 2

    await eventually("every refused record is a dead letter", all_set_aside)
    assert [running_stack.pid(name) for name in ("booking-1", "booking-2")] == pids


async def _rejection(client: BookingClient, message_id: str) -> CommandRejected:
    reply = await client.reply(UUID(message_id))
    assert isinstance(reply, CommandRejected)
    return reply
