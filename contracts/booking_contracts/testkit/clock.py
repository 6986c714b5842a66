"""The clock of a local or test stack, moved forward so that days pass in a test. Production has no such thing."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError

TIMEOUT_SECONDS = 10.0


class ClockRefused(Exception):
    """The stack did not move its clock; the message is its answer (409: it only moves forward)."""


class MovableClock:
    """Drives CLOCK_OFFSET_URL. When a call returns, services and simulator use the new time."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def offset(self) -> timedelta:
        """How far the stack is ahead of real time."""
        return await asyncio.to_thread(self._exchange, None)

    async def now(self) -> datetime:
        """What time it is in the stack, in UTC."""
        return datetime.now(UTC) + await self.offset()

    async def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
        """Let time pass, in whole seconds (rounded up); returns the new time. Raises ClockRefused."""
        step = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        return await self._move(await self.offset() + step)

    async def advance_to(self, instant: datetime) -> datetime:
        """Let time pass until `instant`; returns the new time. Raises ClockRefused when it is over already."""
        return await self._move(instant - datetime.now(UTC))

    async def _move(self, offset: timedelta) -> datetime:
        whole_seconds = -(-offset // timedelta(seconds=1))
        return datetime.now(UTC) + await asyncio.to_thread(self._exchange, whole_seconds)

    def _exchange(self, offset_seconds: int | None) -> timedelta:
        body = None if offset_seconds is None else json.dumps({"offset_seconds": offset_seconds}).encode()
        request = urllib.request.Request(
            self._url,
            data=body,
            method="GET" if body is None else "PUT",
            headers={"content-type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
                return timedelta(seconds=json.load(answer)["offset_seconds"])
        except HTTPError as error:
            raise ClockRefused(
                f"{self._url} answered {error.code}: {error.read().decode('utf-8', 'replace')}"
            ) from None
