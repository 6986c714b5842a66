"""Connections to PostgreSQL, with limits that keep a frozen replica from holding its peers (engine.md, Batch 10)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import asyncpg

from services.chassis.setting_files import Followed, setting_file

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
    "enable_seqscan": "off",
    "timezone": "UTC",
}
"""A plan made while a table was small, of a foreign key's check, too, is kept: it takes an index all the same
(decisions/0040). transaction_timeout needs PostgreSQL 17; the relay gives gaps up after twice that time."""

TRANSACTION_TIMEOUT_SECONDS = 30
SILENT_SECONDS = 35.0
"""A server ends what takes longer than its limits above. One that says nothing for so long is not there any more,
though nobody has closed the connection (a cable, a NAT that forgot it)."""

BATCH = {**SESSION, "lock_timeout": "150ms"}
"""A batch waits so long for a row; ladder.py says what happens then."""

ASKED_RARELY = {**SESSION, "plan_cache_mode": "force_custom_plan", "enable_seqscan": "on"}
"""Statements that a batch does not run are planned for their values each time (decisions/0003)."""

READS = {**ASKED_RARELY, "statement_timeout": "3s", "default_transaction_read_only": "on"}
"""What answers a caller over HTTP who asks, and changes nothing."""

KEPT_STATEMENTS = 300
"""What a batch asks differs with what is in it (statements.py): more texts than the 100 that asyncpg keeps prepared."""

PATIENCE_SECONDS = 2.0
"""How long a request waits for a connection; then its caller is told to come again."""

USELESS = (asyncpg.InterfaceError, asyncpg.InternalClientError)
"""asyncpg's own words for a connection that is of no use any more; the second where the server died between two halves
of an answer."""

UNAVAILABLE = (
    OSError,
    TimeoutError,
    *USELESS,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.LockNotAvailableError,
    asyncpg.InvalidPasswordError,
)
"""The database, or a connection to it, is not to be had now, or took too long. (A password that is refused is one that
is being changed: one that was never right is waited for, too, and /health/startup says so.)"""

AMISS = (OSError, asyncpg.PostgresError, *USELESS)
"""All that can be amiss with a database or the way to it (a TimeoutError is an OSError): for who looks, and looks again
soon, by another connection."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is; `password`, where there is one, is asked for at each new connection and goes before one in
    the URL. The files that a URL names (sslrootcert, sslcert, sslkey) asyncpg reads at each new connection, too."""

    url: str = field(repr=False)
    password: Callable[[], str] | None = None

    @classmethod
    def named(cls, name: str) -> Address | None:
        """That of <name>_URL and <name>_PASSWORD in the environment, or of the files that they name with _FILE; None
        where there is no URL."""
        url, password = _setting(f"{name}_URL"), _setting(f"{name}_PASSWORD")
        return None if url is None else cls(url(), password)


Where = str | Address
"""A URL that has its password, or an address."""


def _setting(name: str) -> Callable[[], str] | None:
    file, value = setting_file(name), os.environ.get(name)
    if file is not None:
        return Followed(file)
    return (lambda: value) if value else None


def _login(where: Where) -> dict[str, Any]:
    """As asyncpg names it."""
    address = Address(where) if isinstance(where, str) else where
    return {"dsn": address.url, "password": address.password}


async def connect(
    where: Where, name: str, settings: Mapping[str, str] = SESSION, *, answer_seconds: float | None = None
) -> Connection:
    """One connection of its own, for a loop that must not wait for a pool. `name` shows in pg_stat_activity.

    A statement that takes longer than `answer_seconds` ends in a TimeoutError; the connection is of no use then.
    """
    options = {**settings, "application_name": name}
    return await asyncpg.connect(
        **_login(where),
        server_settings=options,
        timeout=5,
        command_timeout=answer_seconds,
        statement_cache_size=KEPT_STATEMENTS,
    )


class _Impatient(Pool):
    """A pool whose users wait for a connection only so long, and get a TimeoutError then."""

    def acquire(self, *, timeout: float | None = None) -> asyncpg.pool.PoolAcquireContext[asyncpg.Record]:
        return super().acquire(timeout=PATIENCE_SECONDS if timeout is None else timeout)


async def open_pool(where: Where, name: str, *, size: int, settings: Mapping[str, str] = ASKED_RARELY) -> Pool:
    """A pool beside the batch: for reads, for what requests write, for what runs now and then.

    Waiting for it ends in TimeoutError. It connects when it is first asked: a service starts before its database does.
    """
    return await _Impatient(
        **_login(where),
        min_size=0,
        max_size=size,
        max_queries=50_000,
        max_inactive_connection_lifetime=300.0,
        loop=None,
        connection_class=asyncpg.Connection,
        record_class=asyncpg.Record,
        reset=_as_it_is,
        server_settings={**settings, "application_name": name},
        timeout=5,
        command_timeout=SILENT_SECONDS,
    )


async def _as_it_is(_: object) -> None:
    """Nobody leaves anything behind in a session: what is set is set for a transaction. asyncpg would ask the server to
    forget it all, one more statement for each use."""


class Session:
    """A connection that is made again when it was lost; for one user at a time.

    Who has it in hand is done with it within SILENT_SECONDS, or loses it.
    """

    def __init__(self, where: Where, name: str, settings: Mapping[str, str] = SESSION) -> None:
        self.url = where if isinstance(where, str) else where.url
        self._where, self._name, self._settings = where, name, settings
        self._connection: Connection | None = None
        self._silent: asyncio.TimerHandle | None = None

    @property
    def lost(self) -> bool:
        """Whether the connection has ended by itself; the next one may lead to another database."""
        return self._connection is not None and self._connection.is_closed()

    async def connection(self) -> Connection:
        """The live connection; raises what asyncpg or the network raises when there is none to be had."""
        if self._connection is None or self.lost:
            self._connection = await connect(self._where, self._name, self._settings)
        self._watch(self._connection)
        return self._connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One READ COMMITTED transaction."""
        connection = await self.connection()
        async with connection.transaction():
            yield connection

    async def close(self) -> None:
        """Give the connection back."""
        self._watch(None)
        if self._connection is not None and not self._connection.is_closed():
            self._connection.terminate()
        self._connection = None

    def _watch(self, connection: Connection | None) -> None:
        if self._silent is not None:
            self._silent.cancel()
        self._silent = None
        if connection is not None:
            self._silent = asyncio.get_running_loop().call_later(SILENT_SECONDS, connection.terminate)


def columns(rows: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Rows turned into one array per column, as unnest takes them."""
    return list(zip(*rows, strict=True))
