"""The services' databases as the auditor reads them: in read-only sessions, made again when they are lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack

import asyncpg

from services.chassis.database import ASKED_RARELY, Connection, Session, Where
from services.operations.auditor.scope import Scope

SETTINGS = {
    **ASKED_RARELY,
    "default_transaction_read_only": "on",
    "statement_timeout": "25s",
    "max_parallel_workers_per_gather": "0",
}
"""A look never takes more than one core, and ends by itself before a batch would mind its snapshot."""
STRETCHES = {**SETTINGS, "enable_nestloop": "off"}
"""PostgreSQL takes a stretch of ids within a hundredth of a table for one row, and would read its other side again and
again. Each table of such a statement has its own condition, and what is looked up by itself is a scalar subquery."""


class Databases:
    """Two sessions to each, for one user at a time."""

    def __init__(self, where: Mapping[str, Where], name: str = "auditor") -> None:
        self._sessions = {service: Session(address, name, SETTINGS) for service, address in where.items()}
        self._walking = {service: Session(address, name, STRETCHES) for service, address in where.items()}

    async def connection(self, service: str) -> Connection:
        """Live. Raises one of AMISS where none is to be had."""
        return await self._sessions[service].connection()

    async def fetch(self, service: str, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Rows, as of one snapshot. Raises one of AMISS where they are not to be had."""
        return await (await self.connection(service)).fetch(statement, *arguments)

    async def within(self, service: str, scope: Scope, statement: str, **columns: str) -> list[asyncpg.Record]:
        """Rows within a scope: each {name} of the statement becomes the condition on that column."""
        conditions = {name: scope.where(column) for name, column in columns.items()}
        connection = await self._walking[service].connection()
        return await connection.fetch(statement.format(**conditions), *scope.arguments)

    async def close(self) -> None:
        """Give the connections back."""
        async with AsyncExitStack() as open_ones:
            for session in (*self._sessions.values(), *self._walking.values()):
                open_ones.push_async_callback(session.close)


def literals(names: Iterable[str]) -> str:
    """Names of ours as a list in SQL, in a fixed order."""
    return ", ".join(f"'{name}'" for name in sorted(names))


def as_uuid(column: str) -> str:
    """A text that should be an id; null where it is none: a look does not end by what it looks for."""
    return f"CASE WHEN pg_input_is_valid({column}, 'uuid') THEN {column}::uuid END"
