"""A running stack as its users see it: commands and events over Kafka, reads over HTTP, mail, Stripe, the clock.

Used by the demo and by the flow tests, so that both drive the same real system.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import aiohttp
from booking_contracts import topics
from booking_contracts.booking import BookingCommand, CommandAccepted, CommandRejected
from booking_contracts.client import BookingClient, BookingReply
from booking_contracts.envelope import uuid7
from booking_contracts.testkit import sample
from booking_contracts.testkit.clock import MovableClock
from booking_contracts.testkit.people import customer, customer_actor, provider_actor
from booking_contracts.types import Actor, PaymentChoice

FOLLOWED = (
    topics.BOOKING_REPLIES,
    topics.WALLET_REPLIES,
    topics.BOOKING_EVENTS,
    topics.PAYMENTS_EVENTS,
    topics.PAYMENTS_COMMANDS,
    topics.NOTIFICATIONS_EVENTS,
)
FoundT = TypeVar("FoundT")


class NeverHappened(AssertionError):
    """What was waited for did not come; the message says what was there instead."""


async def eventually(
    what: str, look: Callable[[], Awaitable[FoundT]], good: Callable[[FoundT], bool] = bool, seconds: float = 15.0
) -> FoundT:
    """Look until it is good; returns what was seen then. Raises NeverHappened."""
    deadline = time.monotonic() + seconds
    while True:
        found = await look()
        if good(found):
            return found
        if time.monotonic() > deadline:
            raise NeverHappened(f"{what} did not happen in {seconds:.0f} s; last seen: {found!r:.2000}")
        await asyncio.sleep(0.05)


@dataclass(frozen=True)
class Studio:
    """A provider with an offering and the start of its first slot; slots follow two hours apart."""

    provider_id: UUID
    offering_id: UUID
    starts_at: datetime

    @property
    def actor(self) -> Actor:
        return provider_actor(self.provider_id)

    def start(self, number: int) -> datetime:
        """The start of slot `number`, from 0."""
        return self.starts_at + timedelta(hours=2 * number)


@dataclass
class System:
    """A handle on a running stack; `env` is its stack.env."""

    env: Mapping[str, str]
    client: BookingClient
    http: aiohttp.ClientSession
    clock: MovableClock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = MovableClock(self.env["CLOCK_OFFSET_URL"])

    async def accepted(self, command: BookingCommand, **options: Any) -> CommandAccepted:
        """Ask, and expect yes."""
        reply: BookingReply = await self.client.ask(command, **options)
        assert isinstance(reply, CommandAccepted), f"{type(command).__name__} was refused: {reply}"
        return reply

    async def rejected(self, command: BookingCommand, **options: Any) -> CommandRejected:
        """Ask, and expect no."""
        reply: BookingReply = await self.client.ask(command, **options)
        assert isinstance(reply, CommandRejected), f"{type(command).__name__} was accepted: {reply}"
        return reply

    async def studio(self, *, slots: int = 1, policy: str = "flexible", days_ahead: int = 5, **offering: Any) -> Studio:
        """Register a provider, define an offering and open slots."""
        provider_id, offering_id = uuid7(), uuid7()
        now = await self.clock.now()
        start = now.replace(minute=0, second=0, microsecond=0) + timedelta(days=days_ahead)
        studio = Studio(provider_id, offering_id, start)
        await self.accepted(
            sample.register_provider(
                provider_id=provider_id,
                name="Studio North",
                email=f"studio-{provider_id.hex[-8:]}@example.com",
                timezone="Europe/Berlin",
                refund_policy=policy,
            )
        )
        await self.accepted(
            sample.define_offering(provider_id=provider_id, offering_id=offering_id, actor=studio.actor, **offering)
        )
        for number in range(slots):
            await self.open_slot(studio, studio.start(number))
        return studio

    async def open_slot(self, studio: Studio, starts_at: datetime, **changes: Any) -> CommandAccepted:
        """Open a one-off slot."""
        slot = sample.open_slot(offering_id=studio.offering_id, starts_at=starts_at, actor=studio.actor, **changes)
        return await self.accepted(slot, key=studio.provider_id)

    def place(self, studio: Studio, who: str, *, slot: int = 0, card: str = "pm_card_visa", **changes: Any) -> Any:
        """A PlaceBooking of customer `who`; `card` is a Stripe test payment method."""
        fields: dict[str, Any] = {
            "booking_id": uuid7(),
            "offering_id": studio.offering_id,
            "starts_at": studio.start(slot),
            "customer": customer(who, name=who.title(), email=f"{who}@example.com"),
            "payment": PaymentChoice(method="card", payment_method=card),
            "actor": customer_actor(who),
        }
        return sample.place_booking(**{**fields, **changes})

    async def get(self, service: str, path: str, **query: str) -> Any:
        """A read over HTTP with the service token; the JSON of a 200."""
        status, body = await self.try_get(service, path, **query)
        assert status == 200, f"GET {path}: {status} {body}"
        return body

    async def try_get(self, service: str, path: str, **query: str) -> tuple[int, Any]:
        """The same, whatever the status."""
        url = self.env[f"{service.upper()}_URL"] + path
        headers = {"Authorization": f"Bearer {self.env['SERVICE_TOKEN']}"}
        async with self.http.get(url, params=query, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def booking(self, booking_id: UUID) -> Any:
        """A booking as the service shows it."""
        return await self.get("booking", f"/v1/bookings/{booking_id}")

    async def payment(self, booking_id: UUID) -> Any:
        """A payment as the service shows it."""
        return await self.get("payments", f"/v1/payments/{booking_id}")

    async def booking_in(self, booking_id: UUID, state: str, seconds: float = 15.0) -> Any:
        """Wait until a booking is in a state."""
        return await eventually(
            f"booking in {state}", lambda: self.booking(booking_id), lambda seen: seen["state"] == state, seconds
        )

    async def payment_in(self, booking_id: UUID, status: str, seconds: float = 15.0) -> Any:
        """Wait until a payment has a status."""
        _, payment = await eventually(
            f"payment {status}",
            lambda: self.try_get("payments", f"/v1/payments/{booking_id}"),
            lambda seen: seen[1]["status"] == status,
            seconds,
        )
        return payment

    async def mails(self, to: str) -> list[Any]:
        """The mails that reached an address, oldest first."""
        async with self.http.get(self.env["MAILBOX_URL"] + "/messages") as response:
            return [mail for mail in await response.json() if to in mail["to"]]

    async def mail(self, to: str, subject: str, seconds: float = 15.0) -> Any:
        """Wait for a mail whose subject holds these words."""

        async def look() -> list[Any]:
            return [mail for mail in await self.mails(to) if subject.lower() in mail["subject"].lower()]

        return (await eventually(f"mail “{subject}” to {to}", look, bool, seconds))[0]

    async def stripe(self) -> Any:
        """What the simulator holds."""
        async with self.http.get(self.env["STRIPE_CONTROL_URL"] + "/state") as response:
            return await response.json()

    async def payment_intents(self, booking_id: UUID) -> list[Any]:
        """Stripe's PaymentIntents of a booking."""
        state = await self.stripe()
        return [pi for pi in state["payment_intents"] if pi["metadata"].get("booking_id") == str(booking_id)]

    async def control_stripe(self, method: str, path: str, body: object = None) -> None:
        """Finish 3-D Secure, inject faults."""
        url = self.env["STRIPE_CONTROL_URL"] + path
        async with self.http.request(method, url, json=body) as response:
            assert response.status < 300, await response.text()


@asynccontextmanager
async def connected(env: Mapping[str, str]) -> AsyncIterator[System]:
    """A handle on the stack that `env` describes, following its topics from now on."""
    async with (
        BookingClient(env["KAFKA_BOOTSTRAP_SERVERS"], source="/local", topics=FOLLOWED) as client,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http,
    ):
        yield System(env, client, http)
