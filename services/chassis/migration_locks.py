"""How migrations wait: for each other without end, for locks on tables only shortly (docs/engine.md, Deploys)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
import structlog

from services.chassis.database import AMISS, Connection, Where, connect

log = structlog.get_logger()

SESSION = {
    "lock_timeout": "2s",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "transaction_timeout": "0",
}
"""Everybody who comes later queues behind a lock that is waited for: so for 2 s, while the work may take long."""

ONE_AT_A_TIME = 4711
LOOK_SECONDS = 0.2

BLOCKERS = """
SELECT string_agg(
    format('%s of role %s (process %s)',
           coalesce(nullif(a.application_name, ''), a.backend_type), a.usename, a.pid)
    || coalesce(format(', in a transaction for %s s', extract(epoch FROM clock_timestamp() - a.xact_start)::int)
                || format(', its statement for %s s', extract(epoch FROM clock_timestamp() - a.query_start)::int), ''),
    '; ' ORDER BY a.xact_start)
FROM pg_stat_activity a WHERE a.pid = ANY(pg_blocking_pids($1))
"""
"""The ages of other roles' transactions are shown to members of pg_read_all_stats."""


class Blocked(Exception):
    """A lock that a revision needs was not had in time, or two waited for each other. The text names who holds it."""


async def one_at_a_time(connection: Connection) -> None:
    """Wait until no other migrator works on this database; the lock lasts as long as the connection.

    Asked for again and again: a statement that waits has a snapshot, and CREATE INDEX CONCURRENTLY waits for those.
    """
    told = False
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", ONE_AT_A_TIME):
        if not told:
            log.info("another migrator works on this database; this one waits for it")
            told = True
        await asyncio.sleep(LOOK_SECONDS)


@asynccontextmanager
async def naming_who_blocks(connection: Connection, database: Where) -> AsyncIterator[None]:
    """Turn what fails for want of a lock into Blocked."""
    seen: list[str] = []
    watching = asyncio.create_task(_watch(database, connection.get_server_pid(), seen))
    try:
        yield
    except Exception as error:
        if not _wants_a_lock(error):
            raise
        who = seen[-1] if seen else "a session that was gone before it could be named"
        raise Blocked(
            f"a revision could not have a lock and was rolled back, so that traffic goes on. It waited for {who}. "
            "Earlier revisions stay. Let that session end, or end it with pg_terminate_backend, and migrate again"
        ) from error
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _watch(database: Where, pid: int, seen: list[str]) -> None:
    """Write down whom the migration waits for; afterwards nobody can tell. Without a connection nobody is named."""
    with suppress(*AMISS):
        connection = await connect(database, "migration-watch", {})
        try:
            while True:
                who = await connection.fetchval(BLOCKERS, pid)
                if who is not None:
                    seen.append(who)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            connection.terminate()


def _wants_a_lock(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, asyncpg.LockNotAvailableError | asyncpg.DeadlockDetectedError):
            return True
        error = error.__cause__ or error.__context__
    return False
