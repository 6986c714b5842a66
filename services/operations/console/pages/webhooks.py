"""Subscribers, the ailing first, and what each was sent; letters to people that did not arrive."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from aiohttp import web

from services.chassis.operator import NotPossible
from services.chassis.problems import Problem
from services.notifications import operator as letters
from services.notifications.model.deliveries import State
from services.notifications.subscriptions import operator
from services.operations.console.rendering import page
from services.operations.console.roles import Role
from services.operations.console.routes import DATABASES, Route

SHOWN, WAITING = 100, 1_000


async def listed(request: web.Request) -> web.Response:
    """All of them, or with `ailing=1` those that fail or are switched off."""
    async with request.app[DATABASES].reading("notifications") as connection:
        ailing = await operator.listed(connection, ailing=True, most=SHOWN)
        every = (
            [] if request.query.get("ailing") == "1" else await operator.listed(connection, ailing=False, most=SHOWN)
        )
    known = {row["subscription_id"] for row in ailing}
    rows = [*ailing, *(row for row in every if row["subscription_id"] not in known)]
    return await page(
        request, "webhooks.html", rows=rows[:SHOWN], ailing=len(ailing), shown=SHOWN, most_waiting=WAITING
    )


async def subscription(request: web.Request) -> web.Response:
    """One, and what it was sent, the newest first, with what it answered last."""
    state = request.query.get("state") or None
    if state is not None and state not in list(State):
        raise Problem(400, "Bad request", f"state is one of {', '.join(State)}.")
    try:
        subscription_id = UUID(request.match_info["subscription_id"])
        async with request.app[DATABASES].reading("notifications") as connection:
            one = await operator.one(connection, subscription_id)
            deliveries = await operator.deliveries(connection, subscription_id, state, SHOWN)
    except (ValueError, NotPossible):
        raise Problem(404, "Not found", "There is no such subscription.") from None
    return await page(
        request, "subscription.html", one=one, deliveries=deliveries, state=state, states=list(State), shown=SHOWN
    )


async def mails(request: web.Request) -> web.Response:
    """Letters that failed, the newest first."""
    async with request.app[DATABASES].reading("notifications") as connection:
        rows = await letters.failed(connection, most=SHOWN)
    return await page(request, "mails.html", subject="letters that failed", rows=rows, shown=SHOWN)


ROUTES: Sequence[Route] = (
    Route("GET", "/webhooks", listed, Role.VIEWER),
    Route("GET", "/webhooks/{subscription_id}", subscription, Role.VIEWER),
    Route("GET", "/mails", mails, Role.VIEWER),
)
