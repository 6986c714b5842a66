"""Money that waits for somebody: failed refunds and payouts, chargebacks, calls that do not end, differences."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from services.operations.console.reads import log
from services.operations.console.rendering import page
from services.operations.console.roles import Role
from services.operations.console.routes import DATABASES, Route
from services.payments import operator
from services.payments.reconciliation import overdue

SHOWN, OPEN_MINUTES = 100, 10


async def parked(request: web.Request) -> web.Response:
    """As `bookingctl payments waiting`, `chargebacks`, `calls`, `differences` and `reconcile` show it."""
    async with request.app[DATABASES].reading("payments") as connection:
        waiting = await operator.waiting(connection, most=SHOWN)
        chargebacks = await operator.chargebacks(connection, every=False)
        calls = await overdue.calls(connection, minutes=OPEN_MINUTES)
        differences = await operator.not_agreeing(connection, days=0)
        reports = await operator.open_reports(connection)
        aside = await operator.events_aside(connection)
        compared = await operator.last_comparison(connection)
    return await page(
        request,
        "money.html",
        waiting=sorted(waiting, key=lambda one: not one.parked),
        chargebacks=chargebacks[:SHOWN],
        calls=calls[:SHOWN],
        minutes=OPEN_MINUTES,
        differences=differences[:SHOWN],
        reports=reports[:SHOWN],
        aside=aside[:SHOWN],
        compared=compared,
        acts=await log.acts_on(request.app[DATABASES], [one.id for one in waiting]),
    )


ROUTES: Sequence[Route] = (Route("GET", "/money", parked, Role.VIEWER),)
