"""The simulated Stripe of a test stack: what it holds, what it has delivered, and how it fails on demand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import aiohttp

CREATE = "payment_intents.create"
"""Authorises a payment: most that can go wrong goes wrong here."""


class StripeControl:
    """Drives STRIPE_CONTROL_URL. Objects are as Stripe shows them; amounts are in minor units.

    Faults, actions and cards are those of the simulator's own page (`stripe_simulator`, README).
    """

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self._url, self._http = url, http
        self._faults: list[dict[str, Any]] = []

    async def state(self, *sections: str) -> Any:
        """Section → its objects, oldest first: payment_intents, charges, refunds, requests … All, or those named."""
        query = {"only": ",".join(sections)} if sections else {}
        return await self.control("GET", "/state", query=query)

    async def payment_intents(self, booking_id: UUID) -> list[Any]:
        """The PaymentIntents of a booking."""
        found = (await self.state("payment_intents"))["payment_intents"]
        return [intent for intent in found if intent["metadata"].get("booking_id") == str(booking_id)]

    async def webhooks(self, booking_id: UUID | None = None) -> list[Any]:
        """The events that the payments service has taken, of all payments or of a booking's, with how often."""
        found = (await self.state("webhooks"))["webhooks"]
        if booking_id is None:
            return list(found)
        own = {intent["id"] for intent in await self.payment_intents(booking_id)}
        return [one for one in found if own & {one["data"]["object"].get(name) for name in ("id", "payment_intent")}]

    @asynccontextmanager
    async def fail(self, kind: str, operation: str = CREATE, **options: Any) -> AsyncIterator[None]:
        """Inside of the block, requests of an operation fail: `fail("declined", decline_code="insufficient_funds")`,
        `fail("500", "refunds.create", count=1)`, `fail("lost", "webhook")`. Whom it hits: everybody on this system.
        """
        async with self.faults({"operation": operation, "kind": kind, **options}):
            yield

    @asynccontextmanager
    async def faults(self, *entries: dict[str, Any]) -> AsyncIterator[None]:
        """Several faults at once, beside those of the blocks around this one."""
        outside = await self._standing()
        await self._replace_faults([*outside, *entries])
        try:
            yield
        finally:
            await self._replace_faults((await self._standing())[: len(outside)])

    async def fired(self) -> int:
        """How often the faults have struck since the innermost block began."""
        return sum(one["fired"] for one in await self.control("GET", "/faults"))

    async def control(self, method: str, path: str, body: object = None, *, query: dict[str, str] | None = None) -> Any:
        """Any other call of the control port: 3-D Secure, chargebacks; its JSON. AssertionError if it is refused."""
        async with self._http.request(method, self._url + path, json=body, params=query) as response:
            assert response.status < 300, await response.text()
            return await response.json()

    async def _standing(self) -> list[dict[str, Any]]:
        """The faults of the blocks around, each with as much of its count as is left."""
        shown = await self.control("GET", "/faults")
        return [
            given | ({"count": given["count"] - seen["fired"]} if "count" in given else {})
            for given, seen in zip(self._faults, shown, strict=False)  # a restored account has none
        ]

    async def _replace_faults(self, entries: list[dict[str, Any]]) -> None:
        await self.control("PUT", "/faults", entries)
        self._faults = entries
