"""Booking's read queries; one for each way of asking, each with an index that holds what it asks for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from services.booking.model import quotes
from services.booking.model.states import State
from services.booking.store import rows
from services.booking.store.tables import BOOKING
from services.chassis.database import Pool
from services.chassis.parameters import PAGE
from services.chassis.statements import Row

Order = Literal["booking_id", "starts_at", "-starts_at"]
Position = tuple[datetime, UUID]
LEFT_OUT = frozenset({State.PAYMENT_FAILED, State.EXPIRED})
"""Lists have them only where they are asked for."""
ORDERS: dict[Order, str] = {
    "booking_id": "booking_id",
    "starts_at": "starts_at, booking_id",
    "-starts_at": "starts_at DESC, booking_id DESC",
}

SHOWN = """
    SELECT b.booking_id, b.state, b.seats, b.price_minor, b.currency, b.starts_at, b.ends_at, b.offering_id,
           b.provider_id, b.payment_id, b.deadline, b.sequence, c.customer, c.attendee
    FROM booking b JOIN booking_contact c USING (booking_id)
"""


async def booking(pool: Pool, booking_id: UUID) -> dict[str, Any] | None:
    """A booking as the contract shows it, or None."""
    row = await pool.fetchrow(f"{SHOWN} WHERE b.booking_id = $1", booking_id)
    return None if row is None else _shown(row)


async def quote_preview(pool: Pool, booking_id: UUID, now: datetime) -> dict[str, Any] | None:
    """What its customer would get back now; None where there is no such booking, {} where they cannot cancel."""
    row = await pool.fetchrow(
        f"SELECT {BOOKING.columns('b')}, c.customer, c.attendee"
        " FROM booking b JOIN booking_contact c USING (booking_id) WHERE b.booking_id = $1",
        booking_id,
    )
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


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose bookings, in which of the states, in which order, and where the page begins.

    With `since` and `until` those with since ≤ starts_at < until; `after` is the last item of the page before.
    """

    owner: Literal["customer_id", "provider_id", "slot_id"]
    value: str | UUID
    states: Sequence[State]
    order: Order = "booking_id"
    since: datetime | None = None
    until: datetime | None = None
    after: Position | None = None
    limit: int = PAGE

    def conditions(self) -> list[tuple[str, Sequence[object]]]:
        """What an index in this order holds, with the values; `{}` stands for each of them."""
        found: list[tuple[str, Sequence[object]]] = []
        if self.since:
            found.append(("starts_at >= {}", (self.since,)))
        if self.until:
            found.append(("starts_at < {}", (self.until,)))
        if self.after and self.order == "booking_id":
            found.append(("booking_id > {}", self.after[1:]))
        elif self.after:
            found.append(
                (f"(starts_at, booking_id) {'>' if self.order == 'starts_at' else '<'} ({{}}, {{}})", self.after)
            )
        return found


async def bookings(pool: Pool, asked: Asked) -> list[dict[str, Any]]:
    """A page, and one more where there is one.

    Of each state a few rows are read, in order, and of these the first: so a page costs the same whichever states are
    asked for, and however many bookings are in the others.
    """
    order, where = ORDERS[asked.order], ""
    values: list[object] = [asked.value, asked.states, asked.limit + 1]
    for condition, compared in asked.conditions():
        where += " AND " + condition.format(*(f"${len(values) + nth}" for nth, _ in enumerate(compared, 1)))
        values += compared
    found = await pool.fetch(
        f"""{SHOWN}
        WHERE b.booking_id = ANY(ARRAY(
            SELECT booking_id FROM unnest($2::text[]) AS wanted (state), LATERAL (
                SELECT booking_id, starts_at FROM booking
                WHERE {asked.owner} = $1 AND booking.state = wanted.state{where} ORDER BY {order} LIMIT $3) of_state
            ORDER BY {order} LIMIT $3))
        ORDER BY {order}
        """,
        *values,
    )
    return [_shown(row) for row in found]


def _shown(row: Row) -> dict[str, Any]:
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


async def history(pool: Pool, booking_id: UUID, after: int = 0, limit: int = PAGE) -> list[dict[str, Any]]:
    """A page of a booking's history, oldest first, and one more where there is one."""
    found = await pool.fetch(
        """
        SELECT number, at, actor_kind, actor_id, type, from_state, to_state, reason, causation_id
        FROM booking_history WHERE booking_id = $1 AND number > $2 ORDER BY number LIMIT $3
        """,
        booking_id,
        after,
        limit + 1,
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
