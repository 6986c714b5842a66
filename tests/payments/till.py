"""The real gateway at the real simulator; with the real engine and database behind it where a test wants them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import aiohttp
from booking_contracts.envelope import MessageBody, uuid7
from pydantic import BaseModel

from services.chassis.database import Pool
from services.chassis.gateway_calls import OpenCall, TryAgain
from services.chassis.messages import LocalBody, Raw
from services.payments.reconciliation.reconciler import Reconciler
from services.payments.stripe_calls.api import StripeApi
from services.payments.stripe_calls.circuit_breaker import CircuitBreaker
from services.payments.stripe_calls.gateway import StripeGateway
from services.payments.stripe_events.event_store import ANSWERED_WITHIN
from services.payments.stripe_events.sweeper import ON_THE_WAY, Sweeper
from stripe_simulator.simulator import Simulator
from tests.chassis.harness import Engine, SetClock


class TypedApi(StripeApi):
    """The service's own, and Stripe's objects for what a test does there by hand."""

    def __init__(self, api_base: str) -> None:
        super().__init__(lambda: "sk_test_1", api_base)
        self.v1 = self._client.v1


class StripeBench:
    """The simulator, a gateway to it, and one clock for both."""

    def __init__(self, simulator: Simulator, offset_file: Path) -> None:
        self.simulator, self._offset_file = simulator, offset_file
        self.clock = SetClock(datetime.now(UTC))
        self.api = TypedApi(simulator.api_url)
        self.gateway = StripeGateway(self.api, self.clock, CircuitBreaker())
        self.http = aiohttp.ClientSession()

    async def close(self) -> None:
        await self.http.close()
        await self.api.close()

    def later(self, **delta: float) -> None:
        """Time passes for both."""
        self.clock.advance(**delta)
        seconds = int((self.clock.now() - datetime.now(UTC)).total_seconds())
        self._offset_file.write_bytes(struct.pack("<q", seconds))

    async def control(self, method: str, path: str, body: object = None) -> Any:
        async with self.http.request(method, self.simulator.control_url + path, json=body) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def faults(self, *entries: dict[str, object]) -> None:
        await self.control("PUT", "/faults", list(entries))

    async def state(self, what: str) -> list[dict[str, Any]]:
        return cast(list[dict[str, Any]], (await self.control("GET", "/state"))[what])

    async def charged(self, **metadata: str) -> str:
        """A PaymentIntent with metadata of ours that was captured without us."""
        intent = await self.api.v1.payment_intents.create_async(
            {"amount": 900, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa", "metadata": metadata}
        )
        return intent.id

    async def keys(self) -> list[str]:
        """The idempotency keys of all requests, oldest first."""
        return [request["idempotency_key"] for request in await self.state("requests") if request["idempotency_key"]]

    async def call(
        self, operation: str, parameters: BaseModel, key: str, *, call_id: UUID | None = None, tries: int = 0
    ) -> LocalBody | TryAgain:
        """One try of a call."""
        json = parameters.model_dump_json()
        return await self.gateway.call(OpenCall(call_id or uuid4(), "key", operation, json, key, [], tries, 0.0))

    async def outcome(self, operation: str, parameters: BaseModel, key: str) -> Any:
        """Tries until the outcome is definite, as the worker does."""
        call_id = uuid4()
        for tries in range(20):
            found = await self.call(operation, parameters, key, call_id=call_id, tries=tries)
            if not isinstance(found, TryAgain):
                return found
        raise AssertionError(f"{operation} has no outcome: {found}")


@dataclass
class Till:
    """Commands in, Stripe's answers taken in, events out."""

    engine: Engine
    bench: StripeBench
    pool: Pool

    async def tell(self, *bodies: MessageBody, settle: bool = True, message_id: UUID | None = None) -> None:
        """Handle messages, then everything that follows from them."""
        await self.engine.run(*(self.engine.record(body, message_id=message_id) for body in bodies))
        if settle:
            await self.settle()

    async def settle(self) -> None:
        """Make open calls and handle what is due until nothing is left."""
        while True:
            results = await self.answers()
            if results:
                await self.engine.run(*results)
            if not await self.engine.run_local() and not results:
                return

    async def answers(self, *operations: str) -> list[Raw]:
        """Stripe's answers to the open calls (of these operations alone), not handled yet."""
        rows = await self.engine.fetch("SELECT * FROM gateway_call WHERE state = 'open' ORDER BY opened_at, id")
        rows = [row for row in rows if not operations or row["operation"] in operations]
        results = []
        for row in rows:
            call = OpenCall(
                row["id"], row["key"], row["operation"], row["parameters"], row["idempotency_key"], [], 0, 0.0
            )
            outcome = await self.bench.gateway.call(call)
            for _ in range(10):
                if not isinstance(outcome, TryAgain):
                    break
                outcome = await self.bench.gateway.call(call)
            assert isinstance(outcome, LocalBody), outcome
            results.append(_result(call, outcome))
        return results

    async def sweep(self) -> int:
        """One sweep of Stripe's events, when none of them is on its way any more, and what follows within seconds."""
        self.bench.later(seconds=ON_THE_WAY.total_seconds() + 1)
        new = await Sweeper(self.bench.api, self.bench.clock).sweep(self.pool)
        await self.settle()
        self.bench.later(seconds=ANSWERED_WITHIN.total_seconds())
        await self.settle()
        return new

    async def reconcile(self) -> None:
        """One pass of the reconciler, and what follows."""
        await Reconciler(self.bench.api, self.bench.clock).reconcile(self.pool)
        await self.settle()

    async def another_round(self) -> None:
        """Another pass, over what is old enough by then."""
        await self.engine.fetch("UPDATE reconciled_until SET try_at = now() - interval '1 hour'")
        self.bench.later(minutes=2)
        await self.reconcile()

    async def events(self) -> list[str]:
        """Names of what was sent, in order."""
        return [sent.type.split(".")[1] for sent in await self.engine.sent()]

    async def balance(self, account: str) -> int:
        rows = await self.engine.fetch("SELECT amount_minor FROM ledger_entry WHERE account = $1", account)
        return sum(row["amount_minor"] for row in rows)


def _result(call: OpenCall, outcome: LocalBody) -> Raw:
    headers = [("ce_id", str(uuid7())), ("ce_correlationid", "correlation"), ("call_id", str(call.id))]
    body = outcome.model_dump_json().encode()
    return Raw(outcome.ce_type, 0, call.id.int & (1 << 62) - 1, call.key.encode(), headers, body)


def soon(bench: StripeBench) -> datetime:
    """An expiry that is not over yet."""
    return (bench.clock.now() + timedelta(hours=1)).replace(microsecond=0)
