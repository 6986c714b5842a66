"""Statements of a transaction, gathered: those whose order does not matter go to the database in one round trip."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

import asyncpg

from services.chassis.database import Connection

_PARAMETER = re.compile(r"\$(\d+)")

Row = Mapping[str, Any] | asyncpg.Record


@dataclass(slots=True)
class _Returning:
    """A statement that returns rows, and the list that they go to."""

    sql: str
    changes: bool
    names: tuple[str, ...]
    rows: list[Row] = field(default_factory=list)


class Statements:
    """Statements that are sent as one: `WITH w0 AS (INSERT …), w1 AS (DELETE … RETURNING …) SELECT ARRAY(…), ARRAY(…)`.

    None of them sees what another has written, and all read the same moment: what is read under a lock is added after
    the lock was had, what has to find the rows of others after these were sent. Keys, constraints and AFTER triggers
    are looked at when all are done. As a context manager it sends what is left at the end.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._silent: list[str] = []
        self._returning: list[_Returning] = []
        self._arguments: list[object] = []

    def add(self, sql: str, *arguments: object) -> None:
        """Write this with the next `send`; it returns nothing. No two of a round may change the same row."""
        self._silent.append(self._numbered(sql, arguments))

    def change(self, names: str, sql: str, *arguments: object) -> list[Row]:
        """The same with RETURNING; `names` are its columns, as SELECT lists them. `send` fills the list."""
        return self._add(names, sql, arguments, changes=True)

    def read(self, names: str, query: str, *arguments: object) -> list[Row]:
        """Read this with the next `send`, which fills the list with rows by these `names`. Locks are had in the order
        in which their queries were added."""
        return self._add(names, query, arguments, changes=False)

    async def send(self) -> None:
        """Everything that was added since the last time."""
        if not self._silent and not self._returning:
            return
        silent, returning, arguments = self._silent, self._returning, self._arguments
        self._silent, self._returning, self._arguments = [], [], []
        if not returning:
            await self.connection.execute(_with(silent[:-1], silent[-1]), *arguments)
        elif len(returning) == 1 and not silent:
            returning[0].rows += await self.connection.fetch(returning[0].sql, *arguments)
        else:
            changes = [one.sql for one in returning if one.changes]
            found = await self.connection.fetchrow(_with([*changes, *silent], _select(returning)), *arguments)
            assert found is not None, "a SELECT without FROM has one row"
            for one, rows in zip(returning, found, strict=True):
                one.rows += [dict(zip(one.names, row, strict=True)) for row in rows]

    def _add(self, names: str, sql: str, arguments: tuple[object, ...], *, changes: bool) -> list[Row]:
        one = _Returning(self._numbered(sql, arguments), changes, _last_words(names))
        self._returning.append(one)
        return one.rows

    def _numbered(self, sql: str, arguments: tuple[object, ...]) -> str:
        before = len(self._arguments)
        self._arguments += arguments
        return _behind(sql, before)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self.send()


@lru_cache(2_000)
def _behind(sql: str, before: int) -> str:
    """With the numbers of parameters that so many others stand before."""
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + before}", sql) if before else sql


@lru_cache(1_000)
def _last_words(names: str) -> tuple[str, ...]:
    """By which columns are known: "s.step, upper(busy) AS busy_until" has step and busy_until."""
    return tuple(re.split(r"[ .]", name)[-1] for name in names.split(", "))


def _with(others: list[str], last: str) -> str:
    with_others = ", ".join(f"w{number} AS ({sql})" for number, sql in enumerate(others))
    return f"WITH {with_others} {last}" if others else last


def _select(returning: list[_Returning]) -> str:
    """Each one's rows as an array; those of changes from their part of WITH, which `_with` numbers from 0."""
    changes = iter(range(len(returning)))
    sources = (f"w{next(changes)}" if one.changes else f"({one.sql})" for one in returning)
    return "SELECT " + ", ".join(f"ARRAY(SELECT r FROM {source} r)" for source in sources)
