"""Rows that somebody holds locked, by psql as it were, while traffic that needs them flows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from booking_contracts import booking
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import CARD, customer_actor, provider_actor

from tests.hostile.town import Command, Town, Venue, command

BY_BOOKING = "booking_id = $1::uuid"


@dataclass(frozen=True)
class Lock:
    """A row of a service's table, and the commands that need it.

    `first` is answered right before the row is locked: what follows from it (authorisation, capture) meets the lock.
    """

    service: str
    table: str
    where: str
    value: str
    traffic: tuple[Command, ...]
    first: tuple[Command, ...] = ()

    async def hold(
        self, env: Mapping[str, str], seconds: float, held: asyncio.Event, begin: Callable[[], Awaitable[None]]
    ) -> bool:
        """Lock for so long after `begin`, telling once it is; False where there is no such row."""
        connection = await asyncpg.connect(env[f"{self.service.upper()}_DATABASE_URL"])
        try:
            await begin()
            async with connection.transaction():
                sql = f"SELECT 1 FROM {self.table} WHERE {self.where} FOR UPDATE"  # of this file's own words
                found = await connection.fetch(sql, self.value)
                held.set()
                if found:
                    await asyncio.sleep(seconds)
                return bool(found)
        finally:
            held.set()
            await connection.close()


def locks(town: Town, venue: Venue, booked: list[tuple[UUID, str]], planted: str | None) -> list[Lock]:
    """One of each table; each about a booking of its own, of those `booked` in a slot of `venue`."""
    mine = iter(booked)
    fresh, in_slot = (town.place(venue, venue.starts[number], payment=CARD) for number in (0, 1))
    slot = [town.place(venue, venue.starts[1]) for _ in range(5)]
    provider = [command(_open(venue, number), venue.provider_id) for number in range(3)]
    saver = f"saver-{town.rng.randint(1, 10**6)}"
    wallet = tuple(command(sample.top_up_wallet(customer_id=saver)) for _ in range(3))
    found = [
        Lock("booking", "slot", "offering_id = $1::uuid", str(venue.offering_id), tuple(slot), (in_slot,)),
        Lock("booking", "booking", BY_BOOKING, fresh.key, _about(UUID(fresh.key), _customer(fresh)), (fresh,)),
        Lock("booking", "provider", "provider_id = $1::uuid", str(venue.provider_id), tuple(provider)),
        Lock("payments", "wallet", "customer_id = $1::text", saver, wallet),
    ]
    tables = (
        *(("booking", "saga"), ("payments", "payment")),
        *(("notifications", "known_booking"), ("notifications", "delivery_stream")),
    )
    for service, table in tables:
        booking_id, who = next(mine)
        found.append(Lock(service, table, BY_BOOKING, str(booking_id), _about(booking_id, who)))
    if planted:
        found.append(Lock("booking", "blocked_key", "key = $1::text", planted, ()))
    return found


def _about(booking_id: UUID, who: str) -> tuple[Command, ...]:
    by = customer_actor(who)
    return (
        command(booking.QuoteCancellation(booking_id=booking_id, actor=by)),
        command(booking.CancelBooking(booking_id=booking_id, actor=by)),
        command(booking.PayBooking(booking_id=booking_id, payment=CARD, actor=by)),
        command(booking.QuoteCancellation(booking_id=booking_id, actor=by)),
    )


def _customer(placed: Command) -> str:
    return str(placed.body["customer"]["id"])


def _open(venue: Venue, number: int) -> booking.OpenSlot:
    actor = provider_actor(venue.provider_id)
    return sample.open_slot(offering_id=venue.offering_id, starts_at=venue.starts[number], actor=actor)
