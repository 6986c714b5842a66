"""Erases what notifications knows of how to reach the people of bookings or waitlist entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from uuid import UUID

from services.chassis.database import Connection
from services.chassis.forgetting import in_slices
from services.chassis.operator import NotPossible
from services.notifications.model.addresses import person_of
from services.notifications.model.letters import Audience

FORGET_LETTERS = """
DELETE FROM gateway_call WHERE id = ANY(ARRAY(
    SELECT id FROM gateway_call WHERE key = ANY($1) AND state = 'done' ORDER BY id FOR UPDATE SKIP LOCKED))
"""
ON_THE_WAY = """
SELECT (SELECT count(*) FROM gateway_call WHERE key = ANY($1))
     + (SELECT count(*) FROM delivery WHERE mail IS NOT NULL AND booking_id = ANY($2))
     + (SELECT count(*) FROM webhook_delivery WHERE key = ANY($1) AND state = 'pending')
"""
FORGET_WEBHOOKS = """
DELETE FROM webhook_event e WHERE key = ANY($1)
    AND NOT EXISTS (SELECT FROM webhook_delivery d WHERE d.event_id = e.event_id AND d.state = 'pending')
"""
FORGET_ATTENDEES = """
UPDATE known_booking
SET body = jsonb_set(body, '{attendee}', jsonb_build_object('id', body #> '{attendee,id}', 'name', 'erased'))
WHERE booking_id = ANY($1) AND jsonb_typeof(body -> 'attendee') = 'object'
"""
FORGET_RECIPIENTS = """
UPDATE delivery SET recipient = 'erased:' || delivery_id,
       reason = CASE WHEN reason IS NULL THEN NULL ELSE 'erased' END
WHERE booking_id = ANY($1) AND audience = ANY($2)
"""
FORGET_SWITCHES = "DELETE FROM reminders_off WHERE person = ANY($1)"
WRITTEN_TO = "SELECT DISTINCT recipient FROM delivery WHERE booking_id = ANY($1) AND audience = ANY($2)"
UNHEARD = """
SELECT t.booking_id FROM unnest($1::uuid[], $2::bigint[]) AS t (booking_id, sequence)
WHERE NOT EXISTS (SELECT FROM known_booking k WHERE k.booking_id = t.booking_id AND k.sequence >= t.sequence)
ORDER BY 1
"""


async def erase(connection: Connection, pays: Sequence[UUID], comes: Sequence[UUID], person: str) -> None:
    """What is known of bookings, whom letters went to, the letters themselves. Repeating it does no harm.

    `pays`: bookings and waitlist entries of which `person` is the customer. `comes`: those where they are the attendee
    of somebody else, who is not forgotten. Raises NotPossible while letters are on their way.
    """
    await in_slices(connection, sorted(pays), partial(_forget_customers, connection, person))
    await in_slices(connection, sorted(comes), partial(_forget_attendees, connection, person))


async def unheard(connection: Connection, told: Mapping[UUID, int]) -> list[UUID]:
    """The bookings whose last event has not come yet: what it says of people is kept when it comes.

    `told`: booking → the number of its last event.
    """
    rows = await connection.fetch(UNHEARD, list(told), list(told.values()))
    return [row["booking_id"] for row in rows]


async def _forget_customers(connection: Connection, person: str, ids: Sequence[UUID]) -> None:
    await _forget_letters(connection, person, ids)
    await connection.execute("UPDATE known_booking SET body = NULL WHERE booking_id = ANY($1)", ids)
    await _forget_recipients(connection, ids, (Audience.CUSTOMER, Audience.ATTENDEE))


async def _forget_attendees(connection: Connection, person: str, ids: Sequence[UUID]) -> None:
    """They stand in events about the booking, in letters to its other people, and are written to themselves."""
    await _forget_letters(connection, person, ids)
    await connection.execute(FORGET_ATTENDEES, ids)
    await _forget_recipients(connection, ids, (Audience.ATTENDEE,))


async def _forget_recipients(connection: Connection, ids: Sequence[UUID], who: Sequence[Audience]) -> None:
    """Who comes back later, as somebody new, is reminded again."""
    recipients = [row["recipient"] for row in await connection.fetch(WRITTEN_TO, ids, who)]
    await connection.execute(FORGET_SWITCHES, [person_of(address) for address in recipients])
    await connection.execute(FORGET_RECIPIENTS, ids, who)


async def _forget_letters(connection: Connection, person: str, ids: Sequence[UUID]) -> None:
    """Under the locks of batches, in their order (store.py): no letter is written meanwhile."""
    for table in ("delivery_stream", "known_booking"):
        await connection.fetch(
            f"SELECT booking_id FROM {table} WHERE booking_id = ANY($1) ORDER BY booking_id FOR NO KEY UPDATE", ids
        )
    keys = [str(one) for one in ids]
    await connection.execute(FORGET_LETTERS, keys)
    await connection.execute(FORGET_WEBHOOKS, keys)
    on_the_way: int = await connection.fetchval(ON_THE_WAY, keys, ids)
    if on_the_way:
        raise NotPossible(
            f"{on_the_way} letters and webhooks about {person}'s bookings are on their way: try again later"
        )
