"""Booking's reads over HTTP (contract.md, HTTP): availability, bookings, history, a quote's preview."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, cast
from uuid import UUID

from aiohttp import web

from services.booking.availability_process import CalendarProcess
from services.booking.model.slots import slot_id
from services.booking.model.states import State
from services.booking.store import reads
from services.booking.store.reads import Asked, Order
from services.chassis.clock import Clock
from services.chassis.http import POOL, SCOPES, add_description, answer, open_to, page_of
from services.chassis.parameters import (
    EARLIEST,
    LATEST,
    OPAQUE_ID,
    choices_of,
    instant_of,
    limit_of,
    path_id,
    read_cursor,
    row_number,
    text_of,
    uuid_of,
)
from services.chassis.problems import Problem, bad_request

MOST_DAYS = 62
WHOSE = ("customer_id", "provider_id", "offering_id", "starts_at")
CLOCK: web.AppKey[Clock] = web.AppKey("clock")


CALENDAR: web.AppKey[CalendarProcess] = web.AppKey("calendar")


def add_routes(app: web.Application, clock: Clock, calendar: CalendarProcess) -> None:
    """Booking's own paths."""
    app[CLOCK], app[CALENDAR] = clock, calendar
    app.cleanup_ctx.append(lambda _: app[CALENDAR].running())
    add_description(app, "booking")
    app.router.add_get("/v1/availability", availability)
    app.router.add_get("/v1/bookings", bookings)
    app.router.add_get("/v1/bookings/{id}", booking)
    app.router.add_get("/v1/bookings/{id}/history", history)
    app.router.add_get("/v1/bookings/{id}/cancellation-quote", cancellation_quote)


@open_to("read:bookings", "offering_id", "provider_id", "from", "to")
async def availability(request: web.Request) -> web.Response:
    """Slots of an offering or a provider with from ≤ starts_at < to, at most 62 days and 10,000 slots, never paged."""
    offering_id, provider_id = uuid_of(request, "offering_id"), uuid_of(request, "provider_id")
    if (offering_id is None) == (provider_id is None):
        raise bad_request("Name either offering_id or provider_id.")
    start, end = instant_of(request, "from"), instant_of(request, "to")
    if start is None or end is None:
        raise bad_request("Name from and to, the instants between which to look, e.g. 2030-01-31T09:00:00Z.")
    if not start < end <= start + timedelta(days=MOST_DAYS):
        raise bad_request(f"to must lie after from, at most {MOST_DAYS} days.")
    body = await request.app[CALENDAR].slots(offering_id, provider_id, start, end, request.app[CLOCK].now())
    return web.Response(body=body, content_type="application/json")


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


@open_to("read:bookings", "limit", "cursor")
async def history(request: web.Request) -> web.Response:
    """Who did what, oldest first."""
    after, limit = read_cursor(request, _line), limit_of(request)
    items = await reads.history(request.app[POOL], path_id(request, "id"), after or 0, limit)
    if not items and not after:
        raise Problem(404, "Not Found", "There is no such booking.")
    return page_of(items, limit, lambda item: item["number"], _without_number)


def _line(position: Any) -> int:
    number = row_number(position)
    if number >= 1 << 31:
        raise ValueError(position)
    return number


def _without_number(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != "number"}


@open_to("read:bookings", *WHOSE, "state", "include", "order", "from", "to", "limit", "cursor", again={"state"})
async def bookings(request: web.Request) -> web.Response:
    """Bookings of a customer, of a provider, or on a slot, in the order of ids.

    `state` names the states, once or several times; without it, the failed and expired come only with include=all.
    With `from` or `to`, or with `order` = starts_at or -starts_at (the latest first), in the order of their start.
    """
    asked = _asked(request)
    found = await reads.bookings(request.app[POOL], asked)

    def position(item: dict[str, Any]) -> object:
        by_id = str(item["booking_id"])
        return by_id if asked.order == "booking_id" else [item["starts_at"].isoformat(), by_id]

    return page_of(found, asked.limit, position, lambda item: _seen_by(request, item))


def _asked(request: web.Request) -> Asked:
    owner, value = _owner(request)
    since, until = instant_of(request, "from"), instant_of(request, "to")
    order = request.query.get("order", "starts_at" if since or until else "booking_id")
    if order not in ("starts_at", "-starts_at") and (order != "booking_id" or since or until):
        raise bad_request("order must be starts_at or -starts_at; without from and to it may be booking_id too.")
    if owner == "slot_id" and order != "booking_id":
        raise bad_request("order, from and to are of no use for one slot; leave them out.")
    ended_too = text_of(request, "include", "all", "all") is not None
    states = [State(name) for name in choices_of(request, "state", list(State))]
    return Asked(
        owner,
        value,
        states or [state for state in State if ended_too or state not in reads.LEFT_OUT],
        order=cast(Order, order),
        since=since,
        until=until,
        after=read_cursor(request, _position if order != "booking_id" else lambda position: (EARLIEST, _id(position))),
        limit=limit_of(request),
    )


def _owner(request: web.Request) -> tuple[Literal["customer_id", "provider_id", "slot_id"], str | UUID]:
    customer_id = text_of(request, "customer_id", OPAQUE_ID, "c-123")
    provider_id, offering_id = uuid_of(request, "provider_id"), uuid_of(request, "offering_id")
    starts_at = instant_of(request, "starts_at")
    slot = slot_id(offering_id, starts_at) if offering_id and starts_at else None
    half = slot is None and (offering_id is not None or starts_at is not None)
    if half or sum(value is not None for value in (customer_id, provider_id, slot)) != 1:
        raise bad_request("Name one of customer_id, provider_id, or offering_id with starts_at.")
    if customer_id is not None:
        return "customer_id", customer_id
    return ("provider_id", provider_id) if provider_id is not None else ("slot_id", cast(UUID, slot))


def _position(position: Any) -> reads.Position:
    start, booking_id = position
    starts_at = datetime.fromisoformat(start)
    if not EARLIEST <= starts_at < LATEST:
        raise ValueError(position)
    return starts_at, _id(booking_id)


def _id(position: Any) -> UUID:
    if not isinstance(position, str):
        raise ValueError(position)
    return UUID(position)


def _seen_by(request: web.Request, found: Mapping[str, Any]) -> dict[str, Any]:
    """Without read:pii a caller sees ids, no contact data."""
    if "read:pii" in request[SCOPES]:
        return dict(found)
    people = {who: {"id": found[who]["id"]} if found[who] else None for who in ("customer", "attendee")}
    return {**found, **people}
