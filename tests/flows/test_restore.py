"""docs/operate/restore.md, done: databases go back to a point, while Kafka and Stripe stand at now."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from booking_contracts.envelope import uuid7
from booking_contracts.payments import WalletCommandAccepted
from booking_contracts.rights import SERVICES
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import WALLET, customer_actor
from booking_contracts.testkit.snapshots import keep_database, set_database_back
from booking_contracts.testkit.system import Studio, System
from booking_contracts.testkit.waiting import eventually
from booking_contracts.types import Money, Price

from deploy.local.concurrently import concurrently
from deploy.local.stack import Stack
from tests.flows.operators import bookingctl, reconciled
from tests.flows.test_wallet import top_up

SECONDS = 20.0
WHO = "restored"
PLACED = ("early", "stays", "cancelled", "by wallet", "split")


@dataclass
class Lived:
    """What was done before the point (`early`) and after it; a day and more ago, but for what ended `split`."""

    stack: Stack
    system: System
    bookings: dict[str, UUID]
    before: Any = None

    async def rest(self) -> None:
        """As the page says: no lag, no rows."""
        env = self.system.env

        async def waits() -> list[Any]:
            for service in SERVICES:  # a command is dear: while one lags, nobody asks for the next
                lags = json.loads(bookingctl(env, "positions", "show", service, "--json"))
                if lagging := [one for one in lags if one["lag"]]:
                    return lagging
            return [one for one in json.loads(bookingctl(env, "outbox", "status", "--json")) if one["rows"]]

        await eventually("reading again", waits, lambda found: not found, SECONDS)

    async def set_back(self, services: Sequence[str]) -> None:
        names = [name for name in self.stack.names if name.rpartition("-")[0] in services]
        concurrently(self.stack.stop_process, names)
        admin = await asyncpg.connect(self.system.env["POSTGRES_ADMIN_URL"])
        for service in services:
            await set_database_back(admin, service)
        await admin.close()
        concurrently(self.stack.start_process, names)
        await self.rest()

    async def money(self) -> dict[str, Any]:
        """What Stripe, payments and the ledger say of it."""
        stripe = await self.system.stripe.state("payment_intents", "refunds", "transfers")
        ids = {str(booking_id) for booking_id in self.bookings.values()}
        intents = [
            one
            for one in stripe["payment_intents"]
            if one["metadata"].get("booking_id") in ids or one["metadata"].get("customer_id") == WHO
        ]
        ours = {one["id"] for one in intents}
        payments = await asyncpg.connect(self.system.env["PAYMENTS_DATABASE_URL"])
        ledger = await payments.fetch("SELECT account, sum(amount_minor)::int FROM ledger_entry GROUP BY account")
        repairs = await payments.fetch(
            "SELECT repair, finding FROM reconciliation WHERE payment_intent = ANY($1)", list(ours)
        )
        await payments.close()
        return {
            "intents": sorted((one["id"], one["status"], one["amount_received"]) for one in intents),
            "refunds": sorted((one["id"], one["amount"]) for one in stripe["refunds"] if one["payment_intent"] in ours),
            "transfers": sorted(
                (one["id"], one["amount"]) for one in stripe["transfers"] if one["transfer_group"] in ids
            ),
            **{name: await self.payment(name) for name in PLACED},
            "wallet": await self.system.get("payments", f"/v1/wallets/{WHO}"),
            "ledger": {account: amount for account, amount in ledger if amount},
            "repairs": [tuple(row) for row in repairs],
        }

    async def payment(self, name: str) -> Any:
        """As the service shows it, once it has heard of it."""
        status, body = await self.system.try_get("payments", f"/v1/payments/{self.bookings[name]}")
        return body if status == 200 else status

    async def moved(self) -> dict[str, Any]:
        """What differs from before."""
        return {
            name: (self.before[name], now) for name, now in (await self.money()).items() if now != self.before[name]
        }

    async def states(self) -> dict[str, str]:
        found = {name: await self.system.try_get("booking", f"/v1/bookings/{self.bookings[name]}") for name in PLACED}
        return {name: body["state"] if status == 200 else "not there" for name, (status, body) in found.items()}

    def told(self) -> list[str]:
        """What is reported of them to a person, who looks where the page says."""
        names = {str(booking_id): name for name, booking_id in self.bookings.items()}
        found = [one for one in reconciled(self.system)["open"] if one["booking_id"] in names]
        return sorted(f"{names[one['booking_id']]}: {one['detail']}" for one in found)


@pytest.fixture(scope="module")
async def lived(running_stack: Stack, system: System) -> Lived:
    provider_id = uuid7()
    await system.accepted(sample.register_provider(provider_id=provider_id, refund_policy="flexible"))
    soon = await system.offering(provider_id, days_ahead=1)
    studio = await system.offering(provider_id, slots=4, days_ahead=20)
    lived = Lived(running_stack, system, {})

    async def paid(name: str, studio: Studio, **changes: Any) -> None:
        lived.bookings[name] = (await system.book(studio, WHO, **changes)).booking_id
        await system.payment_in(lived.bookings[name], "captured", SECONDS)
        await system.booking_in(lived.bookings[name], "CONFIRMED", SECONDS)

    await paid("early", studio)
    await lived.rest()
    services = [name for name in running_stack.names if name.rpartition("-")[0] in SERVICES]
    concurrently(running_stack.stop_process, services)
    admin = await asyncpg.connect(system.env["POSTGRES_ADMIN_URL"])
    for service in SERVICES:
        await keep_database(admin, service)
    await admin.close()
    concurrently(running_stack.start_process, services)

    assert isinstance(await top_up(system, WHO, 9000), WalletCommandAccepted)
    withdraw = sample.withdraw_from_wallet(
        customer_id=WHO, amount=Price(amount=2000, currency="EUR"), actor=customer_actor(WHO)
    )
    assert isinstance(await system.client.ask(withdraw), WalletCommandAccepted)
    await asyncio.gather(
        paid("stays", studio, slot=1),
        paid("cancelled", studio, slot=2),
        paid("by wallet", studio, slot=3, payment=WALLET),
        paid("split", soon),
    )
    for name, actor in (("early", studio.actor), ("cancelled", customer_actor(WHO))):
        await system.accepted(sample.cancel_booking(booking_id=lived.bookings[name], actor=actor))
        await system.payment_in(lived.bookings[name], "settled", SECONDS)
    await system.clock.advance_to(soon.starts_at)
    dispute = sample.raise_dispute(booking_id=lived.bookings["split"], actor=customer_actor(WHO))
    await system.accepted(dispute)
    parts = {"refund": Money(amount=1500, currency="EUR"), "release": Money(amount=3000, currency="EUR")}
    await system.accepted(sample.resolve_dispute(booking_id=lived.bookings["split"], **parts))
    await system.payment_in(lived.bookings["split"], "settled", SECONDS)
    await system.advance(hours=30)
    await lived.rest()
    lived.before = await eventually("money at rest", lived.money, lambda seen: len(seen["transfers"]) == 1, SECONDS)
    assert (await lived.states(), lived.told()) == (
        {
            "early": "CANCELLED_BY_PROVIDER",
            "stays": "CONFIRMED",
            "cancelled": "CANCELLED_BY_CUSTOMER",
            "by wallet": "CONFIRMED",
            "split": "RESOLVED_SPLIT",
        },
        [],
    )
    return lived


@pytest.mark.requirement("retry-mechanism", "payment-booking-coupling", "ledger")
@pytest.mark.parametrize(
    "services",
    [("payments",), ("booking",), ("booking", "payments", "notifications")],
    ids=["payments", "booking", "all"],
)
async def test_money_is_where_it_was_when_databases_have_gone_back(lived: Lived, services: Sequence[str]) -> None:
    states = await lived.states()
    await lived.set_back(services)
    await eventually("money as before", lived.moved, lambda moved: not moved, SECONDS)
    if "booking" in services:  # its session is over: the booking is refused the second time
        states["split"] = "not there"
    await eventually("bookings", lived.states, lambda seen: seen == states, SECONDS)
    reported = ["split: the payment's booking is not there"] if "booking" in services else []
    assert lived.told() == reported, "and nothing else is left to a person"
