"""What another team needs to test against the booking system: the real one, started for the test, and sample commands.

README.md beside this file is the way in. Samples need nothing but pydantic; a running system needs the extra `testkit`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from booking_contracts.testkit.system import System


@asynccontextmanager
async def booking_system(checkout: Path | str | None = None) -> AsyncIterator[System]:
    """A booking system of one's own, stopped and forgotten at the end of the block.

    In containers, or out of a clone of its repository: `checkout`, or BOOKING_CHECKOUT of the environment. Raises
    NotStarted. For pytest there are fixtures: plugin.py.
    """
    # Here, so that samples can be had without the extra's packages.
    from booking_contracts.testkit.starting import running_system
    from booking_contracts.testkit.system import connected

    started = ExitStack()
    try:
        running = await asyncio.to_thread(started.enter_context, running_system(checkout))
        async with connected(running.env, running) as system:
            yield system
    finally:
        await asyncio.to_thread(started.close)
