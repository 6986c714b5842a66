"""An ordinary client beside the hostile ones: 20 commands a second, each answered, each booking confirmed."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from uuid import UUID

from booking_contracts import booking
from booking_contracts.booking import BookingConfirmed
from booking_contracts.client import BookingClient
from booking_contracts.client.booking_client import ClientCommand, Reply
from booking_contracts.client.errors import NoOutcome, NoReply
from booking_contracts.envelope import uuid7
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import CARD, customer, customer_actor, provider_actor

from tests.hostile.town import Venue

PATIENCE_SECONDS = 90.0


@dataclass(frozen=True)
class Asked:
    """One command of the ordinary client, and how long its reply took; None: there was none."""

    name: str
    seconds: float | None
    refused: str | None = None
    began: float = 0.0


@dataclass
class Ordinary:
    """Customers with venues of their own, who do nothing unusual."""

    client: BookingClient
    rng: random.Random
    asked: list[Asked] = field(default_factory=list)
    bookings: list[UUID] = field(default_factory=list)
    """All that were placed: what others may try to meddle with."""
    unconfirmed: list[UUID] = field(default_factory=list)
    confirmed_seconds: list[float] = field(default_factory=list)
    _free: list[tuple[UUID, str]] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def move_in(self, venues: list[Venue]) -> None:
        """Open venues, of which nobody else knows."""
        self._venues = venues
        for venue in venues:
            actor = provider_actor(venue.provider_id)
            ids = {"provider_id": venue.provider_id, "offering_id": venue.offering_id}
            await self._ask(sample.register_provider(provider_id=venue.provider_id, refund_policy="flexible"))
            await self._ask(sample.define_offering(**ids, capacity=venue.capacity, actor=actor))
            for at in venue.starts:
                slot = sample.open_slot(offering_id=venue.offering_id, starts_at=at, actor=actor)
                await self._ask(slot, key=venue.provider_id)

    async def live(self, per_second: float, until: asyncio.Event) -> None:
        """Send at this rate, whatever the answers take; then wait for those that are still due."""
        next_at = time.monotonic()
        try:
            while not until.is_set():
                self._start()
                next_at += 1 / per_second
                await asyncio.sleep(max(0.0, next_at - time.monotonic()))
            await asyncio.gather(*self._tasks)
        finally:
            for task in self._tasks:
                task.cancel()

    def _start(self) -> None:
        chosen = self.rng.random()
        if chosen < 0.1:
            work = self._top_up()
        elif chosen < 0.55 and self._free:
            work = self._again(*self._free.pop(self.rng.randrange(len(self._free))))
        else:
            work = self._book()
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _book(self) -> None:
        who, booking_id, venue = f"ordinary-{self.rng.randint(1, 10**9)}", uuid7(), self.rng.choice(self._venues)
        self.bookings.append(booking_id)
        began = time.monotonic()
        place = sample.place_booking(
            booking_id=booking_id,
            offering_id=venue.offering_id,
            starts_at=self.rng.choice(venue.starts),
            customer=customer(who, email=f"{who}@example.com"),
            payment=CARD,
            actor=customer_actor(who),
        )
        if not isinstance(await self._ask(place), booking.CommandAccepted):
            return
        try:
            await self.client.outcome(booking_id, BookingConfirmed, timeout_seconds=PATIENCE_SECONDS)
        except NoOutcome:
            self.unconfirmed.append(booking_id)
        else:
            self.confirmed_seconds.append(time.monotonic() - began)
            self._free.append((booking_id, who))

    async def _again(self, booking_id: UUID, who: str) -> None:
        by = customer_actor(who)
        if self.rng.random() < 0.5:
            await self._ask(booking.CancelBooking(booking_id=booking_id, actor=by))
        elif await self._ask(booking.QuoteCancellation(booking_id=booking_id, actor=by)):
            self._free.append((booking_id, who))

    async def _top_up(self) -> None:
        await self._ask(sample.top_up_wallet(customer_id=f"ordinary-{self.rng.randint(1, 200)}"))

    async def _ask(self, command: ClientCommand, key: UUID | None = None) -> Reply | None:
        began, name = time.monotonic(), type(command).__name__
        try:
            reply = await self.client.ask(command, key=key, timeout_seconds=PATIENCE_SECONDS)
        except NoReply:
            self.asked.append(Asked(name, None, began=began))
            return None
        refused = None if type(reply).__name__.endswith("Accepted") else str(getattr(reply, "code", reply))
        self.asked.append(Asked(name, time.monotonic() - began, refused, began))
        return reply
