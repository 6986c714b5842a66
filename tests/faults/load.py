"""The load: customers who place, pay, decline, cancel, give up, send twice, and send rubbish. Seeded."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from booking_contracts import booking
from booking_contracts.client import topic_of
from booking_contracts.envelope import Envelope, uuid7
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import customer, customer_actor, provider_actor
from booking_contracts.types import PaymentChoice

CARDS = ("pm_card_visa",) * 6 + ("pm_card_chargeDeclined",)
RESEND_SECONDS = 60.0


@dataclass(frozen=True)
class Sendable:
    """A command as it goes to Kafka."""

    topic: str
    envelope: Envelope


@dataclass
class Place:
    """Where to book: an offering with some slots, the first one hot."""

    provider_id: UUID
    offering_id: UUID
    starts: list[datetime]


@dataclass
class Load:
    """Publishes commands and remembers which of them Kafka took."""

    servers: str
    rng: random.Random
    published: set[str] = field(default_factory=set)
    planted: set[str] = field(default_factory=set)
    sent: list[Sendable] = field(default_factory=list)
    bookings: list[tuple[UUID, str]] = field(default_factory=list)

    async def run(self, seconds: float, per_second: float, enough: asyncio.Event) -> int:
        """Open fresh slots and send, until `enough` and for `seconds` at least; returns how many Kafka took."""
        before = len(self.published)
        async with AIOKafkaProducer(bootstrap_servers=self.servers, acks="all", request_timeout_ms=5_000) as producer:
            places = [await self._open(producer, capacity) for capacity in (1, 3, 8)]
            until = time.monotonic() + seconds
            while time.monotonic() < until or not enough.is_set():
                await self._send(producer, self._next(places))
                await asyncio.sleep(self.rng.expovariate(per_second))
        return len(self.published) - before

    async def _open(self, producer: AIOKafkaProducer, capacity: int) -> Place:
        provider, offering = uuid7(), uuid7()
        day = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=self.rng.randint(4, 60))
        place = Place(provider, offering, [day + timedelta(hours=2 * number) for number in range(8)])
        actor = provider_actor(provider)
        await self._send(producer, of(sample.register_provider(provider_id=provider, refund_policy="flexible")))
        await asyncio.sleep(0.2)  # its own topic: no order is promised between it and what follows
        define = sample.define_offering(provider_id=provider, offering_id=offering, capacity=capacity, actor=actor)
        await self._send(producer, of(define))
        for start in place.starts:
            slot = sample.open_slot(offering_id=offering, starts_at=start, actor=actor)
            await self._send(producer, of(slot, key=str(provider)))
        return place

    def _next(self, places: list[Place]) -> Sendable:
        kinds: list[tuple[Callable[[], Sendable], int]] = [
            (lambda: self._place(self.rng.choice(places)), 55),
            (self._cancel, 20),
            (self._pay, 5),
            (self._abandon, 4),
            (lambda: self.rng.choice(self.sent), 10),
            (self._rubbish, 3),
        ]
        if not self.bookings:
            return kinds[0][0]()
        (chosen,) = self.rng.choices([make for make, _ in kinds], [weight for _, weight in kinds])
        return chosen()

    def _place(self, place: Place) -> Sendable:
        who = f"customer-{self.rng.randint(1, 500)}"
        hot = self.rng.random() < 0.3
        card = self.rng.choice(CARDS)
        payment = None if self.rng.random() < 0.1 else PaymentChoice(method="card", payment_method=card)
        command = sample.place_booking(
            booking_id=uuid7(),
            offering_id=place.offering_id,
            starts_at=place.starts[0] if hot else self.rng.choice(place.starts),
            seats=1,
            customer=customer(who, email=f"{who}@example.com"),
            payment=payment,
            actor=customer_actor(who),
        )
        self.bookings.append((command.booking_id, who))
        return of(command)

    def _cancel(self) -> Sendable:
        booking_id, who = self._recent()
        return of(booking.CancelBooking(booking_id=booking_id, actor=customer_actor(who)))

    def _abandon(self) -> Sendable:
        booking_id, who = self._recent()
        return of(booking.AbandonPayment(booking_id=booking_id, actor=customer_actor(who)))

    def _pay(self) -> Sendable:
        booking_id, who = self._recent()
        payment = PaymentChoice(method="card", payment_method=self.rng.choice(CARDS))
        return of(booking.PayBooking(booking_id=booking_id, payment=payment, actor=customer_actor(who)))

    def _recent(self) -> tuple[UUID, str]:
        return self.rng.choice(self.bookings[-60:])

    def _rubbish(self) -> Sendable:
        key, command_id = str(uuid7()), uuid7()
        kind, body = self.rng.choice(
            [
                ("booking.PlaceBooking.v1", b'{"booking_id": '),
                ("booking.PlaceBooking.v1", b'{"booking_id": 7, "surprise": true}'),
                ("booking.Invented.v9", b"{}"),
                ("booking.CancelBooking.v1", b'{"reason": "' + b"x" * 300_000 + b'"}'),
            ]
        )
        self.planted.add(str(command_id))
        return Sendable("booking.commands", _envelope(command_id, kind, key, body))

    async def _send(self, producer: AIOKafkaProducer, command: Sendable) -> None:
        """Send until Kafka has it, under the same id, as a client does."""
        envelope, until = command.envelope, time.monotonic() + RESEND_SECONDS
        while True:
            try:
                key, headers = envelope.key.encode(), envelope.headers()
                await producer.send_and_wait(command.topic, envelope.body, key=key, headers=headers)
            except KafkaError:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(0.2)
            else:
                break
        self.published.add(str(envelope.id))
        if str(envelope.id) not in self.planted:
            self.sent.append(command)


def of(command: Any, key: str | None = None) -> Sendable:
    """A command under a new id."""
    body = command.model_dump_json(by_alias=True, exclude_none=True).encode()
    return Sendable(topic_of(command), _envelope(uuid7(), command.ce_type, key or command.key, body))


def _envelope(command_id: UUID, kind: str, key: str, body: bytes) -> Envelope:
    return Envelope(
        id=command_id,
        type=kind,
        source="/faults",
        key=key,
        time=datetime.now(UTC),
        body=body,
        correlation_id=str(command_id),
    )
