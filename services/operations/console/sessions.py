"""Sessions that were logged out of: a cookie that somebody has copied opens nothing any more, at no console.

A session is a cookie that we signed; a table keeps those that have ended before their time, until then. Each console
reads it every second and asks its memory with each request: no page waits for it, and where the database is away what
was known stays known. What was logged out of meanwhile has ended here, and is written when the database answers again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime

import structlog
from aiohttp import web
from booking_contracts.patience import ended

from services.chassis.clock import real_seconds
from services.chassis.database import columns
from services.operations.console.databases import Away, Databases
from services.operations.console.routes import ENDED_SESSIONS
from services.operations.databases import OPERATIONS

log = structlog.get_logger()
LOOK_SECONDS, AWAY_SECONDS = 1.0, 5.0
KNOWN = "SELECT session FROM ended_session WHERE ends_at > clock_timestamp()"
KEEP = """
INSERT INTO ended_session (session, ends_at) SELECT * FROM unnest($1::text[], $2::timestamptz[]) ON CONFLICT DO NOTHING
"""
OVER = "DELETE FROM ended_session WHERE ends_at <= clock_timestamp()"


class EndedSessions:
    """Those of all consoles, as far as this one knows."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._here: dict[str, datetime] = {}
        self._unkept: set[str] = set()
        self._known: frozenset[str] = frozenset()

    def has(self, session: str) -> bool:
        """Whether somebody has logged out of it."""
        return session in self._here or session in self._known

    async def end(self, session: str, ends_at: datetime) -> None:
        """At once here, everywhere when the database has it. `ends_at`: when it ends by itself."""
        self._here[session] = ends_at
        self._unkept.add(session)
        with suppress(Away):
            await self._keep()

    async def look(self) -> None:
        """Hear of those of other consoles, and write what could not be written. Raises Away."""
        if self._unkept:
            await self._keep()
        async with self._databases.reading(OPERATIONS) as connection:
            self._known = frozenset(row["session"] for row in await connection.fetch(KNOWN))
        now = datetime.fromtimestamp(real_seconds(), UTC)
        self._here = {session: end for session, end in self._here.items() if end > now}

    async def _keep(self) -> None:
        sessions = sorted(self._unkept)
        rows = [(session, self._here[session]) for session in sessions if session in self._here]
        async with self._databases.operations() as connection, connection.transaction():
            if rows:
                await connection.execute(KEEP, *columns(rows))
            await connection.execute(OVER)
        self._unkept.difference_update(sessions)


async def heard_of(app: web.Application) -> AsyncIterator[None]:
    """For `cleanup_ctx`, after the databases: once before the first request, then every second."""
    sessions = app[ENDED_SESSIONS]
    await _look(sessions)
    task = asyncio.create_task(_run(sessions), name="ended sessions")
    yield
    await ended(task)


async def _run(sessions: EndedSessions) -> None:
    heard = True
    while True:
        await asyncio.sleep(LOOK_SECONDS if heard else AWAY_SECONDS)
        heard = await _look(sessions)


async def _look(sessions: EndedSessions) -> bool:
    try:
        await sessions.look()
    except Away:
        return False
    except Exception:  # who is logged in stays so, and the next look may do better
        log.error("it cannot be read which sessions have ended", exc_info=True)
        return False
    return True
