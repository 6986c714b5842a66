"""Booking's read queries; one query per table, no N+1."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from services.booking import rows
from services.booking.model import quotes
from services.booking.model.slots import slot_id
from services.chassis.database import Pool

PAGE = 100

BOOKING = """
    SELECT b.*, c.customer, c.attendee FROM booking b JOIN booking_contact c USING (booking_id)
"""


async def booking(pool: Pool, booking_id: UUID) -> dict[str, Any] | None:
    """A booking as the contract shows it, or None."""
    row = await pool.fetchrow(f"{BOOKING} WHERE b.booking_id = $1", booking_id)
    return None if row is None else _shown(row)


async def quote_preview(pool: Pool, booking_id: UUID, now: datetime) -> dict[str, Any] | None:
    """What its customer would get back now; None where there is no such booking, {} where they cannot cancel."""
    row = await pool.fetchrow(f"{BOOKING} WHERE b.booking_id = $1", booking_id)
    if row is None:
        return None
    booking = rows.booking(row, row)
    amounts = quotes.preview(booking, now)
    if amounts is None:
        return {}
    return {
        "refund": amounts.refund.model_dump(),
        "kept": amounts.kept.model_dump(),
        "policy_version": booking.terms.policy_version,
        "valid_until": quotes.valid_until(booking, "customer", now),
    }


async def bookings(
    pool: Pool,
    *,
    customer_id: str | None,
    provider_id: UUID | None,
    slot: tuple[UUID, datetime] | None,
    ended_too: bool,
    after: UUID | None,
) -> list[dict[str, Any]]:
    """A page in the order of ids."""
    found = await pool.fetch(
        f"""{BOOKING}
        WHERE ($1::text IS NULL OR b.customer_id = $1)
          AND ($2::uuid IS NULL OR b.provider_id = $2)
          AND ($3::uuid IS NULL OR b.slot_id = $3)
          AND ($4 OR b.state NOT IN ('PAYMENT_FAILED', 'EXPIRED'))
          AND ($5::uuid IS NULL OR b.booking_id > $5)
        ORDER BY b.booking_id LIMIT $6
        """,
        customer_id,
        provider_id,
        slot_id(*slot) if slot else None,
        ended_too,
        after,
        PAGE,
    )
    return [_shown(row) for row in found]


def _shown(row: rows.Row) -> dict[str, Any]:
    return {
        "booking_id": row["booking_id"],
        "state": row["state"],
        "seats": row["seats"],
        "price": {"amount": row["price_minor"], "currency": row["currency"]},
        "starts_at": row["starts_at"],
        "ends_at": row["ends_at"],
        "offering_id": row["offering_id"],
        "provider_id": row["provider_id"],
        "customer": json.loads(row["customer"]),
        "attendee": json.loads(row["attendee"]) if row["attendee"] else None,
        "payment_id": row["payment_id"],
        "deadline": row["deadline"],
        "sequence": row["sequence"],
    }


async def history(pool: Pool, booking_id: UUID, after: int) -> list[dict[str, Any]]:
    """A page of a booking's history, oldest first."""
    found = await pool.fetch(
        "SELECT * FROM booking_history WHERE booking_id = $1 AND number > $2 ORDER BY number LIMIT $3",
        booking_id,
        after,
        PAGE,
    )
    return [
        {
            "number": row["number"],
            "at": row["at"],
            "actor": {"kind": row["actor_kind"], "id": row["actor_id"]},
            "type": row["type"],
            "from": row["from_state"],
            "to": row["to_state"],
            "reason": row["reason"],
            "causation_id": row["causation_id"],
        }
        for row in found
    ]
