"""The operators' log: who did what to what, when and why, what came of it; and who saw whose personal data.

What was done to a thing (a dead letter, a mail, a webhook, a refund, a job) is found by its id, wherever it is shown.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.chassis.database import Connection
from services.operations.console.databases import Databases
from services.operations.console.formats import without_people
from services.operations.console.parts import Part, part
from services.operations.console.reads.paging import BY_ID, Cursor, Page, Walk
from services.operations.databases import OPERATIONS

KINDS = BY_ID

COLUMNS = "entry_id, at, operator, act, service, subject, booking_id, reason, asked, outcome, ended_at"


LOOK = "look"
OF_A_THING = f"act <> '{LOOK}' AND length(subject) <= 128"
"""What the index operator_log_of_thing has; no id is longer (contracts, texts.OPAQUE_ID)."""
DONE_TO = f"""
SELECT {COLUMNS} FROM unnest($1::text[]) AS thing (id) CROSS JOIN LATERAL (
    SELECT {COLUMNS} FROM operator_log WHERE subject = thing.id AND {OF_A_THING} ORDER BY entry_id DESC LIMIT $2) of
ORDER BY entry_id DESC
"""
SHOWN = 20
"""Of one thing; the log has them all."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An act. Without an outcome it has not ended, or the console ended with it."""

    entry_id: UUID
    at: datetime
    operator: str
    act: str
    service: str | None
    subject: str
    booking_id: UUID | None
    reason: str
    asked: Mapping[str, Any]
    outcome: str | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: each field that is set narrows them; since ≤ at < until."""

    operator: str | None = None
    act: str | None = None
    subject: str | None = None
    booking_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


async def listed(connection: Connection, wanted: Wanted, at: Cursor | None = None) -> Page[Entry]:
    """A page, the newest first. Entries are in the order of their ids, which begin with the time (UUIDv7): one of these
    filters has an index, the others are looked at row by row."""
    walk = Walk(("entry_id",), at, newest=True)
    filters = ("booking_id", wanted.booking_id), ("operator", wanted.operator), ("act", wanted.act)
    for number, (column, value) in enumerate((column, value) for column, value in filters if value is not None):
        walk.narrow(f"{column} = {{}}", value, indexed=number == 0)
    walk.narrow("subject = {}", wanted.subject, indexed=False)
    walk.narrow("entry_id >= {}", wanted.since and first_id(wanted.since), indexed=True)
    walk.narrow("entry_id < {}", wanted.until and first_id(wanted.until), indexed=True)
    found = await connection.fetch(
        f"""
        SELECT {COLUMNS}, {walk.fits} AS fits FROM operator_log
        WHERE {walk.within} AND {walk.beyond()} ORDER BY {walk.ordered} LIMIT {walk.limit}
        """,
        *walk.values,
    )
    return walk.page(found, _entry)


async def done_to(connection: Connection, ids: Collection[object], most: int = SHOWN) -> Mapping[str, Sequence[Entry]]:
    """By id what operators did to each of these things, the last first."""
    found: dict[str, list[Entry]] = {}
    for row in await connection.fetch(DONE_TO, sorted({str(one) for one in ids}), most):
        found.setdefault(row["subject"], []).append(_entry(row))
    return found


async def acts_on(databases: Databases, ids: Collection[object]) -> Part[Mapping[str, Sequence[Entry]]]:
    """`done_to` beside a page of another database: it is shown without where this one is away."""

    async def read() -> Mapping[str, Sequence[Entry]]:
        async with databases.reading(OPERATIONS) as connection:
            return await done_to(connection, ids)

    return await part(OPERATIONS, read())


def first_id(at: datetime) -> UUID:
    """Before all ids of this millisecond and later, and after all earlier ones (RFC 9562, UUIDv7)."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def _entry(row: asyncpg.Record) -> Entry:
    found = {name: value for name, value in row.items() if name not in ("fits", "asked")}
    asked = json.loads(row["asked"])
    return Entry(**found, asked={name: without_people(it) if isinstance(it, str) else it for name, it in asked.items()})
