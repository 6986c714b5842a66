"""Plays a town's acts on a running stack while Stripe fails, and waits until nothing moves any more."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import asyncpg
from aiokafka import AIOKafkaProducer

from deploy.local.stack import Stack
from deploy.local.system import System
from services.booking import operator
from tests.calm import calm
from tests.chassis.harness import SetClock
from tests.faults.sendable import Sendable
from tests.money.checks import differences
from tests.money.collecting import collect, stripe_state
from tests.money.facts import Money
from tests.money.town import Town

A_FIFTH: tuple[dict[str, Any], ...] = (
    {"kind": "timeout_before", "rate": 0.04, "seconds": 0.3},
    {"kind": "timeout_after", "rate": 0.04, "seconds": 0.3},
    {"kind": "connection_reset", "rate": 0.04},
    {"kind": "500", "rate": 0.02},
    {"kind": "500", "rate": 0.04, "effect": True},
    {"kind": "429", "rate": 0.04},
)
"""Of the calls: 1 − 0.96⁵ × 0.98 = 20 %."""
WEBHOOKS = tuple(
    {"operation": "webhook", "kind": kind, "rate": 0.05} for kind in ("lost", "late", "duplicate", "reordered")
)


@dataclass
class Play:
    """One run. `seed` is that of the faults."""

    stack: Stack
    system: System
    town: Town
    seed: int
    began: float = 0.0

    async def run(self) -> Money:
        """All acts; returns where the money is when everything has come to rest."""
        self.began = time.monotonic()
        town, clock = self.town, self.system.clock
        await self._act("providers register", town.providers())
        await self._act("offerings, slots, wallets", town.opening())
        faults = ({"operation": "*", **fault, "seed": self.seed + number} for number, fault in enumerate(A_FIFTH))
        await self._fail(*faults, *WEBHOOKS)
        await self._act("everybody books", town.booking(), kill=True)
        await self._customers_act()
        await self._act("some pay", town.paying())
        await self._customers_act()
        for hours in (26, 43):
            await clock.advance(hours=hours)
            await self._act(f"{hours} h later some change their minds", town.changing(), kill=True)
        await self._banks()
        await clock.advance(days=8)
        await self._act("sessions are over", town.sessions(), kill=True)
        await self._banks()
        await self._act("verdicts", town.verdicts())
        for days in (1, 2, 2):
            await clock.advance(days=days)
            await self._act(f"{days} days later", town.withdrawals() if days == 1 else ())
        await self._judge()
        await self._fail()
        await self._act("no more faults", ())
        await clock.advance(days=3)
        return await self._end()

    async def _act(self, name: str, commands: Iterable[Sendable], *, kill: bool = False) -> None:
        """Send, and wait for a while: what is not done then meets the next act."""
        sent = 0
        async with AIOKafkaProducer(
            bootstrap_servers=self.system.env["KAFKA_BOOTSTRAP_SERVERS"], linger_ms=5
        ) as producer:
            killing = asyncio.create_task(self._kill()) if kill else None
            for command in commands:
                sent += 1
                envelope = command.envelope
                key, headers = envelope.key.encode(), envelope.headers()
                await producer.send(command.topic, envelope.body, key=key, headers=headers)
            await producer.flush()
        if killing is not None:
            await killing
        moving = dict(await calm(self.system.env, 10 + self.town.count / 40))
        seconds = time.monotonic() - self.began
        print(f"{seconds:4.0f} s  {name}: {sent} commands, still moving: {moving or 'nothing'}", flush=True)

    async def _kill(self) -> None:
        """Payments dies at an unlucky moment and comes back."""
        await asyncio.sleep(self.town.rng.uniform(0.5, 4.0))
        await asyncio.to_thread(self.stack.restart, "payments-1", signal.SIGKILL)

    async def _customers_act(self) -> None:
        """3-D Secure passes, fails or is forgotten; missing payment methods are named in the browser."""
        state = await stripe_state(self.system.env["STRIPE_CONTROL_URL"], "payment_intents")
        for intent in state["payment_intents"]:
            drawn = self.town.rng.random()
            if intent["status"] == "requires_action" and drawn < 0.85:
                await self._bank(f"/authenticate/{intent['id']}", {"success": drawn < 0.65})
            elif intent["status"] == "requires_payment_method" and intent["last_payment_error"] is None and drawn < 0.8:
                await self._name_payment_method(intent)
        await self._act("customers authenticate", ())

    async def _name_payment_method(self, intent: Any) -> None:
        card = self.town.rng.choice(("pm_card_visa", "pm_card_visa", "pm_card_chargeDeclined"))
        url = f"{self.system.env['STRIPE_API_BASE']}/v1/payment_intents/{intent['id']}/confirm"
        form = {"client_secret": intent["client_secret"], "payment_method": card}
        with contextlib.suppress(aiohttp.ClientError):  # the browser meets the same faults
            async with self.system.http.post(url, data=form, headers={"Authorization": "Bearer pk_test_browser"}):
                pass

    async def _banks(self) -> None:
        """Banks take money back, decide disputes, and refuse refunds; people at Stripe's dashboard give money away."""
        state = await stripe_state(self.system.env["STRIPE_CONTROL_URL"], "payment_intents", "disputes", "refunds")
        rng, undisputed = self.town.rng, {dispute["payment_intent"] for dispute in state["disputes"]}
        for dispute in state["disputes"]:
            if dispute["status"] == "needs_response" and rng.random() < 0.5:
                await self._bank(f"/disputes/{dispute['id']}/close", {"status": rng.choice(("won", "lost"))})
        for intent in state["payment_intents"]:
            if intent["amount_received"] and intent["id"] not in undisputed and rng.random() < 0.02:
                await self._bank("/disputes", {"payment_intent": intent["id"]})
            elif intent["amount_received"] and rng.random() < 0.02:
                await self._refund_by_hand(intent["id"], rng.randint(1, intent["amount_received"]))
        for refund in state["refunds"]:
            if refund["status"] == "succeeded" and rng.random() < 0.05:
                await self._bank(f"/refunds/{refund['id']}/fail", {})

    async def _refund_by_hand(self, intent: str, amount: int) -> None:
        """Somebody is generous in Stripe's dashboard. Refused where it is refunded or disputed already."""
        url = f"{self.system.env['STRIPE_API_BASE']}/v1/refunds"
        form = {"payment_intent": intent, "amount": amount}
        with contextlib.suppress(aiohttp.ClientError):
            async with self.system.http.post(url, data=form, headers={"Authorization": "Bearer sk_test_dashboard"}):
                pass

    async def _judge(self) -> None:
        """Every dispute comes to its end."""
        state = await stripe_state(self.system.env["STRIPE_CONTROL_URL"], "disputes")
        for dispute in state["disputes"]:
            if dispute["status"] == "needs_response":
                outcome = self.town.rng.choice(("won", "lost"))
                await self._bank(f"/disputes/{dispute['id']}/close", {"status": outcome})

    async def _bank(self, path: str, body: dict[str, Any]) -> None:
        await self.system.control_stripe("POST", path, body)

    async def _fail(self, *faults: dict[str, Any]) -> None:
        await self.system.control_stripe("PUT", "/faults", list(faults))

    async def _end(self) -> Money:
        """Look until every cent agrees; sagas that got stuck are asked to try again, as an operator does."""
        deadline = time.monotonic() + 60 + self.town.count / 40
        while True:
            await self._retry_stuck()
            await calm(self.system.env, 30)
            money = await collect(self.system.env)
            wrong = differences(money)
            if not wrong:
                return money
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(wrong)} differences:\n" + "\n".join(wrong[:60]))
            await asyncio.sleep(2.0)

    async def _retry_stuck(self) -> None:
        clock = SetClock(await self.system.clock.now())
        async with _connection(self.system.env["BOOKING_DATABASE_URL"]) as booking:
            stuck = await operator.sagas(booking, status="stuck")
            for saga in stuck:
                await operator.retry(booking, clock, saga["booking_id"])
        if stuck:
            print(f"{len(stuck)} sagas were stuck and are tried again", flush=True)


@asynccontextmanager
async def _connection(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()
