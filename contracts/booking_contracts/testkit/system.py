"""A running system as its users see it: commands and events over Kafka, reads over HTTP, mail, Stripe, the clock.

Needs the extra `testkit`. Other teams' tests, our own and the demo drive the system by it. It looks for nothing that
it was not given: the addresses are those of a stack.env (contract.md, The local stack).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import aiohttp

from booking_contracts import topics
from booking_contracts.booking import BookingCommand, CommandAccepted, CommandRejected, PlaceBooking
from booking_contracts.client import BookingClient, BookingReply
from booking_contracts.envelope import uuid7
from booking_contracts.testkit import sample, snapshots
from booking_contracts.testkit.clock import MovableClock
from booking_contracts.testkit.mail import Mail
from booking_contracts.testkit.people import customer, customer_actor, newcomer, provider_actor
from booking_contracts.testkit.running import Running
from booking_contracts.testkit.stripe_control import StripeControl
from booking_contracts.testkit.waiting import eventually
from booking_contracts.types import Actor, Customer, PaymentChoice

FOLLOWED = (
    topics.BOOKING_REPLIES,
    topics.WALLET_REPLIES,
    topics.BOOKING_EVENTS,
    topics.PAYMENTS_EVENTS,
    topics.PAYMENTS_COMMANDS,
    topics.NOTIFICATIONS_EVENTS,
)
CARD = "pm_card_visa"


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
    """A handle on a running system; `env` is its stack.env. What it makes has new ids, unless some are given."""

    env: Mapping[str, str]
    client: BookingClient
    http: aiohttp.ClientSession
    running: Running | None = None
    clock: MovableClock = field(init=False)
    stripe: StripeControl = field(init=False)

    def __post_init__(self) -> None:
        self.clock = MovableClock(self.env["CLOCK_OFFSET_URL"])
        self.stripe = StripeControl(self.env["STRIPE_CONTROL_URL"], self.http)

    async def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0) -> datetime:
        """Let time pass for the services and for Stripe; returns the new time."""
        return await self.clock.advance(days=days, hours=hours, minutes=minutes)

    async def snapshot(self) -> None:
        """Keep how databases, Stripe, mails and the clock stand, to `restore()` it; what was kept before is forgotten.

        Services are started anew for it. Raises NeverHappened where they never come to rest.
        """
        await snapshots.take(self._own(), self.http)

    async def restore(self) -> None:
        """Have it all as `snapshot()` kept it, whoever called that; as often as one likes. Raises NoSnapshot.

        Kafka's log goes on, without what it has being done again. What `client` has heard it forgets. `env` has new
        addresses of services, where they are in containers.
        """
        await snapshots.go_back(self._own(), self.http)
        self.client.forget()

    def _own(self) -> Running:
        assert self.running is not None, "only a system that was started for these tests can go back"
        return self.running

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

    async def studio(self, *, slots: int = 1, policy: str = "flexible", days_ahead: int = 5, **fields: Any) -> Studio:
        """Register a provider and define an `offering()` of it."""
        provider_id = uuid7()
        await self.accepted(
            sample.register_provider(
                provider_id=provider_id,
                name="Studio North",
                email=f"studio-{provider_id.hex[-8:]}@example.com",
                timezone="Europe/Berlin",
                refund_policy=policy,
            )
        )
        return await self.offering(provider_id, slots=slots, days_ahead=days_ahead, **fields)

    async def offering(self, provider_id: UUID, *, slots: int = 1, days_ahead: int = 5, **fields: Any) -> Studio:
        """Define an offering of a provider, by default one hour at 45.00 EUR for one, and open slots of it.

        `fields` are those of DefineOffering. Slots begin on the next full hour, in so many days.
        """
        now = await self.clock.now()
        start = now.replace(minute=0, second=0, microsecond=0) + timedelta(days=days_ahead)
        studio = Studio(provider_id, uuid7(), start)
        await self.accepted(
            sample.define_offering(
                provider_id=provider_id, offering_id=studio.offering_id, actor=studio.actor, **fields
            )
        )
        for number in range(slots):
            await self.open_slot(studio, studio.start(number))
        return studio

    async def open_slot(self, studio: Studio, starts_at: datetime, **changes: Any) -> CommandAccepted:
        """Open a one-off slot."""
        slot = sample.open_slot(offering_id=studio.offering_id, starts_at=starts_at, actor=studio.actor, **changes)
        return await self.accepted(slot, key=studio.provider_id)

    def place(
        self, studio: Studio, who: str | Customer | None = None, *, slot: int = 0, card: str = CARD, **changes: Any
    ) -> PlaceBooking:
        """A PlaceBooking, not sent yet, of a customer or of the one with that id; a new one when left out.

        `card` is a Stripe test payment method; `changes` are fields of PlaceBooking.
        """
        payer = customer(who, name=who.title(), email=f"{who}@example.com") if isinstance(who, str) else who
        payer = payer or newcomer()
        fields: dict[str, Any] = {
            "booking_id": uuid7(),
            "offering_id": studio.offering_id,
            "starts_at": studio.start(slot),
            "customer": payer,
            "payment": PaymentChoice(method="card", payment_method=card),
            "actor": customer_actor(payer.id),
        }
        return sample.place_booking(**{**fields, **changes})

    async def book(self, studio: Studio, who: str | Customer | None = None, **changes: Any) -> PlaceBooking:
        """The same, sent and accepted; whether it is paid, `client.outcome()` tells."""
        command = self.place(studio, who, **changes)
        await self.accepted(command)
        return command

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

    async def mails(self, to: str | None = None) -> list[Mail]:
        """The mails that reached an address, or anybody, oldest first."""
        async with self.http.get(self.env["MAILBOX_URL"] + "/messages") as response:
            found: list[Mail] = await response.json()
        return [mail for mail in found if to is None or to in mail["recipients"]]

    async def mail(self, to: str, subject: str, seconds: float = 15.0) -> Mail:
        """Wait for a mail whose subject holds these words."""

        async def look() -> list[Mail]:
            return [mail for mail in await self.mails(to) if subject.lower() in mail["subject"].lower()]

        return (await eventually(f"mail “{subject}” to {to}", look, bool, seconds))[0]

    async def webhooks(self, booking_id: UUID | None = None) -> list[Any]:
        """Stripe's events that have reached the payments service so far, oldest first."""
        return await self.stripe.webhooks(booking_id)

    async def webhook(self, booking_id: UUID, event_type: str, seconds: float = 15.0) -> Any:
        """Wait for an event of a booking's payment: `payment_intent.succeeded`."""

        async def look() -> list[Any]:
            return [event for event in await self.webhooks(booking_id) if event["type"] == event_type]

        return (await eventually(f"webhook {event_type} of {booking_id}", look, bool, seconds))[0]


@asynccontextmanager
async def connected(env: Mapping[str, str], running: Running | None = None) -> AsyncIterator[System]:
    """A handle on the system that `env` describes, following its topics from now on; `running` is its, if ours."""
    async with (
        BookingClient(env["KAFKA_BOOTSTRAP_SERVERS"], source="/testkit", topics=FOLLOWED) as client,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http,
    ):
        yield System(env, client, http, running)
