"""What the auditor has found."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from aiohttp import web

from services.chassis.problems import Problem
from services.operations.auditor.findings import Kind
from services.operations.auditor.meanings import MEANINGS
from services.operations.console import asked
from services.operations.console.reads import findings
from services.operations.console.reads.paging import BY_TIME, Page
from services.operations.console.rendering import page
from services.operations.console.roles import Role
from services.operations.console.routes import DATABASES, Route
from services.operations.databases import OPERATIONS


async def listed(request: web.Request) -> web.Response:
    """Open ones by kind, or those that are gone; with `?booking=` all about one."""
    booking_id, kind = asked.uuid(request, "booking"), asked.text(request, "kind")
    wanted = findings.Wanted(kind, gone=asked.text(request, "gone", "1") is not None)
    at = asked.cursor(request, BY_TIME)
    async with request.app[DATABASES].reading(OPERATIONS) as connection:
        kinds = await findings.kinds(connection)
        passes = await findings.passes(connection)
        if booking_id is not None:
            found: Page[findings.Finding] = Page(await findings.of_booking(connection, booking_id))
        else:
            found = await findings.listed(connection, wanted, at)
    return await page(
        request, "findings.html", found=found, kinds=kinds, wanted=wanted, about=booking_id, passes=passes
    )


async def shown(request: web.Request) -> web.Response:
    """All of one, each id a link to what it names."""
    try:
        violation_id = UUID(request.match_info["violation_id"])
    except ValueError:
        raise Problem(404, "Not found", "A finding is named by a UUID.") from None
    async with request.app[DATABASES].reading(OPERATIONS) as connection:
        found = await findings.one(connection, violation_id)
    if found is None:
        raise Problem(404, "Not found", f"There is no finding {violation_id}.")
    return await page(request, "finding.html", one=found, meaning=MEANINGS.get(Kind(found.kind)))


ROUTES: Sequence[Route] = (
    Route("GET", "/findings", listed, Role.VIEWER),
    Route("GET", "/findings/{violation_id}", shown, Role.VIEWER),
)
