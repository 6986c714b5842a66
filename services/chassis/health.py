"""What Kubernetes asks a process (requirement health); every answer is a reason why not, or None when all is well.

Live fails only where a restart helps: a broker or a database that is away is no reason. Serving fails where requests
would fail, where this build cannot handle what it is sent, and while the process stops: the requests need no broker.
Ready is that and Kafka, for who waits until all of a service works (decisions/0036).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from services.chassis.database import AMISS
from services.chassis.failures import BadRelease
from services.chassis.progress import Progress

STUCK_SECONDS = 60.0
STALLED_SECONDS = 300.0


class Reading(Protocol):
    """Where the replica stands, as far as health is concerned."""

    joined: bool
    progress: Progress

    async def broker_answers(self) -> bool: ...


class Working(Protocol):
    """A loop that notes when it last went round (monotonic)."""

    last_progress: float


@dataclass
class Checks:
    """`missing_revisions` asks the database what this build needs and it lacks."""

    intake: Working
    positions: Reading
    relay: Working
    release: BadRelease
    missing_revisions: Callable[[], Awaitable[str | None]]
    stopping: str | None = None
    """Why this process is about to end."""

    async def live(self) -> str | None:
        """Loop and relay go round, and what waits is handled."""
        now = time.monotonic()
        if self.positions.joined and self.intake.last_progress < now - STALLED_SECONDS:
            return "the consumer loop makes no progress"
        if self.positions.progress.stalled_seconds() > STALLED_SECONDS:
            return f"something waits and nothing was handled for {STALLED_SECONDS:.0f} s"
        return "the relay makes no progress" if self.relay.last_progress < now - STUCK_SECONDS else None

    async def ready(self) -> str | None:
        """Serving, and the group is joined, also with nothing assigned, and the broker answers."""
        if self.stopping:
            return self.stopping
        if not self.positions.joined:
            return "the consumer group has not been joined"
        if not await self.positions.broker_answers():
            return "the broker does not answer"
        return await self.serving()

    async def serving(self) -> str | None:
        """The database answers and has what this build needs; this build does its work, and does not stop."""
        if self.stopping:
            return self.stopping
        if suspects := self.release.suspects():
            return f"every {', '.join(suspects)} fails and waits; look at the newest release and at the dead letters"
        return await self.startup()

    async def startup(self) -> str | None:
        """The database has the revision that this build needs."""
        try:
            missing = await self.missing_revisions()
        except AMISS as error:
            return f"the database does not answer: {error!r}"
        return f"the database lacks {missing}; run `bookingctl migrate`" if missing else None
