"""A booking goes all the way, and a system outside hears of it by webhooks."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from booking_contracts.booking import BookingConfirmed
from booking_contracts.testkit.system import System
from booking_contracts.testkit.waiting import eventually
from standardwebhooks.webhooks import Webhook

from tests.flows.operators import bookingctl
from tests.notifications.receivers import Receiver, receiving

pytestmark = pytest.mark.requirement("notify-systems", "operations-cli")
PATH = "/v1/webhook-subscriptions"
OVERLAP = str(365 * 24)
"""Hours of the real clock, which bookingctl goes by: the stack's is days ahead after other tests."""


async def subscribe(system: System, **wanted: Any) -> Any:
    headers = {"Authorization": f"Bearer {system.env['SERVICE_TOKEN']}"}
    body = {"owner_email": "owner@example.com", **wanted}
    async with system.http.post(system.env["NOTIFICATIONS_URL"] + PATH, json=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def unsubscribe(system: System, made: Any) -> None:
    headers = {"Authorization": f"Bearer {system.env['SERVICE_TOKEN']}"}
    url = f"{system.env['NOTIFICATIONS_URL']}{PATH}/{made['subscription_id']}"
    async with system.http.delete(url, headers=headers) as answer:
        assert answer.status == 200


async def heard(receiver: Receiver, booking_id: UUID, *types: str) -> list[Any]:
    """What came about a booking, once these types are among it."""

    async def look() -> list[Any]:
        events = [json.loads(got.body) for got in receiver.got]
        return [event for event in events if event["subject"] == str(booking_id)]

    return await eventually(
        "webhooks", look, lambda events: {*types} <= {event["type"] for event in events}, seconds=30
    )


async def test_a_system_hears_of_its_providers_bookings_signed(system: System) -> None:
    studio, other = await system.studio(), await system.studio()
    async with receiving() as receiver:
        made = await subscribe(system, url=receiver.url, provider_id=str(studio.provider_id))
        command, foreign = system.place(studio, "wilma"), system.place(other, "walter")
        for one in (command, foreign):
            await system.accepted(one)
            await system.payment_in(one.booking_id, "captured")
        types = ("booking.BookingPlaced.v1", "booking.BookingConfirmed.v1", "payments.PaymentCaptured.v1")
        events = await heard(receiver, command.booking_id, *types)
        await unsubscribe(system, made)

    for got in receiver.got:
        Webhook(made["secret"]).verify(got.body, got.headers)
    assert all(str(foreign.booking_id) not in got.body for got in receiver.got)
    numbers = [int(event["sequence"]) for event in events if event["type"].startswith("booking.")]
    assert numbers == sorted(numbers)
    confirmed = next(event for event in events if event["type"] == "booking.BookingConfirmed.v1")
    on_kafka = await system.client.outcome(command.booking_id, BookingConfirmed)
    assert confirmed["data"] == json.loads(on_kafka.model_dump_json(by_alias=True))


async def test_an_operator_sees_what_fails_and_sends_it_again(system: System) -> None:
    studio = await system.studio()
    async with receiving(Receiver(status=410, text="we have moved")) as receiver:
        made = await subscribe(
            system, url=receiver.url, event_types=["booking.BookingConfirmed.v1"], provider_id=str(studio.provider_id)
        )
        of = str(made["subscription_id"])
        command = system.place(studio, "xenia")
        await system.accepted(command)
        await heard(receiver, command.booking_id, "booking.BookingConfirmed.v1")

        async def look() -> Any:
            rows = json.loads(bookingctl(system.env, "webhooks", "list", "--ailing", "--json"))
            return [row["disabled_for"] for row in rows if row["subscription_id"] == of]

        await eventually("it is switched off", look, lambda found: found == ["gone"])
        notice = await system.mail("owner@example.com", "switched off")
        assert receiver.url in str(notice["text"])

        receiver.status = 200
        assert "active" in bookingctl(system.env, "webhooks", "enable", of)
        secret = bookingctl(system.env, "webhooks", "rotate", of, "--overlap-hours", OVERLAP).strip()
        assert "1 are sent again" in bookingctl(system.env, "webhooks", "redeliver", "--subscription", of, "--failed")

        async def states() -> Any:
            return [row["state"] for row in json.loads(bookingctl(system.env, "webhooks", "show", of, "--json"))]

        await eventually("it is taken", states, lambda found: found == ["succeeded"])
        assert len({got.id for got in receiver.got}) == 1
        for key in (secret, made["secret"]):
            Webhook(key).verify(receiver.got[-1].body, receiver.got[-1].headers)
        assert "is on its way" in bookingctl(system.env, "webhooks", "test", of)
        await eventually("the test", states, lambda found: found == ["succeeded", "succeeded"])
        assert "name a delivery" in bookingctl(system.env, "webhooks", "redeliver", code=1)
        assert "disabled" in bookingctl(system.env, "webhooks", "disable", of)
        await unsubscribe(system, made)
