"""Notifications' reads over HTTP (contract.md, HTTP): the deliveries of a booking."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg
from aiohttp import web

from services.chassis.http import POOL, SCOPES, Problem, answer, opaque_cursor, open_to, read_cursor, row_number

PAGE = 100


def add_routes(app: web.Application) -> None:
    """Notifications' own paths."""
    app.router.add_get("/v1/deliveries", deliveries)


@open_to("read:bookings")
async def deliveries(request: web.Request) -> web.Response:
    """Who was told what of a booking (or waitlist entry) and what became of it, oldest first.

    A recipient's address is shown to tokens with read:pii alone.
    """
    found = await request.app[POOL].fetch(
        "SELECT * FROM delivery WHERE booking_id = $1 AND number > $2 ORDER BY number LIMIT $3",
        _booking_id(request),
        read_cursor(request, row_number) or 0,
        PAGE + 1,
    )
    page = found[:PAGE]
    following = opaque_cursor(page[-1]["number"]) if len(found) > PAGE else None
    with_address = "read:pii" in request[SCOPES]
    return answer({"items": [_shown(row, with_address=with_address) for row in page], "next": following})


def _shown(row: asyncpg.Record, *, with_address: bool) -> dict[str, Any]:
    return {
        "delivery_id": row["delivery_id"],
        "booking_id": row["booking_id"],
        "event_id": row["event_id"],
        "kind": row["kind"],
        "audience": row["audience"],
        "recipient": row["recipient"] if with_address else None,
        "channel": row["channel"],
        "state": row["state"],
        "reason": row["reason"] if with_address else None,  # servers like to repeat the address
        "created_at": row["created_at"],
        "settled_at": row["settled_at"],
    }


def _booking_id(request: web.Request) -> UUID:
    try:
        return UUID(request.query.get("booking_id", ""))
    except ValueError:
        raise Problem(400, "Bad Request", "Name a booking_id, a UUID.") from None
