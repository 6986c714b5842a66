"""The databases that the console reads and acts on; one that is away does not hide the others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager

import asyncpg
import structlog

from services.chassis import expiry
from services.chassis.database import ASKED_RARELY, READS, UNAVAILABLE, Address, Connection, Pool, open_pool
from services.operations.databases import DATABASES, OPERATIONS

log = structlog.get_logger()
READERS, ACTORS = 8, 4
"""Connections of one console to each database; a page reads a few things at once."""


class Away(Exception):
    """A database does not answer, or was not named to the console; the text is a sentence for its user."""

    def __init__(self, name: str, why: str = "does not answer") -> None:
        super().__init__(f"the database of {name} {why}")
        self.name = name


class Databases:
    """Pools by the names of `operations.databases`; `addresses` has none for what the console was not told."""

    def __init__(self, addresses: Mapping[str, Address]) -> None:
        self._addresses = addresses
        self._reading: dict[str, Pool] = {}
        self._acting: dict[str, Pool] = {}

    @classmethod
    def named(cls) -> Databases:
        """Those of <NAME>_DATABASE_URL in the environment."""
        found = {name: Address.named(f"{name.upper()}_DATABASE") for name in DATABASES}
        return cls({name: address for name, address in found.items() if address is not None})

    def certificate_files(self) -> list[str]:
        """Those that connections to them are made with."""
        return expiry.files_of(*self._addresses.values())

    @asynccontextmanager
    async def opened(self, instance: str = "console") -> AsyncIterator[None]:
        """Connections are made when they are first wanted, and ended on leaving."""
        async with AsyncExitStack() as ending:
            for name, address in self._addresses.items():
                for kept, settings, size in ((self._reading, READS, READERS), (self._acting, ASKED_RARELY, ACTORS)):
                    kept[name] = await open_pool(address, instance, size=size, settings=settings)
                    ending.callback(kept[name].terminate)
            yield

    @asynccontextmanager
    async def reading(self, name: str) -> AsyncIterator[Connection]:
        """A connection in one READ ONLY transaction, which sees one instant. Raises Away."""
        with _answering(name):
            pool = self._pool(self._reading, name)
            async with pool.acquire() as it, it.transaction(isolation="repeatable_read", readonly=True):
                yield it  # type: ignore[misc]  # a pool's, which has the same methods

    @asynccontextmanager
    async def acting(self, name: str) -> AsyncIterator[Connection]:
        """A connection for one act, which makes its own transaction. Raises Away; a lock that is not to be had is the
        act's to tell (asyncpg.LockNotAvailableError)."""
        with _answering(name):
            async with self._pool(self._acting, name).acquire() as connection:
                yield connection  # type: ignore[misc]

    def operations(self) -> AbstractAsyncContextManager[Connection]:
        """As `acting`, on the operators' own database: their log, views and jobs."""
        return self.acting(OPERATIONS)

    def _pool(self, kept: Mapping[str, Pool], name: str) -> Pool:
        if name not in kept:
            raise Away(name, f"was not named to the console: set {name.upper()}_DATABASE_URL")
        return kept[name]


@contextmanager
def _answering(name: str) -> Iterator[None]:
    try:
        yield
    except asyncpg.LockNotAvailableError:
        raise
    except asyncpg.QueryCanceledError as error:
        log.warning("a database takes too long", database=name, error=repr(error))
        raise Away(name, "takes too long to answer") from error
    except UNAVAILABLE as error:
        log.warning("a database does not answer", database=name, error=repr(error))
        raise Away(name) from error
