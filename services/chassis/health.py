"""What Kubernetes asks a process (requirement health); every answer is a reason why not, or None when all is well.

Live fails only where a restart helps: a broker or a database that is away is no reason. Ready fails where requests
would fail, and while the process stops.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import asyncpg

from services.chassis.progress import Progress

STUCK_SECONDS = 60.0


class Reading(Protocol):
    """The consumer, as far as health is concerned."""

    joined: bool
    progress: Progress

    async def broker_answers(self) -> bool: ...


class Working(Protocol):
    """A loop that notes when it last went round (monotonic)."""

    last_progress: float


@dataclass
class Checks:
    """`missing_revisions` asks the database what this build needs and it lacks."""

    consumer: Reading
    loop: Working
    relay: Working
    missing_revisions: Callable[[], Awaitable[str | None]]
    stopping: str | None = None
    """Why this process is about to end."""

    async def live(self) -> str | None:
        """Loop, consumer and relay make progress."""
        now = time.monotonic()
        if self.consumer.joined and self.loop.last_progress < now - STUCK_SECONDS:
            return "the consumer loop makes no progress"
        if self.consumer.progress.stalled_seconds(now) > STUCK_SECONDS:
            return "records wait and the consumer fetches none"
        return "the relay makes no progress" if self.relay.last_progress < now - STUCK_SECONDS else None

    async def ready(self) -> str | None:
        """The group is joined, also with nothing assigned; database and broker answer."""
        if self.stopping:
            return self.stopping
        if not self.consumer.joined:
            return "the consumer group has not been joined"
        if not await self.consumer.broker_answers():
            return "the broker does not answer"
        return await self.startup()

    async def startup(self) -> str | None:
        """The database has the revision that this build needs."""
        try:
            missing = await self.missing_revisions()
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            return f"the database does not answer: {error!r}"
        return f"the database lacks {missing}; run `bookingctl migrate`" if missing else None
