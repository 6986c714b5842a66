"""A slot on one page: seats, bookings, who waits, what is held for a while, and what the auditor says of it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from aiohttp import web

from services.chassis.problems import Problem
from services.operations.console import asked
from services.operations.console.parts import part
from services.operations.console.reads import slot as reads
from services.operations.console.reads.findings import Finding
from services.operations.console.reads.paging import BY_ID
from services.operations.console.rendering import page
from services.operations.console.roles import Role
from services.operations.console.routes import DATABASES, Route
from services.operations.databases import OPERATIONS


async def shown(request: web.Request) -> web.Response:
    """What booking knows of it; findings are missing where their database is away."""
    try:
        slot_id = UUID(request.match_info["slot_id"])
    except ValueError:
        raise Problem(404, "Not found", "A slot is named by a UUID.") from None
    at = asked.cursor(request, BY_ID)
    async with request.app[DATABASES].reading("booking") as connection:
        found = await reads.slot(connection, slot_id, at)
    if found is None:
        raise Problem(404, "Not found", f"There is no slot {slot_id}: one that nobody has asked for has no row.")
    slot = found

    async def findings() -> Sequence[Finding]:
        async with request.app[DATABASES].reading(OPERATIONS) as connection:
            return await reads.findings(connection, slot)

    return await page(
        request,
        "slot.html",
        subject=f"slot {slot_id}",
        slot=slot,
        findings=await part(OPERATIONS, findings()),
        most_holds=reads.HOLDS,
    )


ROUTES: Sequence[Route] = (Route("GET", "/slots/{slot_id}", shown, Role.VIEWER),)
