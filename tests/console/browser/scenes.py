"""A small town's day, which the console then shows: bookings that went well, and such that did not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from booking_contracts.envelope import uuid7
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import customer, customer_actor
from booking_contracts.testkit.system import Studio, System

DECLINED = "pm_card_chargeDeclined"


@dataclass(frozen=True)
class Scene:
    """Bookings by how they ended. Somebody waits in the line of the slot that `confirmed` has."""

    studio: Studio
    confirmed: UUID
    declined: UUID
    cancelled: UUID


async def paid(system: System, studio: Studio, who: str, slot: int, **fields: str) -> UUID:
    """A booking that is confirmed, with the money in escrow."""
    command = await system.book(studio, who, slot=slot, **fields)
    await system.payment_in(command.booking_id, "captured")
    await system.booking_in(command.booking_id, "CONFIRMED")
    return command.booking_id


async def cancelled(system: System, booking_id: UUID, who: str) -> None:
    """By its customer, before the deadline."""
    await system.accepted(sample.cancel_booking(booking_id=booking_id, actor=customer_actor(who)))


async def made(system: System) -> Scene:
    """Book, decline, cancel, wait."""
    studio = await system.studio(slots=3)
    confirmed = await paid(system, studio, "anna", 0)
    refused = await system.book(studio, "bert", slot=1, card=DECLINED)
    await system.booking_in(refused.booking_id, "PAYMENT_FAILED")
    refunded = await paid(system, studio, "cleo", 2)
    await cancelled(system, refunded, "cleo")
    await system.payment_in(refunded, "settled")
    dora = customer("dora", name="Dora", email="dora@example.com")
    there = {"offering_id": studio.offering_id, "starts_at": studio.start(0)}
    await system.accepted(sample.join_waitlist(entry_id=uuid7(), customer=dora, actor=customer_actor(dora.id), **there))
    return Scene(studio, confirmed, refused.booking_id, refunded)


@asynccontextmanager
async def database(system: System, name: str, owner: bool = False) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """By hand, as nobody should; `owner` may change tables."""
    connection = await asyncpg.connect(system.env[f"{name.upper()}_{'MIGRATION' if owner else 'DATABASE'}_URL"])
    try:
        yield connection
    finally:
        await connection.close()
