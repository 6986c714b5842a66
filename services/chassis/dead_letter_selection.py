"""Dead letters as an operator looks for them: which, how many, what stands in one (requirement operations-cli)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from services.chassis.clock import real_seconds
from services.chassis.database import Connection
from services.chassis.operator import Done, NotPossible

SLICE = 500
COUNTED = 10_000
"""Letters are counted up to here: after a bad release there may be millions."""

LAST_LINE = "split_part(rtrim(right(error, 500), E'\\n'), E'\\n', -1)"
"""What was raised: above it stands from where. A regular expression takes a hundred times as long."""
_HEAD = 'id, created_at, kind, topic, partition, "offset", key, type, status, records'
_BEHIND = """
CASE WHEN d.kind = 'failed' THEN (
    SELECT count(*) FROM local_message m
    WHERE m.kind = 'record' AND m.key = convert_from(d.key, 'UTF8') COLLATE "default" AND m.id <> d.id)::int
ELSE 0 END AS behind"""
"""Nothing waits for the others; and what failed had been read, so that its key is text. Without COLLATE it has that of
`name`, and no index of `local_message` is used."""


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


@dataclass(frozen=True, slots=True)
class Place:
    """A letter, by their order; where the next portion begins."""

    created_at: datetime
    id: UUID


BEFORE_ALL = Place(datetime(2000, 1, 1, tzinfo=UTC), UUID(int=0))


@dataclass(frozen=True, slots=True)
class Portion:
    """Some letters were treated: how often what was done, how often what was not possible and why, the last of them.
    `ended`: there were no more."""

    done: Counter[str]
    failed: Counter[str]
    last: Place
    ended: bool


async def count(connection: Connection, wanted: Wanted, *, most: int | None = None) -> int:
    """How many there are; `most`, where there are as many or more."""
    where, values = _where(wanted)
    limit = "" if most is None else f" LIMIT {most:d}"
    query = f"SELECT count(*) FROM (SELECT FROM dead_letter d WHERE {where}{limit}) found"
    found: int = await connection.fetchval(query, *values)
    return found


async def listed(
    connection: Connection, wanted: Wanted, *, most: int, after: Place = BEFORE_ALL
) -> list[asyncpg.Record]:
    """The oldest of them, without headers and bodies; of the error its end. `behind`: messages that wait for it."""
    return await _after(connection, wanted, after, most, f"{_HEAD}, right(error, 300) AS error, {_BEHIND}")


async def shown(connection: Connection, letter_id: UUID) -> asyncpg.Record:
    """All of one. Raises NotPossible."""
    query = f"SELECT {_HEAD}, message_id, error, headers, body, {_BEHIND} FROM dead_letter d WHERE id = $1"
    row = await connection.fetchrow(query, letter_id)
    if row is None:
        raise NotPossible(f"there is no dead letter {letter_id}; see `bookingctl dead-letters list --every`")
    return row


async def kinds(connection: Connection, wanted: Wanted) -> list[asyncpg.Record]:
    """How many of each kind, type and error there are among the oldest COUNTED, the most frequent first."""
    where, values = _where(wanted)
    return await connection.fetch(
        f"""
        SELECT count(*) AS letters, kind, type, {LAST_LINE} AS error
        FROM (SELECT kind, type, error FROM dead_letter d
              WHERE {where} ORDER BY created_at, id LIMIT {COUNTED}) oldest
        GROUP BY 2, 3, 4 ORDER BY 1 DESC LIMIT 100
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
    place, ended = BEFORE_ALL, False
    while most > 0 and not ended:
        portion = await treat_portion(connection, wanted, place, min(most, SLICE), do)
        summary += portion.done + portion.failed
        place, ended, most = portion.last, portion.ended, most - SLICE
    return summary


async def treat_portion(
    connection: Connection,
    wanted: Wanted,
    after: Place,
    most: int,
    do: Callable[[UUID], Awaitable[Done]],
    *,
    seconds: float = math.inf,
) -> Portion:
    """The same to the next letters after a place, for about so long at most: what is treated leaves the selection, what
    is not stays behind that place."""
    done, failed, last, until = Counter[str](), Counter[str](), after, real_seconds() + seconds
    rows = await _after(connection, wanted, after, most, "id, created_at")
    for row in rows:
        if real_seconds() > until:
            return Portion(done, failed, last, ended=False)
        last = Place(row["created_at"], row["id"])
        try:
            done[(await do(last.id)).what] += 1
        except NotPossible as problem:
            failed[str(problem).replace(str(last.id), "it")] += 1
        except asyncpg.LockNotAvailableError:
            failed["not treated: a batch holds its key; try again"] += 1
    return Portion(done, failed, last, ended=len(rows) < most)


async def _after(connection: Connection, wanted: Wanted, place: Place, most: int, columns: str) -> list[asyncpg.Record]:
    where, values = _where(wanted)
    n = len(values)
    return await connection.fetch(
        f"""
        SELECT {columns} FROM dead_letter d
        WHERE {where} AND (created_at, id) > (${n + 1}, ${n + 2}) ORDER BY created_at, id LIMIT ${n + 3}
        """,
        *values,
        place.created_at,
        place.id,
        most,
    )


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
