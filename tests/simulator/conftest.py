"""A simulator on free ports, the real Stripe SDK as its client, and a webhook endpoint that records."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
import stripe
from aiohttp import web

from stripe_simulator.simulator import Settings, Simulator
from stripe_simulator.webhooks import Endpoint

WEBHOOK_SECRET = "whsec_test"
WAIT_SECONDS = 10.0


@dataclass
class Inbox:
    """The webhook endpoint: verifies and records what arrives; refuses the first `refusals` deliveries."""

    url: str = ""
    secret: str = WEBHOOK_SECRET
    refusals: int = 0
    events: list[stripe.Event] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def receive(self, request: web.BaseRequest) -> web.Response:
        payload = await request.read()
        event = stripe.Webhook.construct_event(payload, request.headers["Stripe-Signature"], self.secret, tolerance=0)
        if self.refusals > 0:
            self.refusals -= 1
            return web.Response(status=500)
        async with self.arrived:
            self.events.append(event)
            self.arrived.notify_all()
        return web.Response()

    def types(self) -> list[str]:
        return [event.type for event in self.events]

    async def until(self, condition: Callable[[list[str]], bool]) -> list[str]:
        """The types received so far, as soon as they satisfy the condition."""
        async with asyncio.timeout(WAIT_SECONDS), self.arrived:
            await self.arrived.wait_for(lambda: condition(self.types()))
        return self.types()


@dataclass
class Bench:
    """Everything a test drives."""

    simulator: Simulator
    inbox: Inbox
    http: aiohttp.ClientSession
    sdk: stripe.StripeClient
    offset_file: Path

    async def control(self, method: str, path: str, body: object = None, status: int = 200) -> Any:
        """The JSON answer of the control port."""
        async with self.http.request(method, self.simulator.control_url + path, json=body) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()

    async def faults(self, *entries: dict[str, object]) -> None:
        await self.control("PUT", "/faults", list(entries))

    async def post(
        self, path: str, form: dict[str, str] | None = None, key: str | None = None
    ) -> tuple[int, dict[str, str], dict[str, object]]:
        """Status, headers and body of a raw POST to the API."""
        headers = {"Authorization": "Bearer sk_test_1"} | ({"Idempotency-Key": key} if key else {})
        url = self.simulator.api_url + path
        async with self.http.post(url, data=form or {}, headers=headers) as answer:
            return answer.status, dict(answer.headers), cast(dict[str, object], await answer.json())

    def move_clock(self, seconds: int) -> None:
        """Set the offset from real time."""
        with self.offset_file.open("r+b") as file:
            file.write(struct.pack("<q", seconds))

    async def authorised(self, card: str = "pm_card_visa", amount: int = 4500) -> stripe.PaymentIntent:
        """A payment whose authorisation waits for its capture."""
        return await self.sdk.v1.payment_intents.create_async(
            {
                "amount": amount,
                "currency": "eur",
                "capture_method": "manual",
                "confirm": True,
                "payment_method": card,
                "allowed_payment_method_types": ["card"],
                "metadata": {"booking_id": "b-1"},
            }
        )

    async def captured(self, card: str = "pm_card_visa", amount: int = 4500) -> stripe.PaymentIntent:
        intent = await self.authorised(card, amount)
        return await self.sdk.v1.payment_intents.capture_async(intent.id)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    inbox = Inbox()
    receiver = web.ServerRunner(web.Server(inbox.receive), shutdown_timeout=0.1)
    await receiver.setup()
    await web.TCPSite(receiver, "127.0.0.1", 0).start()
    inbox.url = f"http://127.0.0.1:{receiver.addresses[0][1]}/webhooks"
    offset_file = tmp_path / "offset"
    offset_file.write_bytes(struct.pack("<q", 0))
    simulator = Simulator(
        Settings(
            endpoint=Endpoint(inbox.url, WEBHOOK_SECRET),
            clock_offset_file=offset_file,
            outcome_delay_seconds=3600,
        )
    )
    await simulator.start()
    client = stripe.AIOHTTPClient(timeout=10)
    sdk = stripe.StripeClient(
        "sk_test_1",
        base_addresses={"api": simulator.api_url},
        max_network_retries=0,
        http_client=client,
    )
    async with aiohttp.ClientSession() as http:
        yield Bench(simulator, inbox, http, sdk, offset_file)
    await client.close_async()  # type: ignore[no-untyped-call]
    await simulator.stop()
    await receiver.cleanup()
