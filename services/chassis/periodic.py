"""What a service does again and again beside its messages."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()


async def every(
    seconds: float,
    work: Callable[[], Awaitable[object]],
    what: str,
    *,
    failed: Callable[[], None],
    expected: tuple[type[Exception], ...] = (),
) -> None:
    """Do `work` about twice in `seconds`, until cancelled. A round that fails is told to `failed` and logged; with its
    traceback where the error is none of the `expected`.

    Which replica's round counts is for the work itself to settle, in the database.
    """
    while True:
        await asyncio.sleep(seconds * random.uniform(0.4, 0.6))
        try:
            await work()
        except Exception as error:
            failed()
            if isinstance(error, expected):
                log.warning(f"{what} failed", error=repr(error))
            else:
                log.error(f"{what} failed", exc_info=True)
