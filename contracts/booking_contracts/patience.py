"""Work that may not hear that it is cancelled: waiting for so long and no longer, and until it has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
AGAIN_SECONDS = 2.0


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Its result. Raises TimeoutError after so many seconds, whatever becomes of the work, which is cancelled.

    `asyncio.timeout` and `wait_for` wait until a cancelled work has ended. aiokafka's consumer takes a cancellation for
    that of a task that it waits for itself, and its stop may go on without end.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
    if not task.done():
        raise TimeoutError(f"it took longer than {seconds:g} s")
    return task.result()


async def ended(*tasks: asyncio.Future[Any]) -> None:
    """Cancel them, and wait until they are over, whatever they end in.

    Where a connection breaks in that moment, its error takes the place of the cancellation, and work that outlives such
    errors goes on: it is cancelled again.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)
