"""Waiting for what a test expects of a running system, which answers when it is ready to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

LOOK_AGAIN_SECONDS = 0.05
FoundT = TypeVar("FoundT")


class NeverHappened(AssertionError):
    """What was waited for did not come; the message says what was there instead."""


async def eventually(
    what: str, look: Callable[[], Awaitable[FoundT]], good: Callable[[FoundT], bool] = bool, seconds: float = 15.0
) -> FoundT:
    """Look until it is good; returns what was seen then. Raises NeverHappened."""
    deadline = time.monotonic() + seconds
    while True:
        found = await look()
        if good(found):
            return found
        if time.monotonic() > deadline:
            raise NeverHappened(f"{what} did not happen in {seconds:.0f} s; last seen: {found!r:.2000}")
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
