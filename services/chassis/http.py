"""The HTTP side that every service has: tokens and scopes, problem+json, health, metrics, a command's reply."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import resources
from typing import TypeVar

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware
from booking_contracts.http.every_service import DESCRIPTION
from booking_contracts.problems import PAGE, ProblemKind
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

from services.chassis.database import UNAVAILABLE, Pool
from services.chassis.encoding import encoded
from services.chassis.parameters import Parameters, opaque_cursor, path_id
from services.chassis.problems import Problem, problem, unavailable
from services.chassis.settings import ApiToken, Scope

log = structlog.get_logger()
Item = TypeVar("Item")
Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]
POOL: web.AppKey[Pool] = web.AppKey("pool")
"""For reads alone."""
WRITES: web.AppKey[Pool] = web.AppKey("writes")
"""For what requests write: it does not wait behind reads."""
MOST_BODY_BYTES = 1024 * 1024
"""Of a request."""
SCOPES: web.RequestKey[frozenset[Scope]] = web.RequestKey("scopes")


@dataclass(frozen=True, slots=True)
class Health:
    """Four questions of Kubernetes; each answer is a reason why not, or None when all is well."""

    live: Callable[[], Awaitable[str | None]]
    ready: Callable[[], Awaitable[str | None]]
    startup: Callable[[], Awaitable[str | None]]
    serving: Callable[[], Awaitable[str | None]]


@dataclass(frozen=True, slots=True)
class Pools:
    """Connections for requests, each kind's its own, so that a flood of one does not starve another."""

    reads: Pool
    writes: Pool


def answer(body: object) -> web.Response:
    """A JSON answer; instants as RFC 3339, ids as strings."""
    return web.Response(body=encoded(body), content_type="application/json")


def page_of(
    found: Sequence[Item], limit: int, position: Callable[[Item], object], shown: Callable[[Item], object]
) -> web.Response:
    """A page of a list, of `limit` + 1 items found: the one too many tells that a page follows."""
    page = found[:limit]
    following = opaque_cursor(position(page[-1])) if len(found) > limit else None
    return answer({"items": [shown(item) for item in page], "next": following})


def open_to(scope: Scope, *parameters: str, again: Collection[str] = ()) -> Callable[[Handle], Handle]:
    """Name the scope that a token needs for this path, and the query's parameters; those of `again` may be repeated.

    A path that names no scope is open to every caller.
    """

    def mark(handle: Handle) -> Handle:
        handle.scope, handle.parameters = scope, Parameters(parameters, again)  # type: ignore[attr-defined]
        return handle

    return mark


def new_app(tokens: Callable[[], Sequence[ApiToken]], pools: Pools, health: Health) -> web.Application:
    """An application with the paths that every service has; each request asks for the `tokens` of then."""
    app = web.Application(middlewares=[_problems, _authorise(tokens)], client_max_size=MOST_BODY_BYTES)
    app[POOL], app[WRITES] = pools.reads, pools.writes
    add_health(app, health)
    add_metrics(app, REGISTRY)
    app.router.add_get(PAGE, _codes)
    app.router.add_get("/v1/commands/{id}", command_reply)
    return app


def add_health(app: web.Application, health: Health) -> None:
    """The paths that Kubernetes asks, /health/live and its like."""
    for name in ("live", "ready", "startup", "serving"):
        app.router.add_get(f"/health/{name}", _health(getattr(health, name)))


def add_metrics(app: web.Application, registry: CollectorRegistry) -> None:
    """The path that Prometheus asks."""

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.router.add_get("/metrics", metrics)


@asynccontextmanager
async def answering(app: web.Application, host: str, port: int) -> AsyncIterator[None]:
    """While this lasts the application answers there. Raises OSError where the port is taken."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield
    finally:
        await runner.cleanup()


def add_description(app: web.Application, service: str) -> None:
    """The path that shows what the service can be asked, to every caller: it holds nothing but what contracts say."""
    document = (resources.files("booking_contracts") / "generated" / "openapi" / f"{service}.json").read_bytes()

    async def description(_: web.Request) -> web.Response:
        return web.Response(body=document, content_type="application/json")

    app.router.add_get(DESCRIPTION, description)


def _authorise(tokens: Callable[[], Sequence[ApiToken]]) -> Middleware:
    @web.middleware
    async def authorise(request: web.Request, handler: Handle) -> web.StreamResponse:
        scope: Scope | None = getattr(request.match_info.handler, "scope", None)
        if scope is None:
            return await handler(request)
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        known = [named for named in tokens() if kind.lower() == "bearer" and named.matches(token)]
        if not known:
            raise Problem(401, "Unauthorized", "Send Authorization: Bearer with a token of this service.")
        request[SCOPES] = frozenset(scope for named in known for scope in named.scopes)
        if scope not in request[SCOPES]:
            raise Problem(403, "Forbidden", f"The token {known[0].name} lacks the scope {scope}.")
        parameters: Parameters = request.match_info.handler.parameters  # type: ignore[attr-defined]
        parameters.check(request)
        return await handler(request)

    return authorise


_REFUSED = {
    404: ("Not Found", "There is nothing at this path; the services' READMEs say which paths there are."),
    405: ("Method Not Allowed", "This path does not take this method; the header Allow says which it takes."),
    413: ("Request Entity Too Large", f"The body is larger than {MOST_BODY_BYTES} bytes; send less."),
}
"""What aiohttp refuses by itself. The titles are written out, because Python's own change from version to version."""


@web.middleware
async def _problems(request: web.Request, handler: Handle) -> web.StreamResponse:
    try:
        return await handler(request)
    except Problem as refused:
        return problem(refused.status, refused.title, refused.detail, refused.headers)
    except web.RequestPayloadError:
        return problem(400, "Bad Request", "The body did not arrive whole, or not encoded as its headers say.")
    except web.HTTPException as error:
        if error.status < 400:
            raise
        allow = error.headers.get("Allow")
        title, detail = _REFUSED.get(error.status, (error.reason, f"{error.reason}."))
        return problem(error.status, title, detail, {"Allow": allow} if allow else None)
    except UNAVAILABLE as error:
        log.warning("request failed", path=request.path, error=repr(error))
        later = unavailable("The database is busy or does not answer; try again shortly.")
        return problem(later.status, later.title, later.detail, later.headers)
    except Exception:
        log.error("request failed", path=request.path, exc_info=True)
        return problem(500, "Internal Server Error", "A fault of ours; the log has it under this path.")


def _health(question: Callable[[], Awaitable[str | None]]) -> Handle:
    async def handle(_: web.Request) -> web.Response:
        reason = await question()
        return answer({"ok": True}) if reason is None else problem(503, "Not ready", reason, kind=ProblemKind.NOT_READY)

    return handle


async def _codes(_: web.Request) -> web.Response:
    """What the codes of replies and the types of problems mean."""
    page = resources.files("booking_contracts") / "generated" / "codes.md"
    return web.Response(text=page.read_text(encoding="utf-8"), content_type="text/markdown")


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
