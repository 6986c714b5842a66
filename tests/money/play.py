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
from booking_contracts.testkit.system import System

from deploy.local.stack import Stack
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

STANDS = ("needs_response", "under_review", "won", "lost", "lost")
REASONS = ("expired_or_canceled_card", "declined", "unknown")


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
        await self._bank("/behaviour", {"refunds_without_balance": "overdrawn"}, "PUT")
        await self._act("wallets are topped up again", town.more_money(), strange_hands=True)
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
        await self._act("verdicts", town.verdicts(), strange_hands=True)
        for days in (1, 2, 2):
            await clock.advance(days=days)
            late = town.withdrawals() if days == 1 else ()
            await self._act(f"{days} days later", late, strange_hands=True, kill=days == 1)
        await self._judge()
        await self._fail()
        await self._act("no more faults", ())
        await clock.advance(days=3)
        return await self._end()

    async def _act(
        self, name: str, commands: Iterable[Sendable], *, kill: bool = False, strange_hands: bool = False
    ) -> None:
        """Send, and wait for a while: what is not done then meets the next act. `strange_hands` act at Stripe
        meanwhile, while calls are open and answers are lost."""
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
        if strange_hands:
            for _ in range(6):
                await asyncio.sleep(0.3)
                await self._banks()
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
        """Banks take money back, decide disputes and decide otherwise, and refuse refunds; people at Stripe's dashboard
        give money away and take transfers back. Wallets meet all of it more often: there are few of them."""
        state = await stripe_state(
            self.system.env["STRIPE_CONTROL_URL"], "payment_intents", "disputes", "refunds", "transfers"
        )
        rng, undisputed = self.town.rng, {dispute["payment_intent"] for dispute in state["disputes"]}
        for dispute in state["disputes"]:
            if rng.random() < 0.3:
                await self._bank(f"/disputes/{dispute['id']}/change", {"status": rng.choice(STANDS)})
        for intent in state["payment_intents"]:
            often = 0.06 if "command_id" in intent["metadata"] else 0.02
            received = intent["amount_received"]
            if received and intent["id"] not in undisputed and rng.random() < often:
                amount = rng.choice((received, rng.randint(1, received)))
                body = {"payment_intent": intent["id"], "amount": amount, "inquiry": rng.random() < 0.2}
                await self._bank("/disputes", body)
            elif received and rng.random() < often:
                await self._by_hand("refunds", payment_intent=intent["id"], amount=rng.randint(1, received))
        for refund in state["refunds"]:
            if refund["status"] == "succeeded" and rng.random() < 0.05:
                status = rng.choice(("failed", "canceled"))
                await self._bank(f"/refunds/{refund['id']}/fail", {"status": status, "reason": rng.choice(REASONS)})
        for transfer in state["transfers"]:
            if not transfer["amount_reversed"] and rng.random() < 0.01:
                await self._by_hand(f"transfers/{transfer['id']}/reversals", amount=rng.randint(1, transfer["amount"]))

    async def _by_hand(self, path: str, **form: Any) -> None:
        """Somebody acts in Stripe's dashboard, with metadata of their own. Refused where nothing is left."""
        url = f"{self.system.env['STRIPE_API_BASE']}/v1/{path}"
        form["metadata[refund_id]"] = f"RF-{self.town.rng.randrange(100)}"
        with contextlib.suppress(aiohttp.ClientError):
            async with self.system.http.post(url, data=form, headers={"Authorization": "Bearer sk_test_dashboard"}):
                pass

    async def _judge(self) -> None:
        """Every dispute comes to its end, and some to another one after it."""
        state = await stripe_state(self.system.env["STRIPE_CONTROL_URL"], "disputes")
        for dispute in state["disputes"]:
            for _ in range(self.town.rng.choice((1, 1, 2, 3))):
                outcome = self.town.rng.choice(("won", "lost"))
                await self._bank(f"/disputes/{dispute['id']}/change", {"status": outcome})

    async def _bank(self, path: str, body: dict[str, Any], method: str = "POST") -> None:
        """Refused where somebody was faster."""
        url = self.system.env["STRIPE_CONTROL_URL"] + path
        async with self.system.http.request(method, url, json=body) as response:
            assert response.status in (200, 400), await response.text()

    async def _fail(self, *faults: dict[str, Any]) -> None:
        await self.system.stripe.control("PUT", "/faults", list(faults))

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
