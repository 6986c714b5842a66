"""Booking's reads over HTTP (contract.md, HTTP): availability, bookings, history, a quote's preview."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from aiohttp import web

from services.booking import reads, reads_calendar
from services.chassis.clock import Clock
from services.chassis.http import POOL, SCOPES, Problem, answer, opaque_cursor, open_to, path_id, read_cursor

MOST_DAYS = 62
CLOCK: web.AppKey[Clock] = web.AppKey("clock")


def add_routes(app: web.Application, clock: Clock) -> None:
    """Booking's own paths."""
    app[CLOCK] = clock
    app.router.add_get("/v1/availability", availability)
    app.router.add_get("/v1/bookings", bookings)
    app.router.add_get("/v1/bookings/{id}", booking)
    app.router.add_get("/v1/bookings/{id}/history", history)
    app.router.add_get("/v1/bookings/{id}/cancellation-quote", cancellation_quote)


@open_to("read:bookings")
async def availability(request: web.Request) -> web.Response:
    """Slots of an offering or a provider with from ≤ starts_at < to, at most 62 days, never paged."""
    offering_id, provider_id = _uuid(request, "offering_id"), _uuid(request, "provider_id")
    if (offering_id is None) == (provider_id is None):
        raise Problem(400, "Bad Request", "Name either offering_id or provider_id.")
    start, end = _instant(request, "from"), _instant(request, "to")
    if not start < end <= start + timedelta(days=MOST_DAYS):
        raise Problem(400, "Bad Request", f"to lies after from, at most {MOST_DAYS} days.")
    now = request.app[CLOCK].now()
    slots = await reads_calendar.availability(request.app[POOL], offering_id, provider_id, start, end, now)
    return answer({"slots": slots})


@open_to("read:bookings")
async def booking(request: web.Request) -> web.Response:
    """One booking; contact data only for tokens with read:pii."""
    found = await reads.booking(request.app[POOL], path_id(request, "id"))
    if found is None:
        raise Problem(404, "Not Found", "There is no such booking.")
    return answer(_seen_by(request, found))


@open_to("read:bookings")
async def cancellation_quote(request: web.Request) -> web.Response:
    """A preview for the customer, without an id: QuoteCancellation makes one that is honoured."""
    now = request.app[CLOCK].now()
    found = await reads.quote_preview(request.app[POOL], path_id(request, "id"), now)
    if found is None:
        raise Problem(404, "Not Found", "There is no such booking.")
    if not found:
        raise Problem(409, "Conflict", "The booking cannot be cancelled by its customer any more.")
    return answer(found)


@open_to("read:bookings")
async def history(request: web.Request) -> web.Response:
    """Who did what, oldest first."""
    after = read_cursor(request, int)
    items = await reads.history(request.app[POOL], path_id(request, "id"), after or 0)
    if not items and not after:
        raise Problem(404, "Not Found", "There is no such booking.")
    return answer(_page(items, "number", shown=lambda item: {k: v for k, v in item.items() if k != "number"}))


@open_to("read:bookings")
async def bookings(request: web.Request) -> web.Response:
    """Bookings of a customer, of a provider, or on a slot; the failed and expired only with include=all."""
    query = request.query
    provider_id, offering_id = _uuid(request, "provider_id"), _uuid(request, "offering_id")
    starts_at = _instant(request, "starts_at") if "starts_at" in query else None
    chosen = [query.get("customer_id"), provider_id, offering_id and starts_at]
    if sum(value is not None for value in chosen) != 1:
        raise Problem(400, "Bad Request", "Name one of customer_id, provider_id, or offering_id with starts_at.")
    found = await reads.bookings(
        request.app[POOL],
        customer_id=query.get("customer_id"),
        provider_id=provider_id,
        slot=(offering_id, starts_at) if offering_id and starts_at else None,
        ended_too=query.get("include") == "all",
        after=read_cursor(request, lambda position: UUID(str(position))),
    )
    return answer(_page(found, "booking_id", shown=lambda item: _seen_by(request, item)))


def _seen_by(request: web.Request, found: Mapping[str, Any]) -> dict[str, Any]:
    """Without read:pii a caller sees ids, no contact data."""
    if "read:pii" in request[SCOPES]:
        return dict(found)
    people = {who: {"id": found[who]["id"]} if found[who] else None for who in ("customer", "attendee")}
    return {**found, **people}


def _page(found: list[dict[str, Any]], by: str, shown: Any) -> dict[str, Any]:
    full = len(found) == reads.PAGE
    following = opaque_cursor(str(found[-1][by])) if full else None
    return {"items": [shown(item) for item in found], "next": following}


def _uuid(request: web.Request, name: str) -> UUID | None:
    raw = request.query.get(name)
    try:
        return UUID(raw) if raw is not None else None
    except ValueError:
        raise Problem(400, "Bad Request", f"{name} is a UUID.") from None


def _instant(request: web.Request, name: str) -> datetime:
    try:
        instant = datetime.fromisoformat(request.query.get(name, ""))
        if instant.tzinfo is None:
            raise ValueError
    except ValueError:
        raise Problem(400, "Bad Request", f"{name} is an instant, e.g. 2030-01-31T09:00:00Z.") from None
    return instant
