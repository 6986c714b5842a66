"""Dead letters: by service, counted by what they have in common, one by one; and keys whose messages wait."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from aiohttp import web
from booking_contracts.rights import SERVICES

from services.chassis import dead_letter_selection
from services.chassis.operator import NotPossible
from services.chassis.problems import Problem
from services.operations.console.reads import dead_letters as reads
from services.operations.console.reads import letter_lists, log
from services.operations.console.rendering import page
from services.operations.console.roles import Role
from services.operations.console.routes import DATABASES, Route

BLOCKED_SHOWN = 50


def service_of(request: web.Request, known: Sequence[str] = SERVICES) -> str:
    """That of the address, or the first. Raises Problem."""
    service = request.match_info.get("service") or request.query.get("service") or known[0]
    if service not in known:
        raise Problem(404, "Not found", f"There is no service {service}; there are {', '.join(known)}.")
    return service


async def listed(request: web.Request) -> web.Response:
    """Those of one service that a filter finds, the oldest first."""
    service, wanted = service_of(request), reads.wanted_of(request.query)
    async with request.app[DATABASES].reading(service) as connection:
        found = await letter_lists.listed(connection, wanted, reads.place_of(request.query.get("after")))
        count = await letter_lists.count(connection, wanted)
        kinds = await letter_lists.kinds(connection, wanted)
        blocked = await reads.blocked(connection, wanted.key, most=BLOCKED_SHOWN)
    return await page(
        request,
        "letters.html",
        services=SERVICES,
        service=service,
        wanted=wanted,
        filters=reads.in_words(wanted),
        kinds_there_are=reads.KINDS,
        rows=[reads.readable(row) for row in found.rows],
        acts=await log.acts_on(request.app[DATABASES], [row["id"] for row in found.rows]),
        cursor=reads.text_of(found.after) if found.after else None,
        count=count,
        counted=letter_lists.GROUPED,
        looked=letter_lists.LOOKED,
        most_behind=letter_lists.MOST_BEHIND,
        kinds=[reads.with_part(row) for row in kinds],
        blocked=blocked,
        blocked_all=len(blocked) < BLOCKED_SHOWN,
    )


async def shown(request: web.Request) -> web.Response:
    """One: what went wrong, its headers and body."""
    service = service_of(request)
    try:
        letter_id = UUID(request.match_info["letter_id"])
        async with request.app[DATABASES].reading(service) as connection:
            row = reads.readable(await dead_letter_selection.shown(connection, letter_id))
    except (ValueError, NotPossible):
        raise Problem(404, "Not found", f"{service} has no such dead letter.") from None
    return await page(
        request,
        "letter.html",
        subject=f"letter {letter_id} of {service}",
        booking_id=row["about"],
        service=service,
        row=row,
        acts=await log.acts_on(request.app[DATABASES], [letter_id]),
    )


ROUTES: Sequence[Route] = (
    Route("GET", "/letters", listed, Role.VIEWER),
    Route("GET", "/letters/{service}/{letter_id}", shown, Role.VIEWER),
)
