"""Who waits for a slot, and who was offered its seats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.chassis.database import Connection

SHOWN = 100
SIZES = 50
"""Sizes of parties that a line is read for; a party is no larger than its slot."""

ENTRY = """
SELECT e.entry_id, e.slot_id, e.booking_id, e.starts_at, e.state, e.seats, e.customer_id, e.place, e.joined_at,
       e.deadline, e.closes_at FROM waitlist_entry e
"""
OFFERED = f"{ENTRY} WHERE e.slot_id = $1 AND e.state = 'OFFERED' ORDER BY e.deadline LIMIT $2"
WAITING = f"""
WITH RECURSIVE size (seats) AS (
    (SELECT seats FROM waitlist_entry WHERE slot_id = $1 AND state = 'WAITING' ORDER BY seats LIMIT 1)
    UNION ALL
    SELECT (SELECT e.seats FROM waitlist_entry e WHERE e.slot_id = $1 AND e.state = 'WAITING' AND e.seats > size.seats
            ORDER BY e.seats LIMIT 1) FROM size WHERE size.seats IS NOT NULL
), first AS (
    SELECT f.entry_id FROM (SELECT seats FROM size WHERE seats IS NOT NULL LIMIT {SIZES}) s, LATERAL (
        SELECT entry_id FROM waitlist_entry
        WHERE slot_id = $1 AND state = 'WAITING' AND seats = s.seats ORDER BY place LIMIT $2) f
)
{ENTRY} WHERE e.entry_id = ANY(ARRAY(SELECT entry_id FROM first)) ORDER BY e.place, e.entry_id LIMIT $2
"""
"""The index has a line by size of party: of each size the first, and of these the first."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A place in a line, or an offer that holds seats until its deadline."""

    entry_id: UUID
    slot_id: UUID
    booking_id: UUID | None
    starts_at: datetime
    state: str
    seats: int
    customer_id: str
    place: int
    joined_at: datetime
    deadline: datetime | None
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """Offers by when they end, then who waits, in order; `more` where there are more of either than SHOWN."""

    entries: Sequence[Waiting]
    more: bool


async def of_slot(connection: Connection, slot_id: UUID) -> Line:
    """The living entries; those that have ended are found by their customer or their id alone (no index has them)."""
    found: list[asyncpg.Record] = []
    more = False
    for query in (OFFERED, WAITING):
        rows = await connection.fetch(query, slot_id, SHOWN + 1)
        more = more or len(rows) > SHOWN
        found += rows[:SHOWN]
    return Line([_waiting(row) for row in found], more)


async def of_customer(connection: Connection, customer_id: str) -> Line:
    """A customer's entries on all slots, the last ones by id first, ended ones, too."""
    rows = await connection.fetch(
        f"{ENTRY} WHERE e.customer_id = $1 ORDER BY e.entry_id DESC LIMIT $2", customer_id, SHOWN + 1
    )
    return Line([_waiting(row) for row in rows[:SHOWN]], len(rows) > SHOWN)


def _waiting(row: asyncpg.Record) -> Waiting:
    return Waiting(**dict(row.items()))
