"""What operators do about letters to people: see those that failed, and send one again (bookingctl letters).

The same delivery and Message-ID as before, so that who has it already sees it once; to the address that its reader has
now. One that failed waits for its outcome again, and has another; one that the mail server took keeps its own, because
nothing that comes later makes it untrue.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg
from booking_contracts.booking import BookingEvent
from booking_contracts.envelope import uuid7

from services.chassis.clock import Clock
from services.chassis.database import Connection
from services.chassis.operator import NotPossible
from services.notifications.mail import SEND_MAIL, EventText, MailToSend
from services.notifications.model.letters import Audience

FAILED = """
SELECT delivery_id, created_at, settled_at, booking_id, kind, audience, recipient, reason
FROM delivery WHERE state = 'failed' ORDER BY settled_at DESC LIMIT $1
"""
LOCK_STREAM = """
SELECT s.booking_id FROM delivery_stream s
WHERE s.booking_id = (SELECT booking_id FROM delivery WHERE delivery_id = $1) FOR NO KEY UPDATE
"""
"""The lock of a booking's deliveries (store.py)."""
DELIVERY = "SELECT delivery_id, booking_id, event_id, recipient, audience, state FROM delivery WHERE delivery_id = $1"
CALL = """
SELECT id, state, parameters FROM gateway_call
WHERE key = $1 AND subject = $2 AND operation = $3 ORDER BY opened_at DESC LIMIT 1
"""
NOW_AT = """
SELECT k.event_type, k.body, p.email AS provider_email FROM known_booking k
LEFT JOIN known_provider p ON p.provider_id = (k.body ->> 'provider_id')::uuid WHERE k.booking_id = $1
"""
CALL_AGAIN = """
INSERT INTO gateway_call (id, subject, key, operation, parameters, idempotency_key, headers, try_at)
SELECT $1, subject, key, operation, $2, idempotency_key, headers, statement_timestamp()
FROM gateway_call WHERE id = $3
"""
"""A call of its own: the gateway remembers those that were taken (gateway.py)."""
REOPEN = "UPDATE delivery SET state = 'pending', settled_at = NULL, reason = NULL WHERE delivery_id = $1"
MOVE = "UPDATE delivery SET recipient = $2 WHERE delivery_id = $1"


async def failed(connection: Connection, *, most: int) -> Sequence[asyncpg.Record]:
    """Letters that did not reach their reader, the newest first, and why."""
    return await connection.fetch(FAILED, most)


async def send_again(connection: Connection, clock: Clock, delivery_id: UUID) -> str:
    """Hand a letter to the mail server once more; what was done.

    A letter's text is kept for a day (services/chassis/retention.py). Raises NotPossible: not there, on its way, not
    kept, of no use any more, or its reader was erased.
    """
    async with connection.transaction():
        await connection.fetch(LOCK_STREAM, delivery_id)
        row = await connection.fetchrow(DELIVERY, delivery_id)
        if row is None:
            raise NotPossible(f"there is no letter {delivery_id}; see `bookingctl letters list`")
        call = await connection.fetchrow(CALL, str(row["booking_id"]), str(delivery_id), SEND_MAIL)
        if row["state"] == "pending" or (call is not None and call["state"] == "open"):
            raise NotPossible(f"letter {delivery_id} is on its way: the mail server has not answered for it yet")
        if call is None:
            raise NotPossible(f"the text of letter {delivery_id} is not kept any more: write to its reader yourself")
        mail = MailToSend.model_validate_json(call["parameters"])
        if mail.until is not None and clock.now() >= mail.until:
            raise NotPossible(f"letter {delivery_id} was of use until {mail.until}")
        recipient = await _recipient_now(connection, row, mail)
        if recipient != row["recipient"]:
            await _move(connection, delivery_id, recipient)
        if row["state"] == "failed":
            await connection.execute(REOPEN, delivery_id)
        parameters = mail.model_copy(update={"recipient": recipient}).model_dump_json()
        await connection.execute(CALL_AGAIN, uuid7(), parameters, call["id"])
    return f"the letter ({mail.kind}) to the {row['audience']} of {row['booking_id']} is sent again"


async def _recipient_now(connection: Connection, row: asyncpg.Record, mail: MailToSend) -> str:
    """The admin's address is the service's setting, and a waitlist entry's reader is known by its letters alone."""
    known = await connection.fetchrow(NOW_AT, row["booking_id"])
    if known is None or row["audience"] == Audience.ADMIN:
        return mail.recipient
    if known["body"] is None:
        raise NotPossible(f"whom letter {row['delivery_id']} was for is erased")
    event = EventText(type=known["event_type"], body=known["body"]).read("known_booking")
    assert isinstance(event, BookingEvent), "what is known of a booking is an event of it"
    if row["audience"] == Audience.PROVIDER:
        return known["provider_email"] or event.provider_email
    if row["audience"] == Audience.CUSTOMER:
        return event.customer.email
    return (event.attendee and event.attendee.email) or mail.recipient


async def _move(connection: Connection, delivery_id: UUID, recipient: str) -> None:
    try:
        await connection.execute(MOVE, delivery_id, recipient)
    except asyncpg.UniqueViolationError:
        raise NotPossible(f"a letter of the same event went to the address that {delivery_id} would go to") from None
