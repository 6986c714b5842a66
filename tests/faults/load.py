"""The load: customers who place, pay, decline, cancel, wait, give up, send twice, and send rubbish. Seeded."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from aiokafka import AIOKafkaProducer
from booking_contracts import booking
from booking_contracts.envelope import uuid7
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import customer, customer_actor, provider_actor
from booking_contracts.types import PaymentChoice

from tests.faults.sendable import Sendable, envelope_of, of
from tests.faults.sending import send

CARDS = ("pm_card_visa",) * 6 + ("pm_card_chargeDeclined",)
RESEND_SECONDS = 60.0
TOGETHER = 10
"""So many are sent at once while one catches up."""


@dataclass
class Place:
    """Where to book: an offering with some slots, the first one hot."""

    provider_id: UUID
    offering_id: UUID
    capacity: int
    starts: list[datetime]


@dataclass
class Load:
    """Publishes commands and remembers which of them Kafka took.

    One after another: while Kafka is away nothing is sent. With `catches_up`, what was due meanwhile is sent later.
    """

    servers: str
    rng: random.Random
    resend_seconds: float = RESEND_SECONDS
    """How long a command is tried that Kafka does not take; then the run ends with its error."""
    catches_up: bool = False
    published: set[str] = field(default_factory=set)
    planted: set[str] = field(default_factory=set)
    sent: list[Sendable] = field(default_factory=list)
    bookings: list[tuple[UUID, str]] = field(default_factory=list)
    wanted: list[tuple[UUID, str]] = field(default_factory=list)
    """Those of `bookings` that are for the one slot that people wait for, as far as they were not given back."""
    line: list[tuple[UUID, str]] = field(default_factory=list)
    """Entries of its waitlist, as far as nobody left."""

    async def run(self, seconds: float, per_second: float, going: asyncio.Event, enough: asyncio.Event) -> int:
        """Open fresh slots and send, until `enough` and for `seconds` at least; returns how many Kafka took.

        `going` is set when slots are there and commands come.
        """
        before = len(self.published)
        async with AIOKafkaProducer(bootstrap_servers=self.servers, acks="all", request_timeout_ms=5_000) as producer:
            places = [await self._open(producer, capacity) for capacity in (1, 3, 8)]
            self.wanted, self.line = [], []
            going.set()
            due = time.monotonic()
            until = due + seconds
            while time.monotonic() < until or not enough.is_set() or due < time.monotonic() - 1:
                late = self.catches_up and due < time.monotonic() - 1
                commands = [self._next(places) for _ in range(TOGETHER if late else 1)]
                await asyncio.gather(*(self._send(producer, command) for command in commands))
                gaps = sum(self.rng.expovariate(per_second) for _ in commands)
                due = (due if self.catches_up else time.monotonic()) + gaps
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            while self.wanted:  # so that at rest the seat that people wait for is offered, or forgotten
                await self._send(producer, self._give_back())
        return len(self.published) - before

    async def _open(self, producer: AIOKafkaProducer, capacity: int) -> Place:
        provider, offering = uuid7(), uuid7()
        day = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=self.rng.randint(4, 60))
        place = Place(provider, offering, capacity, [day + timedelta(hours=2 * number) for number in range(8)])
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
            (lambda: self._join(places[0]), 8),
            (self._give_back, 8),
            (self._accept, 8),
            (self._leave, 3),
            (lambda: self.rng.choice(self.sent), 10),
            (self._rubbish, 3),
        ]
        if not self.wanted:
            return self._place(places[0], hot=True)
        if not self.line:
            return self._join(places[0])
        (chosen,) = self.rng.choices([make for make, _ in kinds], [weight for _, weight in kinds])
        return chosen()

    def _place(self, place: Place, hot: bool = False) -> Sendable:
        who = f"customer-{self.rng.randint(1, 500)}"
        hot = hot or self.rng.random() < 0.3
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
        if place.capacity == 1 and command.starts_at == place.starts[0]:
            self.wanted.append(self.bookings[-1])
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

    def _join(self, place: Place) -> Sendable:
        entry_id, who = uuid7(), f"customer-{self.rng.randint(1, 500)}"
        self.line.append((entry_id, who))
        slot = {"offering_id": place.offering_id, "starts_at": place.starts[0]}
        people = {"customer": customer(who, email=f"{who}@example.com"), "actor": customer_actor(who)}
        return of(sample.join_waitlist(entry_id=entry_id, seats=1, **slot, **people))

    def _give_back(self) -> Sendable:
        """One of those who wanted the slot has the seat; in their order they all cancel, so that it is offered."""
        booking_id, who = self.wanted.pop(0)
        return of(booking.CancelBooking(booking_id=booking_id, actor=customer_actor(who)))

    def _accept(self) -> Sendable:
        """By one of the first in line, who does not know whether there is an offer."""
        entry_id, who = self.rng.choice(self.line[:4])
        payment = PaymentChoice(method="card", payment_method=self.rng.choice(CARDS))
        self.bookings.append(booked := (uuid7(), who))
        self.wanted.append(booked)
        return of(
            booking.AcceptOffer(entry_id=entry_id, booking_id=booked[0], payment=payment, actor=customer_actor(who))
        )

    def _leave(self) -> Sendable:
        entry_id, who = self.line.pop(0)
        return of(booking.LeaveWaitlist(entry_id=entry_id, actor=customer_actor(who)))

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
        return Sendable("booking.commands", envelope_of(command_id, kind, key, body))

    async def _send(self, producer: AIOKafkaProducer, command: Sendable) -> None:
        await send(producer, self.servers, command, self.resend_seconds)
        self.published.add(str(command.envelope.id))
        if str(command.envelope.id) not in self.planted:
            self.sent.append(command)
