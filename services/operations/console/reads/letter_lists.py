"""A page of dead letters in whatever time there is, also where a bad release has set hundreds of thousands aside.

Key and time are found by an index. By kind, type and error LOOKED letters are looked through for a page; the page after
it reads on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from services.chassis.database import Connection
from services.chassis.dead_letter_selection import BEFORE_ALL, LAST_LINE, Place, Wanted
from services.operations.console.reads.paging import PAGE, Bounded

LOOKED, GROUPED = 5_000, 2_000
"""Errors are long: it takes a while to look into them, and longer to say what they have in common."""
COUNTED = 1_000
MOST_BEHIND = 1_000
WAITING = "status = 'open' AND kind <> 'refused'"
REFUSED = "kind = 'refused'"
CLOSED = "status <> 'open' AND kind <> 'refused'"
"""As the indexes of dead_letter have them; together they are all letters."""
COLUMNS = 'id, created_at, kind, topic, partition, "offset", key, type, status, records, error'
BEHIND = f"""
CASE WHEN d.kind = 'failed' THEN (
    SELECT count(*) FROM (SELECT FROM local_message m
                          WHERE m.kind = 'record' AND m.key = convert_from(d.key, 'UTF8') COLLATE "default"
                            AND m.id <> d.id LIMIT {MOST_BEHIND}) few)::int
ELSE 0 END AS behind"""
"""As services/chassis/dead_letter_selection.py has it, with an end."""


@dataclass(frozen=True, slots=True)
class Listed:
    """`behind` of a letter: messages that wait for it, MOST_BEHIND at most. `after`: where the next page begins."""

    rows: Sequence[asyncpg.Record]
    after: Place | None


@dataclass(frozen=True, slots=True)
class _Source:
    """The oldest letters after a place, each with whether it fits; `looks`: whether some may not."""

    sql: str
    values: Sequence[object]
    looks: bool


async def listed(connection: Connection, wanted: Wanted, after: Place = BEFORE_ALL) -> Listed:
    """The PAGE oldest after a place, without headers and bodies."""
    source = _source(wanted, after, most=PAGE + 1)
    found = await connection.fetch(
        f"SELECT {COLUMNS}, {BEHIND} FROM ({source.sql}) d WHERE fits ORDER BY created_at, id LIMIT {PAGE + 1}",
        *source.values,
    )
    if len(found) > PAGE:
        return Listed(found[:PAGE], Place(found[PAGE - 1]["created_at"], found[PAGE - 1]["id"]))
    last = f"SELECT created_at, id FROM ({source.sql}) d ORDER BY created_at, id OFFSET {LOOKED - 1} LIMIT 1"
    row = await connection.fetchrow(last, *source.values) if source.looks else None
    return Listed(found, None if row is None else Place(row["created_at"], row["id"]))


async def count(connection: Connection, wanted: Wanted) -> Bounded:
    """How many there are, of the oldest that are looked at; COUNTED at most."""
    source = _source(wanted, BEFORE_ALL, most=COUNTED + 1)
    row = await connection.fetchrow(
        f"SELECT count(*) FILTER (WHERE fits) AS fit, count(*) AS looked FROM ({source.sql}) d", *source.values
    )
    assert row is not None, "an aggregate"
    ended = row["looked"] < (LOOKED if source.looks else COUNTED + 1)
    return Bounded(min(row["fit"], COUNTED), row["fit"] > COUNTED or not ended)


async def kinds(connection: Connection, wanted: Wanted) -> Sequence[asyncpg.Record]:
    """How many of each kind, type and error there are among the oldest GROUPED, the most frequent first. PostgreSQL's
    details are of one letter alone, and may hold personal data."""
    source = _source(wanted, BEFORE_ALL, most=GROUPED)
    return await connection.fetch(
        f"""
        SELECT count(*) AS letters, kind, type, {LAST_LINE} AS error
        FROM (SELECT kind, type, split_part(error, 'DETAIL:', 1) AS error FROM ({source.sql}) d
              WHERE fits ORDER BY created_at, id LIMIT {GROUPED}) few
        GROUP BY 2, 3, 4 ORDER BY 1 DESC LIMIT 100
        """,
        *source.values,
    )


def _source(wanted: Wanted, after: Place, *, most: int) -> _Source:
    """`most`: of those that all fit."""
    values: list[object] = [after.created_at, after.id]

    def asked(*conditions: tuple[str, object | None]) -> list[str]:
        found = []
        for condition, value in conditions:
            if value is not None:
                values.append(value)
                found.append(condition.replace("$", f"${len(values)}"))
        return found

    within = asked(("key = convert_to($, 'UTF8')", wanted.key), ("created_at < $", wanted.before))
    fits = asked(("kind = $", wanted.kind), ("type = $", wanted.type), ("position($ IN error) > 0", wanted.error))
    if wanted.kind == "refused":
        parts = [REFUSED]
        fits += [] if wanted.every else ["status = 'open'"]
    else:
        parts = [WAITING, *([CLOSED] if wanted.every else []), *([REFUSED] if wanted.every and not wanted.kind else [])]
    limit = LOOKED if fits else most
    each = " UNION ALL ".join(
        f"(SELECT {COLUMNS} FROM dead_letter WHERE {' AND '.join(['(created_at, id) > ($1, $2)', part, *within])}"
        f" ORDER BY created_at, id LIMIT {limit})"
        for part in parts
    )
    fit = " AND ".join(fits or ["true"])
    sql = f"SELECT {COLUMNS}, {fit} AS fits FROM ({each}) each ORDER BY created_at, id LIMIT {limit}"
    return _Source(sql, values, bool(fits))
