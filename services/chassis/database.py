"""Connections to PostgreSQL, with limits that keep a frozen replica from holding its peers (engine.md, Batch 10)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
    PooledConnection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record] | Connection
    Pool = asyncpg.Pool[asyncpg.Record]
else:
    Connection = PooledConnection = asyncpg.Connection
    Pool = asyncpg.Pool

SESSION = {
    "lock_timeout": "3s",
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "10s",
    "transaction_timeout": "30s",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "timezone": "UTC",
}
"""transaction_timeout needs PostgreSQL 17; the relay gives gaps up after twice that time."""

TRANSACTION_TIMEOUT_SECONDS = 30


async def connect(url: str, name: str) -> Connection:
    """One connection of its own, for a loop that must not wait for a pool. `name` shows in pg_stat_activity."""
    return await asyncpg.connect(url, server_settings={**SESSION, "application_name": name}, timeout=5)


async def open_pool(url: str, name: str, *, size: int) -> Pool:
    """A pool for reads and operators; it connects when it is first asked."""
    pool = await asyncpg.create_pool(
        url, min_size=0, max_size=size, server_settings={**SESSION, "application_name": name}, timeout=5
    )
    assert pool is not None
    return pool


class Session:
    """A connection that is made again when it was lost; for one user at a time."""

    def __init__(self, url: str, name: str) -> None:
        self.url, self._name = url, name
        self._connection: Connection | None = None

    async def connection(self) -> Connection:
        """The live connection; raises what asyncpg or the network raises when there is none to be had."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self.url, self._name)
        return self._connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One READ COMMITTED transaction."""
        connection = await self.connection()
        async with connection.transaction():
            yield connection

    async def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None and not self._connection.is_closed():
            self._connection.terminate()
        self._connection = None


def columns(rows: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Rows turned into one array per column, as unnest takes them."""
    return list(zip(*rows, strict=True))
