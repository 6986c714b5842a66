"""Subscriptions over HTTP (contract.md, HTTP): systems that are told of events by webhooks."""

from __future__ import annotations

from typing import Any

import asyncpg
from aiohttp import web
from booking_contracts.http.notifications import Subscribe
from booking_contracts.types import problem_of
from pydantic import ValidationError

from services.chassis.clock import Clock
from services.chassis.http import POOL, SCOPES, WRITES, answer, open_to, page_of
from services.chassis.parameters import limit_of, path_id, read_cursor, row_number
from services.chassis.problems import Problem, bad_request, not_found
from services.notifications.header_values import Unaddressable, reachable
from services.notifications.model.subscriptions import TYPES
from services.notifications.model.targets import BadTarget, Targets
from services.notifications.subscriptions import store
from services.notifications.subscriptions.signing import shown

CLOCK: web.AppKey[Clock] = web.AppKey("subscriptions.clock")
TARGETS: web.AppKey[Targets] = web.AppKey("targets")


def add_routes(app: web.Application, clock: Clock, targets: Targets) -> None:
    """The paths of subscriptions. `targets`: where webhooks may go."""
    app[CLOCK], app[TARGETS] = clock, targets
    app.router.add_post("/v1/webhook-subscriptions", subscribe)
    app.router.add_get("/v1/webhook-subscriptions", subscriptions)
    app.router.add_delete("/v1/webhook-subscriptions/{id}", unsubscribe)


@open_to("webhooks:write")
async def subscribe(request: web.Request) -> web.Response:
    """A new subscription, with its secret: it is shown this once."""
    asked = _read(await request.read(), request.app[TARGETS])
    async with request.app[WRITES].acquire() as connection:
        made = await store.subscribe(connection, asked, request.app[CLOCK].now())
    if made is None:
        raise Problem(409, "Conflict", f"There are {store.MOST} subscriptions; delete those that nobody uses.")
    row, secret = made
    said = answer({**_shown(row, with_address=True), "secret": shown(secret)})
    said.headers["Cache-Control"] = "no-store"
    return said


@open_to("webhooks:write", "limit", "cursor")
async def subscriptions(request: web.Request) -> web.Response:
    """Those that are not deleted, oldest first."""
    limit = limit_of(request)
    after = read_cursor(request, row_number) or 0
    async with request.app[POOL].acquire() as connection:
        found = await store.page(connection, after, limit + 1)
    with_address = "read:pii" in request[SCOPES]
    return page_of(found, limit, lambda row: row["number"], lambda row: _shown(row, with_address=with_address))


@open_to("webhooks:write")
async def unsubscribe(request: web.Request) -> web.Response:
    """It is over; the answer is the subscription as it ended."""
    subscription_id = path_id(request, "id")
    async with request.app[WRITES].acquire() as connection:
        row = await store.unsubscribe(connection, subscription_id)
    if row is None:
        raise not_found("There is no such subscription; it may have been deleted already.")
    return answer(_shown(row, with_address=False))


def _read(body: bytes, targets: Targets) -> Subscribe:
    try:
        asked = Subscribe.model_validate_json(body)
        targets.check(asked.url)
        return asked.model_copy(update={"owner_email": reachable(asked.owner_email), "event_types": _types(asked)})
    except ValidationError as error:
        raise bad_request(f"{problem_of(error)}.") from None
    except BadTarget as wrong:
        raise bad_request(f"url {wrong}.") from None
    except Unaddressable:
        raise bad_request("owner_email must be a mail address.") from None


def _types(asked: Subscribe) -> tuple[str, ...]:
    for name in asked.event_types:
        if name not in TYPES:
            raise bad_request(f"event_types: {name[:100]!r} is no type of event; the AsyncAPI document names them.")
    return asked.event_types


def _shown(row: asyncpg.Record, *, with_address: bool) -> dict[str, Any]:
    found = {name: value for name, value in row.items() if name != "number"}
    return {**found, "owner_email": (row["owner_email"] or None) if with_address else None}
