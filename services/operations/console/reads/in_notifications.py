"""What notifications' database knows of a booking: who was told of what, by letter and by webhook."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from services.chassis.database import Connection
from services.chassis.statements import Row
from services.operations.console.reads.aside import Aside, aside
from services.operations.console.reads.few import Few, latest

KNOWN = "SELECT sequence, state, event_type FROM known_booking WHERE booking_id = $1"
LETTERS = """
SELECT number, delivery_id, event_id, recipient, kind, audience, state, created_at, settled_at, reason,
       mail IS NOT NULL AS waits, mail
FROM delivery WHERE booking_id = $1 ORDER BY number DESC LIMIT {most}
"""
WEBHOOKS = """
SELECT d.number, d.delivery_id, d.subscription_id, d.event_id, d.state, d.created_at, d.opened_at, d.try_at, d.tries,
       d.settled_at, d.reason, d.status, e.type, s.url, s.state AS subscriber
FROM webhook_delivery d JOIN webhook_event e USING (event_id) JOIN webhook_subscription s USING (subscription_id)
WHERE d.key = $1 ORDER BY d.number DESC LIMIT {most}
"""
EVENTS = """
SELECT event_id, type, content, created_at FROM webhook_event WHERE key = $1 ORDER BY created_at DESC LIMIT {most}
"""
CALLS = """
SELECT id, subject, state, tries, opened_at, try_at, last_error, parameters, headers,
       (parameters::jsonb ->> 'written_at')::timestamptz AS asked_at,
       parameters::jsonb #>> '{{event,type}}' AS event_type
FROM gateway_call WHERE key = $1 ORDER BY opened_at DESC, id DESC LIMIT {most}
"""


@dataclass(frozen=True, slots=True)
class InNotifications:
    """`calls` hold whole letters, for a day after they were sent; events are kept for 30 days where somebody subscribes
    to them. Both, and recipients and reasons, are personal data."""

    known: Row | None = None
    letters: Few = field(default_factory=Few)
    webhooks: Few = field(default_factory=Few)
    events: Few = field(default_factory=Few)
    calls: Few = field(default_factory=Few)
    aside: Aside = field(default_factory=Aside)


async def in_notifications(connection: Connection, booking_id: UUID) -> InNotifications:
    """All of it; `known` is None before the first event of the booking."""
    key = str(booking_id)
    return InNotifications(
        await connection.fetchrow(KNOWN, booking_id),
        await latest(connection, LETTERS, booking_id),
        await latest(connection, WEBHOOKS, key),
        await latest(connection, EVENTS, key),
        await latest(connection, CALLS, key),
        await aside(connection, key),
    )
