"""Logging in with a token of the console's own, and out."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from services.chassis.problems import Problem
from services.operations.console.access import log_in, log_out
from services.operations.console.reads.views import local
from services.operations.console.rendering import page
from services.operations.console.routes import Route, settings_of, url


async def form(request: web.Request) -> web.Response:
    """Asks for the token."""
    return await page(request, "login.html", next=_going_to(request, request.query.get("next")), wrong=None)


async def enter(request: web.Request) -> web.Response:
    """To the page that was asked for, or the form again."""
    if not settings_of(request).console_tokens:
        raise Problem(404, "Not Found", "Nobody logs in here: the console is reached through its proxy.")
    given = await request.post()
    token, going_to = given.get("token"), _going_to(request, given.get("next"))
    response = web.Response(status=303, headers={"Location": going_to})
    if not isinstance(token, str) or log_in(request, token.strip(), response) is None:
        wrong = "No token of the console is called so, or it has ended."
        return await page(request, "login.html", status=403, next=going_to, wrong=wrong)
    return response


async def leave(request: web.Request) -> web.Response:
    """To the form."""
    response = web.Response(status=303, headers={"Location": url(request, "/login")})
    await log_out(request, response)
    return response


def _going_to(request: web.Request, given: object) -> str:
    """A page of ours: never another site, nor the form once more."""
    start = url(request, "/")
    if not isinstance(given, str) or not given.startswith(start) or not local(given):
        return start
    return start if given.startswith((url(request, "/login"), url(request, "/logout"))) else given


ROUTES: Sequence[Route] = (
    Route("GET", "/login", form, None),
    Route("POST", "/login", enter, None),
    Route("POST", "/logout", leave, None),
)
