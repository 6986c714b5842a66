"""Booking's read queries; one query per table, no N+1."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.booking import rows
from services.booking.model.availability import SlotView, view
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


async def bookings(
    pool: Pool,
    *,
    customer_id: str | None,
    provider_id: UUID | None,
    slot: tuple[UUID, datetime] | None,
    ended_too: bool,
    after: str | None,
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
        UUID(after) if after else None,
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


async def availability(
    pool: Pool, offering_id: UUID | None, provider_id: UUID | None, start: datetime, end: datetime, now: datetime
) -> list[SlotView]:
    """The slots with from ≤ starts_at < to, with seats left and the reason where one is not free.

    Holds that are over do not count, whether or not anything has swept them (requirement availability-query).
    """
    found = await pool.fetch(
        "SELECT * FROM offering WHERE offering_id = $1 OR provider_id = $2", offering_id, provider_id
    )
    offerings = {row["offering_id"]: rows.offering(row) for row in found}
    providers = list({offering.provider_id for offering in offerings.values()})
    margin = timedelta(days=14)
    slots = await pool.fetch(
        "SELECT * FROM slot WHERE provider_id = ANY($1) AND starts_at BETWEEN $2 AND $3",
        providers,
        start - margin,
        end + margin,
    )
    over = await pool.fetch(
        """
        SELECT slot_id, sum(seats) FILTER (WHERE deadline <= $2)::int AS over,
               sum(seats) FILTER (WHERE deadline > $2)::int AS held
        FROM booking WHERE slot_id = ANY($1) AND state IN ('PENDING_APPROVAL', 'PENDING_PAYMENT') GROUP BY slot_id
        """,
        [row["slot_id"] for row in slots],
        now,
    )
    holds = {row["slot_id"]: (row["over"] or 0, row["held"] or 0) for row in over}
    return view(offerings, [rows.slot(row) for row in slots], holds, start, end, now)
