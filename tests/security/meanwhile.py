"""Bookings are made while something is done to the stack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from booking_contracts.booking import BookingConfirmed
from booking_contracts.testkit.system import Studio, System
from booking_contracts.testkit.waiting import eventually

from deploy.local.catalog import INFRASTRUCTURE
from deploy.local.stack import Stack

PAUSE_SECONDS = 0.1
PATIENCE_SECONDS = 40.0
"""A broker that restarts on a busy machine takes longer than a client waits by itself."""
MANY = 2000


@asynccontextmanager
async def bookings_meanwhile(system: System, stack: Stack) -> AsyncIterator[Studio]:
    """One after the other at this studio, from beginning to end; all are confirmed. Services, auditor and console are
    the same processes afterwards."""
    studio = await system.studio(capacity=MANY)
    names = [name for name in stack.names if name not in INFRASTRUCTURE]
    processes, placed, over = [stack.pid(name) for name in names], list[UUID](), asyncio.Event()

    async def go_on() -> None:
        while not over.is_set():
            command = system.place(studio)
            await system.accepted(command, timeout_seconds=PATIENCE_SECONDS)
            placed.append(command.booking_id)
            await asyncio.sleep(PAUSE_SECONDS)

    going = asyncio.create_task(go_on())
    try:
        await eventually("the first", lambda: _later(len(placed)), lambda found: found > 0)
        yield studio
        enough = len(placed) + 5
        await eventually("more of them", lambda: _later(len(placed)), lambda found: found > enough, PATIENCE_SECONDS)
    finally:
        over.set()
        await going
    for booking_id in placed:
        await system.client.outcome(booking_id, BookingConfirmed)
    assert [stack.pid(name) for name in names] == processes


async def tells(system: System, studio: Studio, customer: str) -> None:
    """Somebody books, and is written to."""
    await system.accepted(system.place(studio, customer), timeout_seconds=PATIENCE_SECONDS)
    await system.mail(f"{customer}@example.com", "confirmed")


async def _later(found: int) -> int:
    return found
