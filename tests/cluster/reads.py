"""Somebody who looks at bookings over HTTP all the while, each time on a new connection to the Service's address."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import aiohttp

EVERY_SECONDS = 0.25
PATIENCE_SECONDS = 5.0
SHOWN = 200
"""Characters of an answer that was no good."""


@dataclass
class Reads:
    """`token` may be another one from one read to the next. Each outcome: when it began, and what went wrong."""

    url: str
    token: str
    outcomes: list[tuple[float, str | None]] = field(default_factory=list)

    async def run(self) -> None:
        """Until it is cancelled."""
        patience = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True), timeout=patience) as http:
            while True:
                at = time.time()
                self.outcomes.append((at, await self._look(http)))
                await asyncio.sleep(EVERY_SECONDS)

    def failures(self, since: float, until: float) -> tuple[int, list[str]]:
        """How many reads there were between two moments, and what went wrong."""
        found = [wrong for at, wrong in self.outcomes if since <= at <= until]
        return len(found), [wrong for wrong in found if wrong is not None]

    async def _look(self, http: aiohttp.ClientSession) -> str | None:
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            async with http.get(f"{self.url}/v1/bookings?customer_id=customer-1", headers=headers) as answer:
                said = await answer.text()
                return None if answer.status == 200 else f"status {answer.status}: {said[:SHOWN]}"
        except (aiohttp.ClientError, TimeoutError) as problem:
            return f"{type(problem).__name__}: {problem}"
