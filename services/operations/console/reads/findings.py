"""What the auditor has found: what is wrong now, and what was until of late."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.chassis.database import Connection
from services.operations.console.reads.paging import BY_TIME, PAGE, Bounded, Cursor, Page, Walk

COUNTED = 1_000
KINDS = BY_TIME

COLUMNS = "violation_id, kind, subject, booking_id, payment_id, detail, ids, first_seen, last_seen, gone_at"


@dataclass(frozen=True, slots=True)
class Finding:
    """Rows that do not agree, since `first_seen`; `ids` names them by what they are."""

    violation_id: UUID
    kind: str
    subject: str
    booking_id: UUID | None
    payment_id: UUID | None
    detail: str
    ids: Mapping[str, Any]
    first_seen: datetime
    last_seen: datetime
    gone_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which: open ones, the longest first, or those that are gone, the last first."""

    kind: str | None = None
    gone: bool = False


async def listed(connection: Connection, wanted: Wanted, at: Cursor | None = None) -> Page[Finding]:
    """A page of them; a kind is looked for row by row."""
    walk = Walk(("gone_at" if wanted.gone else "first_seen", "violation_id"), at, newest=wanted.gone)
    walk.narrow("kind = {}", wanted.kind, indexed=False)
    found = await connection.fetch(
        f"""
        SELECT {COLUMNS}, {walk.fits} AS fits FROM violation
        WHERE gone_at IS {"NOT " if wanted.gone else ""}NULL AND {walk.beyond()}
        ORDER BY {walk.ordered} LIMIT {walk.limit}
        """,
        *walk.values,
    )
    return walk.page(found, _finding)


async def kinds(connection: Connection) -> Mapping[str, Bounded]:
    """How many are open of each kind, the most first; COUNTED are looked at."""
    found = await connection.fetch(
        """
        SELECT kind, count(*), sum(count(*)) OVER () AS looked
        FROM (SELECT kind FROM violation WHERE gone_at IS NULL LIMIT $1) few GROUP BY kind ORDER BY 2 DESC, 1
        """,
        COUNTED + 1,
    )
    return {row["kind"]: Bounded(row["count"], row["looked"] > COUNTED) for row in found}


async def passes(connection: Connection) -> Sequence[asyncpg.Record]:
    """How far each check of the auditor is, those that cannot look first; there are some dozens of checks."""
    return await connection.fetch(
        """
        SELECT name, began_at, ended_at, rows, seconds, problem FROM audit_pass
        ORDER BY problem IS NULL, coalesce(ended_at, began_at), name LIMIT 100
        """
    )


async def one(connection: Connection, violation_id: UUID) -> Finding | None:
    """All of one, or None."""
    row = await connection.fetchrow(f"SELECT {COLUMNS} FROM violation WHERE violation_id = $1", violation_id)
    return None if row is None else _finding(row)


async def of_booking(connection: Connection, booking_id: UUID) -> Sequence[Finding]:
    """Those about a booking, open ones first, and of these the longest; PAGE at most."""
    found = await connection.fetch(
        f"""
        SELECT {COLUMNS} FROM violation WHERE booking_id = $1
        ORDER BY gone_at DESC NULLS FIRST, first_seen LIMIT {PAGE}
        """,
        booking_id,
    )
    return [_finding(row) for row in found]


async def of_slot(
    connection: Connection, named: Sequence[tuple[str, str]], bookings: Sequence[UUID]
) -> Sequence[Finding]:
    """Open ones of these kinds and subjects, or about these bookings, the longest first; PAGE at most."""
    kinds, subjects = zip(*named, strict=True)
    found = await connection.fetch(
        f"""
        SELECT {COLUMNS} FROM violation WHERE violation_id = ANY(ARRAY(
            SELECT v.violation_id FROM unnest($1::text[], $2::text[]) AS n (kind, subject)
            JOIN violation v ON v.kind = n.kind AND v.subject = n.subject AND v.gone_at IS NULL
            UNION
            SELECT violation_id FROM violation WHERE booking_id = ANY($3) AND gone_at IS NULL))
        ORDER BY first_seen LIMIT {PAGE}
        """,
        kinds,
        subjects,
        bookings,
    )
    return [_finding(row) for row in found]


def _finding(row: asyncpg.Record) -> Finding:
    found = {name: value for name, value in row.items() if name not in ("fits", "ids")}
    return Finding(**found, ids=json.loads(row["ids"]))
