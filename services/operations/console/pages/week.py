"""A provider's week, as a calendar with seats."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from aiohttp import web

from services.chassis.problems import Problem
from services.operations.console import asked
from services.operations.console.reads import week
from services.operations.console.rendering import page
from services.operations.console.roles import Role
from services.operations.console.routes import DATABASES, Route


async def shown(request: web.Request) -> web.Response:
    """Of `?provider=`, the week of `?day=`, or this one."""
    provider, day = asked.uuid(request, "provider"), asked.day(request, "day")
    if provider is None:
        return await page(request, "week.html", week=None, day=day)
    async with request.app[DATABASES].reading("booking") as connection:
        zone = await week.zone_of(connection, provider)
        if zone is None:
            raise Problem(404, "Not found", f"There is no provider {provider}.")
        now = await connection.fetchval("SELECT now()")
        monday = week.week_of(day or now.astimezone(zone).date())
        found = await week.week(connection, provider, zone, monday)
    return await page(
        request,
        "week.html",
        week=found,
        day=day,
        now=now,
        today=now.astimezone(zone).date(),
        before=monday - timedelta(days=7),
        after=monday + timedelta(days=7),
        total=week.total(found),
        most=week.SLOTS,
    )


ROUTES: Sequence[Route] = (Route("GET", "/week", shown, Role.VIEWER),)
