"""Notifications' reads over HTTP (contract.md, HTTP): the deliveries of a booking."""

from __future__ import annotations

from typing import Any

import asyncpg
from aiohttp import web

from services.chassis.http import POOL, SCOPES, add_description, open_to, page_of
from services.chassis.parameters import limit_of, read_cursor, row_number, uuid_of
from services.chassis.problems import bad_request


def add_routes(app: web.Application) -> None:
    """Notifications' own paths."""
    add_description(app, "notifications")
    app.router.add_get("/v1/deliveries", deliveries)


@open_to("read:bookings", "booking_id", "limit", "cursor")
async def deliveries(request: web.Request) -> web.Response:
    """Who was told what of a booking (or waitlist entry) and what became of it, oldest first.

    A recipient's address is shown to tokens with read:pii alone.
    """
    booking_id, limit = uuid_of(request, "booking_id"), limit_of(request)
    if booking_id is None:
        raise bad_request("Name booking_id, the id of a booking or of an entry of a waitlist.")
    found = await request.app[POOL].fetch(
        """
        SELECT number, delivery_id, booking_id, event_id, kind, audience, recipient, channel, state, reason,
               created_at, settled_at
        FROM delivery WHERE booking_id = $1 AND number > $2 ORDER BY number LIMIT $3
        """,
        booking_id,
        read_cursor(request, row_number) or 0,
        limit + 1,
    )
    with_address = "read:pii" in request[SCOPES]
    return page_of(found, limit, lambda row: row["number"], lambda row: _shown(row, with_address=with_address))


def _shown(row: asyncpg.Record, *, with_address: bool) -> dict[str, Any]:
    return {
        "delivery_id": row["delivery_id"],
        "booking_id": row["booking_id"],
        "event_id": row["event_id"],
        "kind": row["kind"],
        "audience": "customer" if row["audience"] == "attendee" else row["audience"],
        "to_attendee": row["audience"] == "attendee",
        "recipient": row["recipient"] if with_address else None,
        "channel": row["channel"],
        "state": row["state"],
        "reason": row["reason"] if with_address else None,  # servers like to repeat the address
        "created_at": row["created_at"],
        "settled_at": row["settled_at"],
    }
