"""A slot on one page: its seats, who sits there, who waits, what holds seats for a while; what the auditor says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.booking.model.states import OCCUPYING, State
from services.chassis.database import Connection
from services.operations.auditor.findings import Kind
from services.operations.console.reads import lists, waiting
from services.operations.console.reads.findings import Finding, of_slot
from services.operations.console.reads.paging import Bounded, Cursor, Page

HOLDS = 100
SLOT = """
SELECT s.slot_id, s.offering_id, s.provider_id, s.starts_at, s.ends_at, s.capacity, s.taken, s.opened, s.closed,
       s.stranded, o.definition ->> 'title' AS title, p.timezone, c.closed_at, c.actor_kind, c.actor_id, c.command_id
FROM slot s JOIN offering o USING (offering_id) JOIN provider p ON p.provider_id = s.provider_id
     LEFT JOIN slot_closing c USING (slot_id)
WHERE s.slot_id = $1
"""
SEATS = """
SELECT w.state, c.seats, c.bookings FROM unnest($2::text[]) AS w (state), LATERAL (
    SELECT sum(seats)::int AS seats, count(*) AS bookings FROM (
        SELECT seats FROM booking b WHERE b.slot_id = $1 AND b.state = w.state LIMIT $3) few) c
WHERE c.bookings > 0
"""
HELD = f"""
SELECT booking_id, state, seats, customer_id, deadline FROM booking
WHERE slot_id = $1 AND state IN ('PENDING_APPROVAL', 'PENDING_PAYMENT') ORDER BY deadline LIMIT {HOLDS + 1}
"""
PEOPLE = """
SELECT booking_id, customer ->> 'name' AS name, customer ->> 'email' AS email FROM booking_contact
WHERE booking_id = ANY($1)
"""


@dataclass(frozen=True, slots=True)
class Seats:
    """Of the bookings in one state, as far as they are counted; `holding` says whether these seats are taken."""

    state: State
    seats: int
    bookings: Bounded
    holding: bool


@dataclass(frozen=True, slots=True)
class Slot:
    """`row`: the slot with its offering, zone, and who closed it. `people`: names and addresses by booking, personal
    data. `holds`: bookings that have their seats until a deadline, the first to end first."""

    row: asyncpg.Record
    seats: Sequence[Seats]
    bookings: Page[lists.Listed]
    people: Mapping[UUID, asyncpg.Record]
    holds: Sequence[asyncpg.Record]
    more_holds: bool
    line: waiting.Line

    @property
    def booked(self) -> int:
        """Seats of bookings that hold them."""
        return sum(one.seats for one in self.seats if one.holding)

    @property
    def offered(self) -> int:
        """Seats that offers hold."""
        return sum(entry.seats for entry in self.line.entries if entry.state == "OFFERED")

    @property
    def adds_up(self) -> bool:
        """Whether what is taken is what is held; where more is there than was counted nobody can say."""
        counted = not self.line.more and not any(one.holding and one.bookings.more for one in self.seats)
        return not counted or self.row["taken"] == self.booked + self.offered


async def slot(connection: Connection, slot_id: UUID, at: Cursor | None = None) -> Slot | None:
    """All of it, and a page of its bookings; None: there is no such slot."""
    row = await connection.fetchrow(SLOT, slot_id)
    if row is None:
        return None
    most = lists.COUNTED
    seats = await connection.fetch(SEATS, slot_id, list(State), most + 1)
    found = await lists.bookings(connection, lists.Wanted(slot=slot_id), at)
    people = await connection.fetch(PEOPLE, [one.booking_id for one in found.items])
    holds = await connection.fetch(HELD, slot_id)
    return Slot(
        row,
        [_seats(one, most) for one in seats],
        found,
        {one["booking_id"]: one for one in people},
        holds[:HOLDS],
        len(holds) > HOLDS,
        await waiting.of_slot(connection, slot_id),
    )


def _seats(row: asyncpg.Record, most: int) -> Seats:
    state = State(row["state"])
    return Seats(state, row["seats"], Bounded(min(row["bookings"], most), row["bookings"] > most), state in OCCUPYING)


async def findings(connection: Connection, found: Slot) -> Sequence[Finding]:
    """What is open about the slot, its offers and the bookings that are shown."""
    offers = [str(entry.entry_id) for entry in found.line.entries]
    named = [(Kind.SEATS, str(found.row["slot_id"])), *((Kind.OFFER_OVERDUE, entry) for entry in offers)]
    bookings = {one.booking_id for one in found.bookings.items} | {one["booking_id"] for one in found.holds}
    return await of_slot(connection, named, sorted(bookings))
