"""Waiting for so long, and no longer, for work that may not hear that it is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


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
