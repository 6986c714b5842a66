"""What enters a batch beside Kafka's records: results of calls, and rows whose time has come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from itertools import islice
from uuid import UUID

from services.chassis import local_messages
from services.chassis.clock import Clock
from services.chassis.database import Session
from services.chassis.messages import Raw

PEEK_SECONDS = 0.25
"""How late a row that another process has written may be found; whoever writes one here wakes the loop."""


class Local:
    """Local messages of one replica. `results` are its gateway worker's, which forgets them when they are done."""

    def __init__(self, session: Session, clock: Clock, types: list[str], results: Mapping[UUID, Raw]) -> None:
        self._session, self._clock, self._types, self._results = session, clock, types, results
        self._peek_at = 0.0
        self.woken = asyncio.Event()

    def wake(self) -> None:
        """A local message was stored by another part of this process (a webhook), or a call has its result."""
        self._peek_at = 0.0
        self.woken.set()

    async def due(self, most: int, partitions: Collection[int]) -> list[Raw]:
        """Results, then due rows of the partitions that this replica owns. Raises what the database raises, and
        ConnectionResetError once where the connection was lost: another database may stand there now (set_back.py)."""
        self.woken.clear()
        if self._session.lost:
            await self._session.close()
            raise ConnectionResetError("the connection to the database was lost")
        results = list(islice(self._results.values(), most))
        if time.monotonic() < self._peek_at or not partitions:
            return results
        try:
            connection, now = await self._session.connection(), self._clock.now()
            rows = await local_messages.peek(connection, now, most, self._types, partitions)
        except Exception:
            await self._session.close()
            raise
        if len(rows) < most:
            self._peek_at = time.monotonic() + PEEK_SECONDS
        return results + rows
