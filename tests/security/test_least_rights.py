"""The services, teams and tools work in Kafka with the rights that contracts give them, and can do nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from booking_contracts.booking import BookingConfirmed
from booking_contracts.client import BookingClient
from booking_contracts.rights import rights_of_team
from booking_contracts.testkit.system import System
from booking_contracts.topics import TOPICS

from deploy.local.stack import Stack
from services.chassis.kafka_settings import KafkaSettings
from tests.flows.operators import bookingctl
from tests.flows.story import ends_paid
from tests.security.users import Users

pytestmark = pytest.mark.requirement("least-rights")


async def written(client: dict[str, Any]) -> set[str]:
    """The topics of ours that take a record from this client."""
    names = [topic.name for topic in TOPICS]
    async with AIOKafkaProducer(**client) as producer:
        sent = (producer.send_and_wait(name, b"{}", key=b"nobody's") for name in names)
        outcomes = await asyncio.gather(*sent, return_exceptions=True)
    refused = [type(outcome) for outcome in outcomes if isinstance(outcome, BaseException)]
    assert {*refused} <= {TopicAuthorizationFailedError}
    return {name for name, outcome in zip(names, outcomes, strict=True) if not isinstance(outcome, BaseException)}


async def test_a_booking_of_a_team_goes_all_the_way(system: System, users: Users) -> None:
    studio = await system.studio()
    command = system.place(studio, "alice")
    async with BookingClient(users.servers, source="/loyalty", security=users.security("loyalty")) as client:
        await client.ask(command)
        await client.outcome(command.booking_id, BookingConfirmed)
    await ends_paid(system, studio, command.booking_id)
    await system.mail("alice@example.com", "confirmed")


@pytest.mark.parametrize(
    ("user", "writes"),
    [
        ("loyalty", {"booking.commands", "wallet.commands"}),
        ("backoffice", {"booking.commands", "wallet.commands", "booking.admin-commands"}),
        ("operators", set()),
    ],
)
async def test_a_user_writes_to_its_own_topics_alone(users: Users, user: str, writes: set[str]) -> None:
    assert await written(users.client(user)) == writes


async def test_nobody_else_reads_as_a_service_or_what_is_between_services(users: Users) -> None:
    async def read(topic: str, group: str) -> None:
        consumer = AIOKafkaConsumer(topic, **users.client("loyalty"), group_id=group, auto_offset_reset="earliest")
        try:
            await consumer.start()
            await consumer.getmany(timeout_ms=5_000)
        finally:
            await consumer.stop()

    await read("booking.events", "loyalty-points")
    with pytest.raises(GroupAuthorizationFailedError):
        await read("booking.events", "payments")
    with pytest.raises(TopicAuthorizationFailedError):
        await read("payments.commands", "loyalty-points")


@pytest.mark.parametrize("way", ["by_certificate", "by_token"])
async def test_a_certificate_or_a_token_is_as_good_as_a_password(
    users: Users, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    for name, value in getattr(users, way)("loyalty").items():
        monkeypatch.setenv(name, value)
    admin = AIOKafkaAdminClient(**KafkaSettings().kafka_client())
    await admin.start()
    try:
        seen = {*await admin.list_topics()}
    finally:
        await admin.close()
    assert seen == {right.name for right in rights_of_team("loyalty") if right.resource == "topic"}


async def test_operators_see_where_services_stand(stack: Stack, users: Users) -> None:
    shown = bookingctl(stack.env | users.env("operators"), "positions", "show", "booking", "--json")
    assert "booking.commands" in shown
    assert "no such partition" not in shown
