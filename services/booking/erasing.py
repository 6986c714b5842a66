"""Erases what booking knows of how to reach a person. Ids, prices and history stay: books are kept on them.

Somebody stands in bookings and waitlist entries as their customer, or as who comes along with another customer. A
customer is erased with all who came along; who came along, without the customer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import asyncpg

from services.booking.model.states import TRANSITIONS
from services.chassis.database import Connection
from services.chassis.forgetting import Left, forget, in_slices
from services.chassis.operator import NotPossible

NAME, EMAIL = "erased", "erased@erased.invalid"
"""Instead of name and address (RFC 2606: `.invalid` reaches nobody)."""

BOOKINGS = """
SELECT b.booking_id AS id, b.customer_id = $1 AS pays, b.sequence, b.state, s.status
FROM booking b LEFT JOIN saga s USING (booking_id)
WHERE b.customer_id = $1 OR b.attendee_id = $1 ORDER BY b.booking_id
"""
ENTRIES = """
SELECT entry_id AS id, customer_id = $1 AS pays, state FROM waitlist_entry
WHERE customer_id = $1
   OR entry_id = ANY(ARRAY(SELECT entry_id FROM waitlist_contact WHERE attendee ->> 'id' = $1)) ORDER BY entry_id
"""
REACHED_BY = """
SELECT DISTINCT text FROM {contact} c, LATERAL (VALUES
    (CASE WHEN c.customer ->> 'id' = $2 THEN c.customer ->> 'email' END),
    (CASE WHEN c.customer ->> 'id' = $2 THEN c.customer ->> 'phone' END), (c.attendee ->> 'email')) reached (text)
WHERE {key} = ANY($1) AND text IS NOT NULL
"""
LOCK_SLOTS = """
SELECT slot_id FROM slot WHERE slot_id = ANY(ARRAY(SELECT slot_id FROM booking WHERE booking_id = ANY($1)))
ORDER BY slot_id FOR NO KEY UPDATE
"""
FORGET = f"""
UPDATE {{contact}}
SET customer = CASE WHEN customer ->> 'id' = $2 THEN $3::jsonb ELSE customer END,
    attendee = CASE WHEN attendee IS NOT NULL THEN jsonb_build_object('id', attendee -> 'id', 'name', '{NAME}') END
WHERE {{key}} = ANY($1)
"""
FORGET_READINGS = """
UPDATE booking SET payer_reading = CASE WHEN customer_id <> $2 THEN payer_reading END, comer_reading = NULL
WHERE booking_id = ANY($1) AND (comer_reading IS NOT NULL OR (customer_id = $2 AND payer_reading IS NOT NULL))
"""


@dataclass(frozen=True, slots=True)
class Role:
    """Bookings and waitlist entries that somebody stands in, in one role."""

    bookings: Sequence[UUID]
    entries: Sequence[UUID]

    @property
    def ids(self) -> list[UUID]:
        """Both: keys of messages, and what letters are about."""
        return [*self.bookings, *self.entries]


@dataclass(frozen=True, slots=True)
class Known:
    """All that a person's contact data stands in."""

    pays: Role
    comes: Role
    """As the attendee of another customer."""
    told: Mapping[UUID, int]
    """The number of the last event of each booking."""
    texts: Sequence[str]
    """Strings in messages about them: the id; addresses and phones, as long as they are not erased."""

    @property
    def keys(self) -> list[str]:
        """Of messages about them."""
        return [str(one) for role in (self.pays, self.comes) for one in role.ids]


async def known(connection: Connection, person: str) -> Known:
    """Raises NotPossible while somebody has to be reached: a booking that is not over, a place in a line."""
    bookings = await connection.fetch(BOOKINGS, person)
    going_on = [row for row in bookings if row["state"] in TRANSITIONS or row["status"] not in (None, "done")]
    if going_on:
        raise NotPossible(f"{len(going_on)} bookings of {person} are not over: {_some(going_on)}; end them, or wait")
    entries = await connection.fetch(ENTRIES, person)
    if waiting := [row for row in entries if row["state"] in ("WAITING", "OFFERED")]:
        raise NotPossible(f"{person} waits in {len(waiting)} lines: {_some(waiting)}; leave them first")
    return Known(
        Role([row["id"] for row in bookings if row["pays"]], [row["id"] for row in entries if row["pays"]]),
        Role([row["id"] for row in bookings if not row["pays"]], [row["id"] for row in entries if not row["pays"]]),
        {row["id"]: row["sequence"] for row in bookings},
        [
            person,
            *await _reached_by(connection, "booking_contact", "booking_id", bookings, person),
            *await _reached_by(connection, "waitlist_contact", "entry_id", entries, person),
        ],
    )


async def erase(connection: Connection, found: Known, person: str) -> Left:
    """Contacts of bookings and waitlist entries; dead letters. Repeating it does no harm. Raises NotPossible.

    Messages first, because who says it again has no addresses to find them by; and again, because batches went on.
    """
    await forget(connection, found.keys, found.texts)
    bookings, entries = ([*getattr(found.pays, of), *getattr(found.comes, of)] for of in ("bookings", "entries"))
    await in_slices(connection, sorted(bookings), partial(_forget_bookings, connection, person))
    await in_slices(connection, sorted(entries), partial(_forget_entries, connection, person))
    return await forget(connection, found.keys, found.texts)


async def _forget_bookings(connection: Connection, person: str, ids: Sequence[UUID]) -> None:
    """Under the locks of batches (store/load.py): who has read a contact has said so before it is erased. Under the
    slots' too: what is read in one statement with a booking's lock stands still under its slot's."""
    await connection.fetch(LOCK_SLOTS, ids)
    await connection.fetch(
        "SELECT booking_id FROM booking WHERE booking_id = ANY($1) ORDER BY booking_id FOR NO KEY UPDATE", ids
    )
    await _forget_contacts(connection, "booking_contact", "booking_id", ids, person)
    await connection.execute(FORGET_READINGS, ids, person)


async def _forget_entries(connection: Connection, person: str, ids: Sequence[UUID]) -> None:
    await connection.fetch(
        "SELECT entry_id FROM waitlist_entry WHERE entry_id = ANY($1) ORDER BY entry_id FOR NO KEY UPDATE", ids
    )
    await _forget_contacts(connection, "waitlist_contact", "entry_id", ids, person)


async def _forget_contacts(connection: Connection, table: str, key: str, ids: Sequence[UUID], person: str) -> None:
    nobody = json.dumps({"id": person, "name": NAME, "email": EMAIL})
    await connection.execute(FORGET.format(contact=table, key=key), ids, person, nobody)


async def _reached_by(
    connection: Connection, table: str, key: str, rows: Iterable[asyncpg.Record], person: str
) -> list[str]:
    found = await connection.fetch(REACHED_BY.format(contact=table, key=key), [row["id"] for row in rows], person)
    return [row["text"] for row in found if row["text"] != EMAIL]


def _some(rows: Sequence[asyncpg.Record]) -> str:
    return ", ".join(str(row["id"]) for row in rows[:5])
