"""Dead letters as the console lists them: a filter from an address, and keys that are blocked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from booking_contracts.envelope import rfc3339

from services.chassis.database import Connection
from services.chassis.dead_letter_selection import BEFORE_ALL, Place, Wanted
from services.chassis.problems import Problem
from services.operations.console.asked import in_utc, kept
from services.operations.console.formats import PERSONAL, SIGN

KINDS = ("failed", "unread", "unsendable", "refused")
FILTERS = ("kind", "type", "error", "key", "before")
MOST_BEHIND = 1_000
LONGEST_PART = 200
BLOCKED = f"""
SELECT b.key, b.draining, b.since,
       (SELECT count(*) FROM (SELECT FROM local_message m WHERE m.key = b.key AND m.kind = 'record'
                              LIMIT {MOST_BEHIND}) w)::int AS waiting,
       (SELECT d.id FROM dead_letter d
        WHERE d.status = 'open'
          AND d.id = (SELECT m.id FROM local_message m WHERE m.key = b.key AND m.kind = 'record'
                      ORDER BY m.arrival LIMIT 1)) AS letter
FROM (SELECT key, draining, since FROM blocked_key WHERE key = coalesce($2, key) LIMIT $1) b ORDER BY b.since
"""


def wanted_of(query: Mapping[str, str]) -> Wanted:
    """The filter of an address; `every`: also letters that were dealt with. Raises Problem."""
    given = {name: kept(query.get(name, "")).strip() or None for name in FILTERS}
    if given["kind"] is not None and given["kind"] not in KINDS:
        raise Problem(400, "Bad request", f"There is no kind {given['kind']}; there are {', '.join(KINDS)}.")
    return Wanted(
        given["kind"],
        given["type"],
        given["error"],
        given["key"],
        _instant(given["before"]),
        query.get("every") == "1",
    )


def place_of(text: str | None) -> Place:
    """Where a page begins, as `text_of` has written it. Raises Problem."""
    if not text:
        return BEFORE_ALL
    at, _, letter = text.partition("/")
    try:
        return Place(in_utc(at), UUID(letter))
    except ValueError:
        raise Problem(400, "Bad request", "The list cannot go on from there: begin it again.") from None


def text_of(place: Place) -> str:
    """A letter's place, after which the next page begins."""
    return f"{place.created_at.isoformat()}/{place.id}"


def readable(row: asyncpg.Record) -> dict[str, Any]:
    """A letter with its key as text, and the booking or waitlist entry that it is about, where its key is an id."""
    key = (row["key"] or b"").decode("utf-8", "replace")
    return {**row, "key": key, "about": about(key)}


def about(key: str) -> UUID | None:
    """The booking or waitlist entry of a message's key, or a payment's; None where the key is no id."""
    try:
        return UUID(key)
    except ValueError:
        return None


def with_part(row: asyncpg.Record) -> dict[str, Any]:
    """What letters have in common, with a part of its error to find them by: nobody stands in an address."""
    return {**row, "part": part_of(row["error"] or "")}


def part_of(error: str) -> str | None:
    """What stands before the first that is personal, or was masked."""
    error = error.strip().partition(SIGN)[0]
    personal = PERSONAL.search(error)
    return (error[: personal.start()] if personal else error)[:LONGEST_PART].strip() or None


async def blocked(connection: Connection, key: str | None, *, most: int) -> list[asyncpg.Record]:
    """This key, or all whose messages wait, the longest first; `letter`: the one that they wait for, None: a lock."""
    return await connection.fetch(BLOCKED, most, key)


def in_words(wanted: Wanted) -> dict[str, str]:
    """The filter as an address has it."""
    given = {name: getattr(wanted, name) for name in FILTERS}
    return {name: rfc3339(it) if isinstance(it, datetime) else it for name, it in given.items() if it is not None}


def _instant(text: str | None) -> datetime | None:
    try:
        return None if text is None else in_utc(text)
    except ValueError:
        raise Problem(400, "Bad request", f"{text} is no time; write 2031-05-01 10:00.") from None
