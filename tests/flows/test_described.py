"""The running services answer as their OpenAPI documents say: each operation once with a 200, and what else comes."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp import ClientResponse
from booking_contracts.booking import BookingConfirmed, CommandRejected, PaymentActionRequired
from booking_contracts.http import SERVICES
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import attendee, customer_actor
from booking_contracts.testkit.system import Studio, System
from booking_contracts.testkit.waiting import eventually
from booking_contracts.types import Price

from services.notifications.unsubscribing import Links
from tests.described import Described

SUBSCRIPTIONS, TESTED = "/v1/webhook-subscriptions", "catalogue.ScheduleSet.v1"


class Asker:
    """Asks the running services, and holds every answer to the document that the service itself shows."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.described = {service: Described(service) for service in SERVICES}

    async def get(self, service: str, path: str, status: int = 200, token: str | None = None) -> Any:
        """The body of an answer that has the status."""
        bearer = self._system.env["SERVICE_TOKEN"] if token is None else token
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        async with self._system.http.get(self._url(service, path), headers=headers) as answer:
            return await self._checked(service, path, answer, status)

    async def post(self, service: str, path: str, body: bytes, headers: Mapping[str, str], status: int = 200) -> Any:
        async with self._system.http.post(self._url(service, path), data=body, headers=headers) as answer:
            return await self._checked(service, path, answer, status)

    async def send(self, method: str, service: str, path: str, body: Any = None, token: str | None = None) -> Any:
        """The body of a 200, or with `token` empty of a 401."""
        bearer = self._system.env["SERVICE_TOKEN"] if token is None else token
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        async with self._system.http.request(method, self._url(service, path), json=body, headers=headers) as answer:
            return await self._checked(service, path, answer, 200 if bearer else 401)

    def _url(self, service: str, path: str) -> str:
        return self._system.env[f"{service.upper()}_URL"] + path

    async def _checked(self, service: str, path: str, answer: ClientResponse, status: int) -> Any:
        body = await answer.json() if answer.content_type.endswith("json") else await answer.text()
        assert answer.status == status, f"{path}: {answer.status} {body}"
        self.described[service].check(answer.method, path, answer.status, answer.content_type, body)
        return body


async def paid_with_company(system: System, studio: Studio) -> tuple[UUID, UUID]:
    """A booking for somebody else, paid; returns its id and that of its command."""
    command, command_id = system.place(studio, "dora", attendee=attendee("dora-junior")), uuid4()
    await system.accepted(command, command_id=command_id)
    await system.client.outcome(command.booking_id, BookingConfirmed)
    await system.payment_in(command.booking_id, "captured")
    return command.booking_id, command_id


async def waits_for_the_payer(system: System, studio: Studio) -> UUID:
    """A booking whose payer has to pass 3-D Secure."""
    command = system.place(studio, "dario", slot=1, card="pm_card_authenticationRequired")
    await system.accepted(command)
    await system.client.outcome(command.booking_id, PaymentActionRequired)
    await system.payment_in(command.booking_id, "requires_action")
    return UUID(str(command.booking_id))


async def ask_booking(asker: Asker, studio: Studio, booking_id: UUID, command_id: UUID) -> None:
    one, times = f"/v1/bookings/{booking_id}", f"from={_instant(studio.start(-1))}&to={_instant(studio.start(4))}"
    shown = await asker.get("booking", one)
    assert (shown["customer"]["email"], shown["attendee"]["id"]) == ("dora@example.com", "dora-junior")
    assert (await asker.get("booking", f"{one}/cancellation-quote"))["refund"]["amount"] == 4500
    assert [item["to"] for item in (await asker.get("booking", f"{one}/history"))["items"]][-1] == "CONFIRMED"
    page = await asker.get("booking", f"/v1/bookings?provider_id={studio.provider_id}&limit=1")
    assert page["next"] is not None
    slots = await asker.get("booking", f"/v1/availability?provider_id={studio.provider_id}&{times}")
    assert len(slots["slots"]) == 3
    assert (await asker.get("booking", f"/v1/commands/{command_id}"))["type"] == "booking.CommandAccepted.v1"
    await asker.get("booking", f"/v1/availability?offering_id={uuid4()}&{times}", 404)


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


async def ask_payments(asker: Asker, booking_id: UUID, waiting: UUID, wallet_command: UUID) -> None:
    assert (await asker.get("payments", f"/v1/payments/{booking_id}"))["status"] == "captured"
    await asker.get("payments", f"/v1/payments/{waiting}/client-secret")
    await asker.get("payments", f"/v1/payments/{booking_id}/client-secret", 409)
    assert len((await asker.get("payments", "/v1/wallets/dunja"))["balances"]) == 1
    assert (await asker.get("payments", f"/v1/ledger?account=escrow:{booking_id}"))["items"]
    assert (await asker.get("payments", "/v1/ledger?limit=1"))["next"] is not None
    assert (await asker.get("payments", f"/v1/commands/{wallet_command}"))["type"] == "wallet.CommandAccepted.v1"


async def bring_an_event(system: System, asker: Asker) -> None:
    """One of Stripe's, of a type that nobody acts on."""
    body = json.dumps({"id": f"evt_{uuid4().hex}", "type": "customer.created", "data": {"object": {}}}).encode()
    seconds = int((await system.clock.now()).timestamp())
    mac = hmac.digest(system.env["STRIPE_WEBHOOK_SECRET"].encode(), b"%d.%b" % (seconds, body), "sha256").hex()
    await asker.post("payments", "/webhooks/stripe", body, {"Stripe-Signature": f"t={seconds},v1={mac}"})
    await asker.post("payments", "/webhooks/stripe", body, {"Stripe-Signature": f"t={seconds},v1={mac[::-1]}"}, 400)


async def subscribe_and_end(asker: Asker) -> None:
    wanted = {"url": "http://127.0.0.1:9/hook", "owner_email": "owner@example.com", "event_types": [TESTED]}
    made = await asker.send("post", "notifications", SUBSCRIPTIONS, wanted)
    assert made["secret"].startswith("whsec_")
    listed = await asker.get("notifications", f"{SUBSCRIPTIONS}?limit=200")
    assert made["subscription_id"] in {one["subscription_id"] for one in listed["items"]}
    ended = await asker.send("delete", "notifications", f"{SUBSCRIPTIONS}/{made['subscription_id']}")
    assert ended["state"] == "deleted"


async def follow_a_link(system: System, asker: Asker) -> None:
    """The one that a reminder to somebody who is never reminded would have."""
    link = Links("", lambda: [system.env["UNSUBSCRIBE_SECRET"]]).to_end_reminders("nobody@example.com")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    await asker.get("notifications", link, token="")
    await asker.post("notifications", link, b"List-Unsubscribe=One-Click", form)


async def ask_every_service(asker: Asker, service: str) -> None:
    for path in ("/health/live", "/health/ready", "/health/startup", "/health/serving", "/metrics", "/codes.md"):
        await asker.get(service, path, token="")
    assert await asker.get(service, "/openapi.json", token="") == asker.described[service].document


@pytest.mark.requirement("contracts")
async def test_the_running_services_answer_as_their_documents_say(system: System) -> None:
    studio, asker, wallet_command = await system.studio(slots=3), Asker(system), uuid4()
    booking_id, command_id = await paid_with_company(system, studio)
    waiting = await waits_for_the_payer(system, studio)
    top_up = sample.top_up_wallet(
        customer_id="dunja",
        amount=Price(amount=5_000, currency="EUR"),
        payment_method="pm_card_visa",
        actor=customer_actor("dunja"),
    )
    await system.client.ask(top_up, command_id=wallet_command)
    await ask_booking(asker, studio, booking_id, command_id)
    await ask_payments(asker, booking_id, waiting, wallet_command)
    await bring_an_event(system, asker)
    await subscribe_and_end(asker)

    async def deliveries() -> Any:
        return (await asker.get("notifications", f"/v1/deliveries?booking_id={booking_id}"))["items"]

    await eventually("letters", deliveries, lambda found: {one["state"] for one in found} == {"succeeded"})
    await follow_a_link(system, asker)
    for service in SERVICES:
        await ask_every_service(asker, service)
    for service, operations in SERVICES.items():
        assert asker.described[service].seen == {one.name for one in operations}


@pytest.mark.requirement("contracts", "one-reply")
async def test_what_is_refused_is_described_too(system: System) -> None:
    asker, command_id = Asker(system), uuid4()
    refused = await system.client.ask(sample.cancel_booking(actor=customer_actor("dora")), command_id=command_id)
    assert isinstance(refused, CommandRejected)
    stored = await asker.get("booking", f"/v1/commands/{command_id}")
    assert (stored["type"], stored["code"]) == ("booking.CommandRejected.v1", "BOOKING_NOT_FOUND")
    for service, operations in SERVICES.items():
        for one in operations:
            path = one.path.replace("{", "").replace("}", "")
            if one.scope:
                await asker.send(one.method, service, path, token="")
            if one.scope and one.method == "get":
                await asker.get(service, f"{path}?color=red", 400)
