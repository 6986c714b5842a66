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

from tests.console.test_acts_on_letters import plant
from tests.flows.test_webhooks import subscribe

DECLINED = "pm_card_chargeDeclined"
VIOLATION = """
INSERT INTO violation (kind, subject, booking_id, detail, ids, first_seen, last_seen)
VALUES ('seats', $1, $2, 'one of 1 seats is taken, by bookings 2', $3, now(), now()) RETURNING violation_id
"""


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


async def every_page(system: System, scene: Scene) -> list[str]:
    """The path of each page, with something on it: also what only trouble brings is planted, once for each kind."""
    async with database(system, "booking") as booking:
        letters = await plant(booking, "booking", 3, "for the pages")
        slot = await booking.fetchval("SELECT slot_id FROM booking WHERE booking_id = $1", scene.confirmed)
    async with database(system, "operations") as operations:
        ids = f'{{"slot_id": "{uuid7()}"}}'
        finding = await operations.fetchval(VIOLATION, str(uuid7()), scene.confirmed, ids)
        job = await operations.fetchval(
            "INSERT INTO job (operator, act, service, asked, reason, total, done, ended_at) "
            "VALUES ('otto', 'redrive', 'booking', $1, 'planted', 1, 1, now()) RETURNING job_id",
            '{"kind": "failed", "type": null, "error": null, "key": null, "before": null, "for_good": false}',
        )
        await operations.execute(
            "INSERT INTO saved_view (operator, name, path) VALUES ('local', $1, '/bookings')", f"planted {job}"
        )
    webhook = (await subscribe(system, url="http://127.0.0.1:1/"))["subscription_id"]
    return [
        *("/", "/search", "/search?q=anna", "/search?q=nothing-of-that", f"/bookings/{scene.confirmed}"),
        *(f"/bookings/{scene.declined}", f"/bookings/{scene.cancelled}", f"/bookings/{scene.confirmed}?unmasked=1"),
        *("/bookings", f"/bookings?offering={scene.studio.offering_id}", "/payments", "/refunds", "/week"),
        f"/week?provider={scene.studio.provider_id}&day={scene.studio.starts_at:%Y-%m-%d}",
        *("/sagas", "/letters", "/letters?service=booking&error=pages", f"/letters/booking/{letters[0]}"),
        *("/money", "/webhooks", f"/webhooks/{webhook}", "/mails", "/findings", "/findings?gone=1"),
        *("/mails?waiting=1", "/webhooks?waiting=1", "/queues?service=booking&of=timers", "/payments?status=declined"),
        *("/replicas?service=payments", "/groups?service=booking", "/database?service=booking", "/stripe"),
        *(f"/slots/{slot}", f"/findings/{finding}", "/jobs", f"/jobs/{job}", "/log", "/views", "/none"),
        f"/acts/booking-cancel?booking_id={scene.confirmed}",
        f"/acts/letter-discard?service=booking&letter_id={letters[1]}",
        f"/acts/webhooks-redeliver?subscription_id={webhook}",
    ]
