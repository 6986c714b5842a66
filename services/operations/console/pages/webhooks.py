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
from services.operations.console.reads import log, queues, waiting_for_people
from services.operations.console.reads.dead_letters import about
from services.operations.console.reads.queues import SHOWN
from services.operations.console.rendering import page
from services.operations.console.roles import Role
from services.operations.console.routes import CLOCK, DATABASES, Route

WAITING = 1_000


async def listed(request: web.Request) -> web.Response:
    """All of them, or with `ailing=1` those that fail or are switched off, with `waiting=1` those for whom webhooks
    wait."""
    only_waiting, only_ailing = (request.query.get(name) == "1" for name in ("waiting", "ailing"))
    async with request.app[DATABASES].reading("notifications") as connection:
        of = await waiting_for_people.awaited(connection, request.app[CLOCK].now()) if only_waiting else None
        ailing = await operator.listed(connection, ailing=True, most=SHOWN, of=of)
        every = [] if only_ailing else await operator.listed(connection, ailing=False, most=SHOWN, of=of)
    known = {row["subscription_id"] for row in ailing}
    rows = [*ailing, *(row for row in every if row["subscription_id"] not in known)][:SHOWN]
    acts = await log.acts_on(request.app[DATABASES], [row["subscription_id"] for row in rows])
    return await page(
        request, "webhooks.html", rows=rows, ailing=len(ailing), shown=SHOWN, most_waiting=WAITING, acts=acts
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
    ids = [subscription_id, *(row["delivery_id"] for row in deliveries)]
    return await page(
        request,
        "subscription.html",
        one=one,
        deliveries=[{**row, "about": about(row["key"])} for row in deliveries],
        state=state,
        states=list(State),
        shown=SHOWN,
        acts=await log.acts_on(request.app[DATABASES], ids),
    )


async def mails(request: web.Request) -> web.Response:
    """Letters that failed, the newest first; with `waiting=1` those that are not sent, the oldest first."""
    wait = request.query.get("waiting") == "1"
    async with request.app[DATABASES].reading("notifications") as connection:
        before = request.app[CLOCK].now() - waiting_for_people.ON_THE_WAY
        rows = await (queues.mails(connection, before) if wait else letters.failed(connection, most=SHOWN + 1))
    of = "letters that wait" if wait else "letters that failed"
    more, rows = len(rows) > SHOWN, rows[:SHOWN]
    acts = await log.acts_on(request.app[DATABASES], [row["delivery_id"] for row in rows])
    return await page(request, "mails.html", subject=of, wait=wait, rows=rows, more=more, shown=SHOWN, acts=acts)


ROUTES: Sequence[Route] = (
    Route("GET", "/webhooks", listed, Role.VIEWER),
    Route("GET", "/webhooks/{subscription_id}", subscription, Role.VIEWER),
    Route("GET", "/mails", mails, Role.VIEWER),
)
