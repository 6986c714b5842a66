"""What booking's database knows of a booking."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from services.booking.store.tables import HISTORY, SAGA
from services.chassis.database import Connection
from services.chassis.statements import Row
from services.operations.console.reads.aside import Aside, aside
from services.operations.console.reads.few import LOOKED_AT, Few, latest

DUE_AT = """
CASE WHEN b.state = 'CONFIRMED' THEN b.ends_at + (b.terms ->> 'auto_complete_hours')::float8 * interval '1 hour'
     WHEN b.state IN ('PENDING_APPROVAL', 'PENDING_PAYMENT', 'PENDING_CONFIRMATION') THEN b.deadline
END AS due_at"""
"""When time alone takes the next step (booking/model/deadlines.py)."""
BOOKING = f"""
SELECT b.booking_id, b.state, b.seats, b.starts_at, b.ends_at, b.price_minor, b.currency, b.commission_bps,
       b.captured_minor, b.approval, b.payment_id, b.payment ->> 'method' AS method, b.created_at, b.deadline,
       b.attempt, b.payment_status, b.settlement_id, b.sequence, b.customer_id, b.attendee_id, b.provider_id,
       b.offering_id, b.slot_id, b.terms ->> 'offering_title' AS offering_title, s.taken, s.capacity,
       {DUE_AT},
       p.timezone, p.name AS provider_name, p.email AS provider_email, c.customer ->> 'name' AS customer_name,
       c.customer ->> 'email' AS customer_email, c.customer ->> 'phone' AS customer_phone,
       c.attendee ->> 'name' AS attendee_name, c.attendee ->> 'email' AS attendee_email, e.entry_id
FROM booking b JOIN slot s USING (slot_id) JOIN provider p ON p.provider_id = b.provider_id
     LEFT JOIN booking_contact c ON c.booking_id = b.booking_id
     LEFT JOIN waitlist_entry e ON e.booking_id = b.booking_id
WHERE b.booking_id = $1
"""
HISTORY_OF = HISTORY.select("WHERE booking_id = $1 ORDER BY number DESC LIMIT {most}")
LOG = """
SELECT line, at, step, attempt, what FROM saga_log WHERE booking_id = $1 ORDER BY line DESC LIMIT {most}
"""
RECEIPTS = f"""
SELECT command_id, reply_type, reply, received_at FROM command_receipt WHERE command_id = ANY($1) LIMIT {LOOKED_AT}
"""
HEARD = f"SELECT message_id, received_at FROM inbox WHERE message_id = ANY($1) LIMIT {LOOKED_AT}"


@dataclass(frozen=True, slots=True)
class InBooking:
    """`booking` has names and addresses: who shows it, masks them. Receipts and inbox by the messages of the history;
    what came in is kept for 30 and for 8 days (chassis/retention.py)."""

    booking: Row | None = None
    saga: Row | None = None
    history: Few = field(default_factory=Few)
    log: Few = field(default_factory=Few)
    receipts: dict[UUID, Row] = field(default_factory=dict)
    heard: dict[UUID, Row] = field(default_factory=dict)
    aside: Aside = field(default_factory=Aside)


async def in_booking(connection: Connection, booking_id: UUID) -> InBooking:
    """All of it; `booking` is None where there is no such booking."""
    history = await latest(connection, HISTORY_OF, booking_id)
    causes = [row["causation_id"] for row in history.rows if row["causation_id"] is not None]
    receipts = await connection.fetch(RECEIPTS, causes)
    heard = await connection.fetch(HEARD, causes)
    return InBooking(
        await connection.fetchrow(BOOKING, booking_id),
        await connection.fetchrow(SAGA.select("WHERE booking_id = $1"), booking_id),
        history,
        await latest(connection, LOG, booking_id),
        {row["command_id"]: row for row in receipts},
        {row["message_id"]: row for row in heard},
        await aside(connection, str(booking_id)),
    )
