"""Dead letters as an operator looks for them: which, how many, what stands in one (requirement operations-cli)."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from services.chassis.database import Connection
from services.chassis.operator import Done, NotPossible

SLICE = 500
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)

_HEAD = 'id, created_at, kind, topic, partition, "offset", key, type, status, records'
_BEHIND = """(SELECT count(*) FROM local_message m
              WHERE m.kind = 'record' AND convert_to(m.key, 'UTF8') = d.key AND m.id <> d.id)::int AS behind"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which dead letters: each field that is not None narrows them.

    Without `every` those that are open, and of clients' refused input none, unless `kind` says so: it waits for nobody.
    `error` is a part of its text, `key` the whole key, `before` an instant of real time.
    """

    kind: str | None = None
    type: str | None = None
    error: str | None = None
    key: str | None = None
    before: datetime | None = None
    every: bool = False

    @property
    def narrow(self) -> bool:
        """Whether it says more than "all"."""
        return any(value is not None for value in (self.kind, self.type, self.error, self.key, self.before))


async def count(connection: Connection, wanted: Wanted) -> int:
    """How many there are."""
    where, values = _where(wanted)
    found: int = await connection.fetchval(f"SELECT count(*) FROM dead_letter d WHERE {where}", *values)
    return found


async def listed(connection: Connection, wanted: Wanted, *, most: int) -> list[asyncpg.Record]:
    """The oldest of them, without headers and bodies; of the error its end. `behind`: messages that wait for it."""
    where, values = _where(wanted)
    return await connection.fetch(
        f"""
        SELECT {_HEAD}, right(error, 300) AS error, {_BEHIND} FROM dead_letter d
        WHERE {where} ORDER BY created_at, id LIMIT ${len(values) + 1}
        """,
        *values,
        most,
    )


async def shown(connection: Connection, letter_id: UUID) -> asyncpg.Record:
    """All of one. Raises NotPossible."""
    query = f"SELECT {_HEAD}, message_id, error, headers, body, {_BEHIND} FROM dead_letter d WHERE id = $1"
    row = await connection.fetchrow(query, letter_id)
    if row is None:
        raise NotPossible(f"there is no dead letter {letter_id}; see `bookingctl dead-letters list --every`")
    return row


async def kinds(connection: Connection, wanted: Wanted) -> list[asyncpg.Record]:
    """How many of each kind, type and error there are, the most frequent first."""
    where, values = _where(wanted)
    return await connection.fetch(
        f"""
        SELECT count(*) AS letters, kind, type, substring(error FROM '[^\\n]*\\n*$') AS error FROM dead_letter d
        WHERE {where} GROUP BY 2, 3, 4 ORDER BY 1 DESC LIMIT 100
        """,
        *values,
    )


async def treat(
    connection: Connection, wanted: Wanted, most: int, do: Callable[[UUID], Awaitable[Done]]
) -> Counter[str]:
    """Do it to each, the oldest first, at most `most`; each in a transaction of its own, so that no key is held long.

    Returns how often what was done, or was not possible and why.
    """
    summary: Counter[str] = Counter()
    async for letter_id in _ids(connection, wanted, most):
        try:
            summary[(await do(letter_id)).what] += 1
        except NotPossible as problem:
            summary[str(problem).replace(str(letter_id), "it")] += 1
        except asyncpg.LockNotAvailableError:
            summary["not treated: a batch holds its key; try again"] += 1
    return summary


async def _ids(connection: Connection, wanted: Wanted, most: int) -> AsyncIterator[UUID]:
    """In slices, each from where the last one ended: what is treated leaves the selection, what is not stays."""
    where, values = _where(wanted)
    after, last = BEGINNING, UUID(int=0)
    while most > 0:
        rows = await connection.fetch(
            f"""
            SELECT id, created_at FROM dead_letter d
            WHERE {where} AND (created_at, id) > (${len(values) + 1}, ${len(values) + 2})
            ORDER BY created_at, id LIMIT ${len(values) + 3}
            """,
            *values,
            after,
            last,
            min(most, SLICE),
        )
        for row in rows:
            yield row["id"]
        if len(rows) < min(most, SLICE):
            return
        most -= len(rows)
        after, last = rows[-1]["created_at"], rows[-1]["id"]


def _where(wanted: Wanted) -> tuple[str, list[object]]:
    """Only the conditions that were asked for: each has its own plan."""
    conditions = ["true"] if wanted.every else ["status = 'open'"]
    if wanted.kind is None and not wanted.every:
        conditions.append("kind <> 'refused'")
    values: list[object] = []
    for condition, value in (
        ("kind = $", wanted.kind),
        ("type = $", wanted.type),
        ("key = convert_to($, 'UTF8')", wanted.key),
        ("position($ IN error) > 0", wanted.error),
        ("created_at < $", wanted.before),
    ):
        if value is not None:
            values.append(value)
            conditions.append(condition.replace("$", f"${len(values)}"))
    return " AND ".join(conditions), values
