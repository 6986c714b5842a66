"""Notifications over HTTP (contract.md, HTTP): the deliveries of a booking, and the link that ends reminders."""

from __future__ import annotations

from typing import Any

import asyncpg
from aiohttp import web
from aiohttp.http import HttpProcessingError

from services.chassis.clock import Clock
from services.chassis.http import POOL, SCOPES, WRITES, add_description, open_to, page_of
from services.chassis.parameters import limit_of, read_cursor, row_number, uuid_of
from services.chassis.problems import Problem, bad_request
from services.notifications.model.targets import Targets
from services.notifications.pages import rendered_page
from services.notifications.subscriptions import http as subscriptions
from services.notifications.unsubscribing import PATH, SWITCH_OFF, Links

DELIVERIES = """
SELECT number, delivery_id, booking_id, event_id, kind, audience, recipient, channel, state, reason, created_at,
       settled_at FROM (
    (SELECT number, delivery_id, booking_id, event_id, kind, audience, recipient, channel, state, reason, created_at,
            settled_at
     FROM delivery WHERE booking_id = $1 AND number > $2 ORDER BY number LIMIT $3)
    UNION ALL
    (SELECT d.number, d.delivery_id, $1, d.event_id, e.type,
            CASE WHEN s.provider_id IS NOT NULL THEN 'provider' WHEN s.customer_id IS NOT NULL THEN 'customer'
                 ELSE 'admin' END,
            d.subscription_id::text, 'webhook', d.state, d.reason, d.created_at, d.settled_at
     FROM webhook_delivery d JOIN webhook_event e USING (event_id) JOIN webhook_subscription s USING (subscription_id)
     WHERE d.key = $4 AND d.number > $2 ORDER BY d.number LIMIT $3)) both_ways
ORDER BY number LIMIT $3
"""
"""Letters and webhooks share their numbers."""
LINKS: web.AppKey[Links | None] = web.AppKey("links")
PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "Referrer-Policy": "no-referrer",
}
"""Who has the link may end somebody's reminders: it goes to nobody else."""


def add_routes(app: web.Application, clock: Clock, targets: Targets, links: Links | None = None) -> None:
    """Notifications' own paths. `targets`: where webhooks may go. Without `links` none that ends reminders leads
    anywhere."""
    app[LINKS] = links
    add_description(app, "notifications")
    subscriptions.add_routes(app, clock, targets)
    app.router.add_get("/v1/deliveries", deliveries)
    app.router.add_get(PATH + "{token}", unsubscribe_page)
    app.router.add_post(PATH + "{token}", unsubscribe)


async def unsubscribe_page(request: web.Request) -> web.Response:
    """Asks who follows the link: programs that look at links in mails end nothing (RFC 8058, 1)."""
    _person(request)
    return _page(request, asks=True)


async def unsubscribe(request: web.Request) -> web.Response:
    """Ends the reminders of the link's mailbox, and nothing else: what the page's button sends, and mail programs."""
    person = _person(request)
    if not await _clicked(request):
        raise bad_request("Send the form List-Unsubscribe=One-Click (RFC 8058, 3.2).")
    await request.app[WRITES].execute(SWITCH_OFF, person)
    return _page(request, asks=False)


async def _clicked(request: web.Request) -> bool:
    try:
        return (await request.post()).get("List-Unsubscribe") == "One-Click"
    except (ValueError, LookupError, HttpProcessingError):  # no form, or in no charset that there is
        return False


def _person(request: web.Request) -> bytes:
    links = request.app[LINKS]
    person = links.person(request.match_info["token"]) if links is not None else None
    if person is None:
        raise Problem(404, "Not Found", "This link is not one of ours, or too old; the latest reminder has one.")
    return person


def _page(request: web.Request, *, asks: bool) -> web.Response:
    text = rendered_page(request.headers.get("Accept-Language", ""), asks=asks)
    return web.Response(text=text, content_type="text/html", headers=PAGE_HEADERS)


@open_to("read:bookings", "booking_id", "limit", "cursor")
async def deliveries(request: web.Request) -> web.Response:
    """Who was told what of a booking (or waitlist entry) and what became of it, oldest first.

    A recipient's address is shown to tokens with read:pii alone.
    """
    booking_id, limit = uuid_of(request, "booking_id"), limit_of(request)
    if booking_id is None:
        raise bad_request("Name booking_id, the id of a booking or of an entry of a waitlist.")
    found = await request.app[POOL].fetch(
        DELIVERIES, booking_id, read_cursor(request, row_number) or 0, limit + 1, str(booking_id)
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
