"""Now: what is wrong, at one glance."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from services.operations.console.rendering import page
from services.operations.console.roles import Role
from services.operations.console.routes import Route


async def now(request: web.Request) -> web.Response:
    """Verdicts first, numbers below them, each a link to the list behind it."""
    return await page(request, "now.html")


ROUTES: Sequence[Route] = (Route("GET", "/", now, Role.VIEWER),)
