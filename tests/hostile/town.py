"""Who is there to be attacked, and commands about them as a client would send them: they go deep before they fail.

Ids and choices come from the seed; what stands far enough in the future is counted from now.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from booking_contracts import booking
from booking_contracts.client.booking_client import topic_of
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import (
    ADMIN,
    CARD,
    WALLET,
    customer,
    customer_actor,
    provider_actor,
    starts_at,
)

SLOTS = 12


@dataclass(frozen=True)
class Command:
    """A command before it is spoilt."""

    type: str
    topic: str
    key: str
    body: dict[str, Any]


def command(message: Any, key: UUID | str | None = None) -> Command:
    """A message of the contract as plain JSON."""
    body = json.loads(message.model_dump_json(by_alias=True, exclude_none=True))
    return Command(message.ce_type, topic_of(message), str(key or message.key), body)


@dataclass
class Venue:
    """A provider with one offering and slots two hours apart."""

    provider_id: UUID
    offering_id: UUID
    capacity: int
    starts: list[datetime]

    def opening(self, price_minor: int = 4500) -> list[Command]:
        """What registers it, defines it and opens its slots, in order. Holds last for a day: longer than any run."""
        actor = provider_actor(self.provider_id)
        registered = sample.register_provider(provider_id=self.provider_id, refund_policy="flexible")
        defined = sample.define_offering(
            provider_id=self.provider_id,
            offering_id=self.offering_id,
            capacity=self.capacity,
            price={"amount": 4500, "currency": "EUR"},
            hold_minutes=24 * 60,
            actor=actor,
        )
        priced = command(defined)  # its model refuses what is too dear
        priced.body["price"] = {"amount": price_minor, "currency": "EUR"}
        slots = [sample.open_slot(offering_id=self.offering_id, starts_at=at, actor=actor) for at in self.starts]
        return [command(registered), priced, *(command(slot, self.provider_id) for slot in slots)]


@dataclass
class Town:
    """Venues, and what the hostile have placed there so far; ids follow from the seed."""

    rng: random.Random
    venues: list[Venue] = field(default_factory=list)
    bookings: list[tuple[UUID, str]] = field(default_factory=list)
    entries: list[tuple[UUID, str]] = field(default_factory=list)
    dear: list[Venue] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.venues = [self.venue(capacity) for capacity in (1, 3, 500)]

    def uuid(self) -> UUID:
        return UUID(int=self.rng.getrandbits(128), version=4)

    def venue(self, capacity: int, slots: int = SLOTS) -> Venue:
        """A new one, not opened yet."""
        day = datetime.now(UTC).replace(hour=8, minute=0, second=0, microsecond=0)
        day += timedelta(days=self.rng.randint(5, 90))
        return Venue(self.uuid(), self.uuid(), capacity, [day + timedelta(hours=2 * number) for number in range(slots)])

    def plausible(self) -> Command:
        """A command that a real client might send here."""
        return self.rng.choice(KINDS)(self)

    def place(self, venue: Venue | None = None, start: datetime | None = None, **changes: Any) -> Command:
        venue, who, booking_id = venue or self.rng.choice(self.venues), self.someone(), self.uuid()
        self.bookings.append((booking_id, who))
        fields = {
            "booking_id": booking_id,
            "offering_id": venue.offering_id,
            "starts_at": start or self.rng.choice(venue.starts),
            "seats": 1,
            "customer": customer(who, email=f"{who}@example.com"),
            "payment": self.rng.choice((CARD, CARD, WALLET, None)),
            "actor": customer_actor(who),
        }
        return command(sample.place_booking(**{**fields, **changes}))

    def join(self, venue: Venue | None = None, start: datetime | None = None) -> Command:
        venue, who, entry_id = venue or self.venues[0], self.someone(), self.uuid()
        self.entries.append((entry_id, who))
        return command(
            sample.join_waitlist(
                entry_id=entry_id,
                offering_id=venue.offering_id,
                starts_at=start or self.rng.choice(venue.starts),
                customer=customer(who, email=f"{who}@example.com"),
                actor=customer_actor(who),
            )
        )

    def someone(self) -> str:
        return f"hostile-{self.rng.randint(1, 10**9)}"

    def booked(self) -> tuple[UUID, str]:
        """A booking of theirs and its customer; one that does not exist where they have none."""
        return self.rng.choice(self.bookings[-200:] or [(self.uuid(), self.someone())])

    def waiting(self) -> tuple[UUID, str]:
        return self.rng.choice(self.entries[-200:] or [(self.uuid(), self.someone())])

    def about_booking(self) -> Command:
        booking_id, who = self.booked()
        by = customer_actor(who)
        return command(
            self.rng.choice(
                (
                    booking.CancelBooking(booking_id=booking_id, reason="no time", actor=by),
                    booking.QuoteCancellation(booking_id=booking_id, actor=by),
                    booking.PayBooking(booking_id=booking_id, payment=CARD, actor=by),
                    booking.AbandonPayment(booking_id=booking_id, actor=by),
                    booking.RescheduleBooking(booking_id=booking_id, starts_at=starts_at(9), actor=by),
                    booking.RaiseDispute(booking_id=booking_id, reason="nobody came", actor=by),
                    sample.resolve_dispute(booking_id=booking_id),
                    sample.approve_booking(booking_id=booking_id, actor=provider_actor(self.venues[0].provider_id)),
                )
            )
        )

    def about_entry(self) -> Command:
        entry_id, who = self.waiting()
        by = customer_actor(who)
        if self.rng.random() < 0.5:
            return command(booking.LeaveWaitlist(entry_id=entry_id, actor=by))
        return command(booking.AcceptOffer(entry_id=entry_id, booking_id=self.uuid(), payment=CARD, actor=by))

    def catalogue(self) -> Command:
        """By the provider itself; slots stay apart, so that the waitlist's rules can be judged."""
        venue = self.rng.choice(self.venues)
        actor, start = provider_actor(venue.provider_id), self.rng.choice(venue.starts)
        match self.rng.randrange(4):
            case 0:
                return command(sample.register_provider(provider_id=venue.provider_id, actor=ADMIN))
            case 1:
                return command(sample.set_schedule(provider_id=venue.provider_id, weekly=(), actor=actor))
            case 2:
                return venue.opening()[1]
            case _:
                slot = sample.open_slot(offering_id=venue.offering_id, starts_at=start, actor=actor)
                return command(slot, venue.provider_id)

    def wallet(self) -> Command:
        who = self.someone() if self.rng.random() < 0.5 else f"saver-{self.rng.randint(1, 5)}"
        make = self.rng.choice((sample.top_up_wallet, sample.withdraw_from_wallet))
        return command(make(customer_id=who))


KINDS: tuple[Callable[[Town], Command], ...] = (
    *(Town.place, Town.place, Town.place, Town.about_booking, Town.about_booking),
    *(Town.join, Town.about_entry, Town.catalogue, Town.wallet),
)
