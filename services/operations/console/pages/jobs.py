"""Acts on many letters: how far each is, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from aiohttp import web

from services.chassis.operator import NotPossible
from services.chassis.problems import Problem
from services.operations.console import jobs
from services.operations.console.reads import log
from services.operations.console.reads.dead_letters import in_words, part_of
from services.operations.console.rendering import page
from services.operations.console.roles import Role
from services.operations.console.routes import DATABASES, Route

SHOWN = 100


async def listed(request: web.Request) -> web.Response:
    """The newest first."""
    rows = await jobs.recent(request.app[DATABASES], most=SHOWN)
    acts = await log.acts_on(request.app[DATABASES], [row["job_id"] for row in rows])
    return await page(request, "jobs.html", rows=rows, acts=acts)


async def shown(request: web.Request) -> web.Response:
    """One, asked for again every second while it goes on."""
    try:
        row = await jobs.job(request.app[DATABASES], UUID(request.match_info["job_id"]))
    except (ValueError, NotPossible):
        raise Problem(404, "Not found", "There is no such job.") from None
    asked = jobs.Asked.read(row["asked"])
    filters = in_words(asked.wanted)
    return await page(
        request,
        "job.html",
        row=row,
        filters=filters,
        findable={**filters, "error": part_of(filters.get("error", ""))},
        for_good=asked.for_good,
        outcomes=jobs.outcomes(row),
        treated=row["done"] + row["failed"],
        acts=await log.acts_on(request.app[DATABASES], [row["job_id"]]),
    )


ROUTES: Sequence[Route] = (
    Route("GET", "/jobs", listed, Role.VIEWER),
    Route("GET", "/jobs/{job_id}", shown, Role.VIEWER),
)
