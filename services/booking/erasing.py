"""Erases what booking knows of how to reach a customer. Ids, prices and history stay: books are kept on them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.booking.model.states import TRANSITIONS
from services.chassis import letters
from services.chassis.database import Connection
from services.chassis.operator import NotPossible

NAME, EMAIL = "erased", "erased@erased.invalid"
"""Instead of name and address (RFC 2606: `.invalid` reaches nobody)."""

FORGET_CONTACTS = f"""
UPDATE booking_contact
SET customer = $2::jsonb,
    attendee = CASE WHEN attendee IS NOT NULL THEN jsonb_build_object('id', attendee -> 'id', 'name', '{NAME}') END
WHERE booking_id = ANY($1)
"""
FORGET_ENTRIES = f"""
UPDATE waitlist_contact
SET customer = $2::jsonb,
    attendee = CASE WHEN attendee IS NOT NULL THEN jsonb_build_object('id', attendee -> 'id', 'name', '{NAME}') END
WHERE entry_id = ANY($1)
"""
FORGET_READINGS = """
UPDATE booking SET payer_reading = NULL, comer_reading = NULL
WHERE booking_id = ANY($1) AND (payer_reading IS NOT NULL OR comer_reading IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Known:
    """The bookings and waitlist entries that a customer's contact data stands in."""

    bookings: Sequence[UUID]
    entries: Sequence[UUID]

    @property
    def ids(self) -> list[UUID]:
        """Both: keys of messages, and what letters are about."""
        return [*self.bookings, *self.entries]


async def known(connection: Connection, customer_id: str) -> Known:
    """Raises NotPossible while somebody has to be reached: a booking that is not over, a place in a line."""
    return Known(await _bookings(connection, customer_id), await _entries(connection, customer_id))


async def erase(connection: Connection, customer_id: str) -> Sequence[UUID]:
    """Contacts of bookings, attendees among them, and of waitlist entries; dead letters. Repeating it does no harm.

    Returns the open dead letters that it still stands in. Raises NotPossible as `known` does.
    """
    async with connection.transaction():
        await connection.execute("SET LOCAL statement_timeout = '5min'")
        found = await known(connection, customer_id)
        contact = json.dumps({"id": customer_id, "name": NAME, "email": EMAIL})
        await connection.execute(FORGET_CONTACTS, found.bookings, contact)
        await connection.execute(FORGET_ENTRIES, found.entries, contact)
        await connection.execute(FORGET_READINGS, found.bookings)
        return await letters.forget(connection, [str(one) for one in found.ids], customer_id)


async def _bookings(connection: Connection, customer_id: str) -> list[UUID]:
    rows = await connection.fetch(
        """
        SELECT b.booking_id, b.state, s.status FROM booking b LEFT JOIN saga s USING (booking_id)
        WHERE b.customer_id = $1 ORDER BY b.booking_id
        """,
        customer_id,
    )
    going_on = [row for row in rows if row["state"] in TRANSITIONS or row["status"] not in (None, "done")]
    if going_on:
        ids = ", ".join(str(row["booking_id"]) for row in going_on[:5])
        raise NotPossible(f"{len(going_on)} bookings of {customer_id} are not over: {ids}; end them, or wait")
    return [row["booking_id"] for row in rows]


async def _entries(connection: Connection, customer_id: str) -> list[UUID]:
    rows = await connection.fetch(
        "SELECT entry_id, state FROM waitlist_entry WHERE customer_id = $1 ORDER BY entry_id", customer_id
    )
    if waiting := [str(row["entry_id"]) for row in rows if row["state"] in ("WAITING", "OFFERED")]:
        raise NotPossible(f"{customer_id} waits in {len(waiting)} lines: {', '.join(waiting[:5])}; leave them first")
    return [row["entry_id"] for row in rows]
