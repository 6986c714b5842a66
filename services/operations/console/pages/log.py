"""What operators have done, and whose personal data they have seen."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from services.operations.console import asked
from services.operations.console.reads import log
from services.operations.console.reads.paging import BY_ID
from services.operations.console.rendering import page
from services.operations.console.roles import Role
from services.operations.console.routes import DATABASES, Route
from services.operations.databases import OPERATIONS


async def listed(request: web.Request) -> web.Response:
    """The newest first."""
    wanted = log.Wanted(
        operator=asked.text(request, "operator"),
        act=asked.text(request, "act"),
        subject=asked.text(request, "subject"),
        booking_id=asked.uuid(request, "booking"),
        since=asked.instant(request, "from"),
        until=asked.instant(request, "to"),
    )
    at = asked.cursor(request, BY_ID)
    async with request.app[DATABASES].reading(OPERATIONS) as connection:
        found = await log.listed(connection, wanted, at)
    return await page(request, "log.html", found=found, wanted=wanted)


ROUTES: Sequence[Route] = (Route("GET", "/log", listed, Role.OPERATOR),)
