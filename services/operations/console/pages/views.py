"""Saved views: lists that an operator comes back to. They are the operator's own, and change nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from aiohttp import web

from services.chassis.operator import NotPossible
from services.chassis.problems import Problem
from services.operations.console.reads import views
from services.operations.console.rendering import page
from services.operations.console.roles import Role
from services.operations.console.routes import DATABASES, OPERATOR, SETTINGS, Route, url


async def listed(request: web.Request) -> web.Response:
    """Theirs, by name."""
    async with request.app[DATABASES].operations() as connection:
        found = await views.listed(connection, request[OPERATOR].name)
    return await page(request, "views.html", found=found)


async def save(request: web.Request) -> web.Response:
    """Keep a list under a name, and go back to it."""
    given = await request.post()
    name, path = str(given.get("name", "")), str(given.get("path", ""))
    prefix = request.app[SETTINGS].console_prefix
    if not path.startswith(f"{prefix}/"):
        raise Problem(400, "Not saved", "A view is a page of this console.")
    path = path.removeprefix(prefix)
    try:
        async with request.app[DATABASES].operations() as connection:
            await views.save(connection, request[OPERATOR].name, name, path)
    except NotPossible as refused:
        raise Problem(400, "Not saved", f"{str(refused)[0].upper()}{str(refused)[1:]}.") from None
    raise web.HTTPSeeOther(url(request, "/views"))


async def delete(request: web.Request) -> web.Response:
    """Forget one."""
    try:
        view_id = UUID(request.match_info["view_id"])
    except ValueError:
        raise Problem(404, "Not found", "A view is named by a UUID.") from None
    async with request.app[DATABASES].operations() as connection:
        await views.delete(connection, request[OPERATOR].name, view_id)
    raise web.HTTPSeeOther(url(request, "/views"))


ROUTES: Sequence[Route] = (
    Route("GET", "/views", listed, Role.VIEWER),
    Route("POST", "/views", save, Role.VIEWER),
    Route("POST", "/views/{view_id}/delete", delete, Role.VIEWER),
)
