"""Who comes in: by a proxy's headers or a token; what they may; and that a form was sent from a page of ours."""

from __future__ import annotations

import hmac
import json
import re
import secrets
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

import structlog
from aiohttp import web

from services.chassis.problems import Problem
from services.operations.console.metrics import Reason, logins_refused
from services.operations.console.roles import Operator, known
from services.operations.console.routes import (
    ENDED_SESSIONS,
    OPERATOR,
    ROUTES,
    SETTINGS,
    SIGNER,
    Handle,
    Route,
    settings_of,
    url,
)
from services.operations.console.settings import ConsoleSettings, ConsoleToken

log = structlog.get_logger()
SESSION = "console_session"
CSRF = "csrf"
"""The field of a form, or the header X-CSRF-Token."""
FIRST = 16
"""As many characters of a token's hash as a session names: a token that was replaced opens nothing any more."""
READ_ONLY = "The console is read-only: nothing can be done from here now. `bookingctl` does the same acts."
LONGEST = 200
"""Characters of a header that go into the log."""
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


@web.middleware
async def let_in(request: web.Request, handler: Handle) -> web.StreamResponse:
    """Only who may, and only what was sent by a page of ours."""
    route = request.app[ROUTES].get(request.match_info.route)
    operator = _operator(request)
    if operator is not None:
        request[OPERATOR] = operator
    if request.method in UNSAFE:
        _same_site(request)
    if route is None or route.role is None:
        return await handler(request)
    if operator is None:
        return _to_login(request)
    allow(request, route)
    if request.method in UNSAFE:
        await _own_form(request, operator)
    return await handler(request)


def allow(request: web.Request, route: Route) -> None:
    """Raises Problem 403 with a sentence where the operator may not, or nobody may."""
    assert route.role is not None, "open routes are let in before"
    operator = request[OPERATOR]
    if not operator.may(route.role):
        raise Problem(403, "Not allowed", f"{operator.name} has not the role {route.role} that this needs.")
    if route.pii and not operator.sees_people:
        raise Problem(403, "Not allowed", f"{operator.name} has not the right pii that this needs.")
    if route.act is not None and request.app[SETTINGS].console_read_only:
        raise Problem(403, "Read-only", READ_ONLY)


def csrf_of(request: web.Request) -> str:
    """What a form of this operator carries."""
    operator = request.get(OPERATOR)
    if operator is None:
        return ""
    hours = request.app[SETTINGS].console_session_hours
    return request.app[SIGNER].signed("csrf", operator.session, hours)


async def _own_form(request: web.Request, operator: Operator) -> None:
    given = request.headers.get("X-CSRF-Token") or (await request.post()).get(CSRF)
    session = request.app[SIGNER].read("csrf", given) if isinstance(given, str) else None
    if session is None or not hmac.compare_digest(session.encode(), operator.session.encode()):
        raise Problem(403, "Form too old", "The page was loaded too long ago, or by somebody else: load it again.")


def _same_site(request: web.Request) -> None:
    """As a browser tells (Fetch Metadata, Sec-Fetch-Site); one that does not is judged by the form's secret alone."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise Problem(403, "Not from here", "This form was sent from another site.")


def _operator(request: web.Request) -> Operator | None:
    settings = settings_of(request)
    return _by_proxy(request, settings) or _by_session(request, settings)


def _by_proxy(request: web.Request, settings: ConsoleSettings) -> Operator | None:
    """The proxy has to show its secret: whoever reaches us past it can send any header."""
    if settings.console_proxy_user_header is None:
        return None
    name = request.headers.get(settings.console_proxy_user_header)
    if not name:
        return None
    assert settings.console_proxy_secret is not None, "settings.py wants both"
    assert settings.console_proxy_roles_header is not None, "settings.py wants both"
    shown = request.headers.get(settings.console_proxy_secret_header, "")
    if not hmac.compare_digest(
        shown.encode("utf-8", "surrogateescape"), settings.console_proxy_secret.get_secret_value().encode()
    ):
        refused(request, "not by the proxy", name)
        raise Problem(401, "Not by the proxy", "The request names an operator without the proxy's secret.")
    groups = [one for one in re.split(r"[,\s]+", request.headers.get(settings.console_proxy_roles_header, "")) if one]
    named = settings.console_proxy_roles
    rights = groups if named is None else [named[group] for group in groups if group in named]
    return Operator(name[:128], known(rights), f"proxy:{name}")


def _by_session(request: web.Request, settings: ConsoleSettings) -> Operator | None:
    """What the token may now, not what it might when somebody logged in with it."""
    text = request.app[SIGNER].read(SESSION, request.cookies.get(SESSION, ""))
    if text is None:
        return None
    name, of_token, session = json.loads(text)
    if request.app[ENDED_SESSIONS].has(session):
        return None
    for one in settings.console_tokens:
        if (one.name, one.token_sha256[:FIRST]) == (name, of_token) and one.is_valid:
            return Operator(one.name, frozenset(one.roles), session)
    return None


def _to_login(request: web.Request) -> web.Response:
    if not settings_of(request).console_tokens:
        raise Problem(401, "Not logged in", "The console is reached through its proxy, which says who you are.")
    if request.method in UNSAFE:
        raise Problem(401, "Not logged in", "Your session has ended and nothing was done: log in and do it again.")
    going = url(request, "/login?" + urlencode({"next": _page_of(request)}))
    if "HX-Request" in request.headers:
        return web.Response(headers={"HX-Redirect": going})
    return web.Response(status=303, headers={"Location": going})


def _page_of(request: web.Request) -> str:
    """What the browser shows: htmx asks from a page for a part of it, or for a dialog."""
    try:
        shown = urlsplit(request.headers["HX-Current-URL"])
    except (KeyError, ValueError):
        return request.path_qs
    return shown._replace(scheme="", netloc="", fragment="").geturl()


def log_in(request: web.Request, token: str, response: web.Response) -> ConsoleToken | None:
    """Give the browser a session where the token is one of ours."""
    settings = settings_of(request)
    found = next((one for one in settings.console_tokens if one.matches(token)), None)
    if found is None:
        ended = next((one for one in settings.console_tokens if one.is_of(token)), None)
        refused(request, "token has ended" if ended else "no token of ours", ended.name if ended else "")
    else:
        text = json.dumps([found.name, found.token_sha256[:FIRST], secrets.token_urlsafe(16)])
        signed = request.app[SIGNER].signed(SESSION, text, settings.console_session_hours)
        response.set_cookie(
            SESSION,
            signed,
            path=settings.console_prefix or "/",
            max_age=int(settings.console_session_hours * 3600),
            httponly=True,
            secure=settings.console_https,
            samesite="Lax",
        )
    return found


def refused(request: web.Request, reason: Reason, name: str = "") -> None:
    """Count and log who was not let in: where from, and as whom they came. What they have shown is nobody's to read."""
    logins_refused.labels(reason).inc()
    headers = {"forwarded_for": "X-Forwarded-For", "user_agent": "User-Agent"}
    told = {field: request.headers.get(header, "")[:LONGEST] for field, header in headers.items()}
    log.warning("somebody was not let in", reason=reason, name=name[:LONGEST], address=request.remote, **told)


async def log_out(request: web.Request, response: web.Response) -> None:
    """The browser forgets its session, and who has a copy of it is nobody any more."""
    found = request.app[SIGNER].opened(SESSION, request.cookies.get(SESSION, ""))
    if found is not None:
        text, ends = found
        *_, session = json.loads(text)
        await request.app[ENDED_SESSIONS].end(session, datetime.fromtimestamp(ends, UTC))
    response.del_cookie(SESSION, path=request.app[SETTINGS].console_prefix or "/")


def may_do(request: web.Request, act: str) -> bool:
    """Whether to draw what leads to an act: it is there, the operator may, and the console is not read-only."""
    operator, settings = request.get(OPERATOR), request.app[SETTINGS]
    if operator is None or settings.console_read_only:
        return False
    return any(
        route.act == act and route.role is not None and operator.may(route.role) and operator.sees_people >= route.pii
        for route in request.app[ROUTES].values()
    )
