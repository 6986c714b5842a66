"""The HTTP side that every service has: tokens and scopes, problem+json, health, metrics, a command's reply."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware
from booking_contracts.envelope import rfc3339
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.chassis.database import Pool
from services.chassis.settings import ApiToken, Scope

log = structlog.get_logger()
Position = TypeVar("Position")
Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]
POOL: web.AppKey[Pool] = web.AppKey("pool")
SCOPES: web.RequestKey[frozenset[Scope]] = web.RequestKey("scopes")


@dataclass(frozen=True, slots=True)
class Health:
    """Three questions of Kubernetes; each answer is a reason why not, or None when all is well."""

    live: Callable[[], Awaitable[str | None]]
    ready: Callable[[], Awaitable[str | None]]
    startup: Callable[[], Awaitable[str | None]]


class Problem(Exception):
    """A refusal over HTTP, as problem+json (RFC 9457)."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail = status, title, detail


def problem(status: int, title: str, detail: str) -> web.Response:
    """A problem document."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return web.json_response(body, status=status, content_type="application/problem+json")


def answer(body: object) -> web.Response:
    """A JSON answer; instants as RFC 3339, ids as strings."""
    return web.Response(text=json.dumps(body, default=_plain), content_type="application/json")


def _plain(value: object) -> str:
    return rfc3339(value) if isinstance(value, datetime) else str(value)


def open_to(scope: Scope) -> Callable[[Handle], Handle]:
    """Name the scope that a token needs for this path; a path that names none is open to every caller."""

    def mark(handle: Handle) -> Handle:
        handle.scope = scope  # type: ignore[attr-defined]
        return handle

    return mark


def new_app(tokens: tuple[ApiToken, ...], pool: Pool, health: Health) -> web.Application:
    """An application with the paths that every service has."""
    app = web.Application(middlewares=[_problems, _authorise(tokens)], client_max_size=1024 * 1024)
    app[POOL] = pool
    for name in ("live", "ready", "startup"):
        app.router.add_get(f"/health/{name}", _health(getattr(health, name)))
    app.router.add_get("/metrics", _metrics)
    app.router.add_get("/v1/commands/{id}", command_reply)
    return app


def _authorise(tokens: tuple[ApiToken, ...]) -> Middleware:
    @web.middleware
    async def authorise(request: web.Request, handler: Handle) -> web.StreamResponse:
        scope: Scope | None = getattr(request.match_info.handler, "scope", None)
        if scope is None:
            return await handler(request)
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        known = [named for named in tokens if kind.lower() == "bearer" and named.matches(token)]
        if not known:
            raise Problem(401, "Unauthorized", "Send Authorization: Bearer with a token of this service.")
        request[SCOPES] = frozenset(scope for named in known for scope in named.scopes)
        if scope not in request[SCOPES]:
            raise Problem(403, "Forbidden", f"The token {known[0].name} lacks the scope {scope}.")
        return await handler(request)

    return authorise


@web.middleware
async def _problems(request: web.Request, handler: Handle) -> web.StreamResponse:
    try:
        return await handler(request)
    except Problem as refused:
        return problem(refused.status, refused.title, refused.detail)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return problem(error.status, error.reason, error.text or error.reason)
    except (OSError, TimeoutError) as error:
        log.warning("request failed", path=request.path, error=repr(error))
        return problem(503, "Service Unavailable", "The database does not answer; try again shortly.")
    except Exception:
        log.error("request failed", path=request.path, exc_info=True)
        return problem(500, "Internal Server Error", "A fault of ours; the log has it under this path.")


def _health(question: Callable[[], Awaitable[str | None]]) -> Handle:
    async def handle(_: web.Request) -> web.Response:
        reason = await question()
        return answer({"ok": True}) if reason is None else problem(503, "Not ready", reason)

    return handle


async def _metrics(_: web.Request) -> web.Response:
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


@open_to("read:bookings")
async def command_reply(request: web.Request) -> web.Response:
    """The stored reply of a command: its body plus its type."""
    command_id = path_id(request, "id")
    row = await request.app[POOL].fetchrow(
        "SELECT reply_type, reply FROM command_receipt WHERE command_id = $1", command_id
    )
    if row is None:
        raise Problem(404, "Not Found", "No reply is stored under this command id; it may be on its way.")
    return answer({**json.loads(row["reply"]), "type": row["reply_type"]})


def path_id(request: web.Request, name: str) -> UUID:
    """A UUID in the path; anything else is not found."""
    try:
        return UUID(request.match_info[name])
    except ValueError:
        raise Problem(404, "Not Found", f"{name} is a UUID.") from None


def opaque_cursor(position: int | str) -> str:
    """A page's `next`: where the page after it begins, in a form that callers do not read."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def read_cursor(request: web.Request, read: Callable[[Any], Position]) -> Position | None:
    """What `?cursor=` says, None without one. `read` raises ValueError or TypeError for what no page has given."""
    raw = request.query.get("cursor")
    if raw is None:
        return None
    try:
        return read(json.loads(base64.urlsafe_b64decode(raw)))
    except (ValueError, TypeError):
        raise Problem(400, "Bad Request", "cursor is the next of an earlier page, unchanged.") from None


def row_number(position: Any) -> int:
    """A cursor that is a row's number."""
    if not isinstance(position, int) or not 0 <= position < 1 << 62:
        raise ValueError(position)
    return position
