"""The control port: what actions.py can do, faults, the state, snapshot and restore, reset, health."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import TypeVar, cast

from aiohttp import web

from stripe_simulator.account_objects import Event, Resource
from stripe_simulator.actions import ACTIONS, Action
from stripe_simulator.encoding import encode
from stripe_simulator.errors import ApiError, JsonObject, invalid
from stripe_simulator.faults import FaultRefused, Faults
from stripe_simulator.form import as_json, decode
from stripe_simulator.rolled import Rolled
from stripe_simulator.world import LoggedRequest, World

T = TypeVar("T")
SLICE = 500
SECTIONS = (
    "payment_intents",
    "charges",
    "refunds",
    "transfers",
    "events",
    "customers",
    "disputes",
    "requests",
)
WEBHOOKS = "webhooks"
"""The section that is shown only when asked for: its events are in `events` already."""


class Control:
    """Handlers of the control port. `world` is replaced by a reset and when a snapshot is restored."""

    def __init__(
        self,
        world: World,
        faults: Faults,
        rolled: Rolled,
        reset: Callable[[], None],
        snapshot: Callable[[], None],
        restore: Callable[[], bool],
    ) -> None:
        self.world = world
        self.faults = faults
        self._rolled = rolled
        self._reset, self._snapshot, self._restore = reset, snapshot, restore

    def application(self) -> web.Application:
        app = web.Application(middlewares=[_problems])
        app.add_routes(
            [
                web.get("/health", self.health),
                web.get("/state", self.state),
                web.get("/faults", self.list_faults),
                web.put("/faults", self.replace_faults),
                web.put("/secrets", self.roll_secrets),
                *(web.route(method, path, self._acting(action)) for (method, path), action in ACTIONS.items()),
                web.post("/reset", self.reset),
                web.post("/snapshot", self.snapshot),
                web.post("/restore", self.restore),
            ]
        )
        return app

    async def health(self, request: web.Request) -> web.Response:
        return _json({"status": "ok"})

    async def list_faults(self, request: web.Request) -> web.Response:
        return _json(self.faults.shown())

    async def replace_faults(self, request: web.Request) -> web.Response:
        try:
            self.faults.replace(await _body(request))
        except FaultRefused as refusal:
            raise invalid(str(refusal)) from refusal
        return _json(self.faults.shown())

    async def roll_secrets(self, request: web.Request) -> web.Response:
        self._rolled.change(await _fields(request))
        return _json({"status": "ok"})

    def _acting(self, action: Action) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def act(request: web.Request) -> web.Response:
            fields = await _fields(request)
            self.world.agenda.run_due()
            return _json(action(self.world, request.match_info.get("id", ""), fields))

        return act

    async def reset(self, request: web.Request) -> web.Response:
        """Forget everything: objects, keys, faults, requests, waiting webhooks."""
        self._reset()
        return _json({"status": "ok"})

    async def snapshot(self, request: web.Request) -> web.Response:
        """Keep objects, keys and requests as they are now."""
        self._snapshot()
        return _json({"status": "ok"})

    async def restore(self, request: web.Request) -> web.Response:
        """Have them as they were kept; faults and waiting webhooks are gone."""
        if not self._restore():
            raise invalid("There is no snapshot: POST /snapshot makes one.")
        return _json({"status": "ok"})

    async def state(self, request: web.Request) -> web.StreamResponse:
        """Everything, or the sections of ?only=a,b; written in slices, so that the API goes on answering."""
        self.world.agenda.run_due()
        only = request.query.get("only")
        wanted = SECTIONS if only is None else tuple(only.split(","))
        known = (*SECTIONS, WEBHOOKS)
        unknown = set(wanted) - set(known)
        if unknown:
            raise invalid(f"Unknown section {sorted(unknown)[0]}; known: {', '.join(known)}", param="only")
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        opening = b"{"
        for section in wanted:
            await response.write(opening + encode(section) + b":[")
            async for chunk in self._section(section):
                await response.write(chunk)
            opening = b"],"
        await response.write(b"]}")
        await response.write_eof()
        return response

    async def _section(self, section: str) -> AsyncIterator[bytes]:
        if section == "requests":
            slices = _rendered(list(self.world.requests), _request)
        elif section == WEBHOOKS:
            slices = _rendered([event for event in self.world.events.rows if event.deliveries], _delivered)
        else:
            rows: Sequence[Resource] = getattr(self.world, section).rows
            slices = _rendered(list(rows), lambda row: row.render())
        separator = b""
        for chunk in slices:
            yield separator + chunk
            separator = b","


def _rendered(rows: Sequence[T], render: Callable[[T], JsonObject]) -> Iterator[bytes]:
    """The elements of a JSON array, SLICE at a time, without its brackets."""
    for start in range(0, len(rows), SLICE):
        yield encode([render(row) for row in rows[start : start + SLICE]])[1:-1]


@web.middleware
async def _problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except ApiError as error:
        return web.Response(
            body=encode(error.body("req_control")), status=error.status, content_type="application/json"
        )


def _request(logged: LoggedRequest) -> JsonObject:
    return {
        "method": logged.method,
        "path": logged.path,
        "idempotency_key": logged.idempotency_key,
        "params": {key: as_json(value) for key, value in decode(logged.encoded).items()},
        "status": logged.status,
    }


def _delivered(event: Event) -> JsonObject:
    return {**event.render(), "deliveries": event.deliveries}


async def _body(request: web.Request) -> object:
    try:
        return cast(object, json.loads(await request.read()))
    except ValueError:
        raise invalid("The body must be JSON.") from None


async def _fields(request: web.Request) -> JsonObject:
    body = await _body(request) if request.can_read_body else {}
    if not isinstance(body, dict):
        raise invalid("The body must be a JSON object.")
    return cast(JsonObject, body)


def _json(value: object) -> web.Response:
    return web.Response(body=encode(value), content_type="application/json")
