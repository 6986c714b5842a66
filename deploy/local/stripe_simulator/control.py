"""The control port: faults, 3-D Secure, disputes, failing refunds, the state, reset, health."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import TypeVar, cast

from aiohttp import web

from deploy.local.stripe_simulator.account_objects import Resource
from deploy.local.stripe_simulator.confirmation import authenticate
from deploy.local.stripe_simulator.disputes import close_dispute, open_dispute
from deploy.local.stripe_simulator.encoding import encode
from deploy.local.stripe_simulator.errors import ApiError, JsonObject, invalid, missing
from deploy.local.stripe_simulator.faults import FaultRefused, Faults
from deploy.local.stripe_simulator.form import as_json, decode
from deploy.local.stripe_simulator.refunds import fail_refund
from deploy.local.stripe_simulator.setup_intents import authenticate_setup
from deploy.local.stripe_simulator.world import LoggedRequest, World

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


class Control:
    """Handlers of the control port. `world` is replaced by a reset."""

    def __init__(self, world: World, faults: Faults, reset: Callable[[], None]) -> None:
        self.world = world
        self.faults = faults
        self._reset = reset

    def application(self) -> web.Application:
        app = web.Application(middlewares=[_problems])
        app.add_routes(
            [
                web.get("/health", self.health),
                web.get("/state", self.state),
                web.get("/faults", self.list_faults),
                web.put("/faults", self.replace_faults),
                web.post("/authenticate/{id}", self.authenticate),
                web.post("/disputes", self.open_dispute),
                web.post("/disputes/{id}/close", self.close_dispute),
                web.post("/refunds/{id}/fail", self.fail_refund),
                web.post("/reset", self.reset),
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

    async def authenticate(self, request: web.Request) -> web.Response:
        """{success: bool} finishes the 3-D Secure of a PaymentIntent or SetupIntent."""
        success = (await _fields(request)).get("success")
        if not isinstance(success, bool):
            raise missing("success")
        self.world.agenda.run_due()
        object_id = request.match_info["id"]
        if object_id.startswith("seti_"):
            setup = self.world.setup_intents.at_path(object_id, "intent")
            authenticate_setup(self.world, setup, success)
            return _json(setup.render())
        intent = self.world.payment_intents.at_path(object_id, "intent")
        authenticate(self.world, intent, success)
        return _json(intent.render())

    async def open_dispute(self, request: web.Request) -> web.Response:
        """{payment_intent, amount?}: amount in minor units, all that was captured when left out."""
        fields = await _fields(request)
        intent_id, amount = fields.get("payment_intent"), fields.get("amount")
        if not isinstance(intent_id, str):
            raise missing("payment_intent")
        intent = self.world.payment_intents.named_by(intent_id, "payment_intent")
        charge = self.world.charges.named_by(intent.latest_charge or "", "payment_intent")
        if amount is not None and (not isinstance(amount, int) or isinstance(amount, bool)):
            raise invalid(f"Invalid integer: {amount}", param="amount", code="parameter_invalid_integer")
        dispute = open_dispute(self.world, charge, charge.amount_captured if amount is None else amount)
        return _json(dispute.render())

    async def close_dispute(self, request: web.Request) -> web.Response:
        """{status: won | lost}."""
        status = (await _fields(request)).get("status")
        if status not in ("won", "lost"):
            raise invalid("Invalid status: must be one of won, lost", param="status")
        dispute = self.world.disputes.at_path(request.match_info["id"], "dispute")
        return _json(close_dispute(self.world, dispute, status).render())

    async def fail_refund(self, request: web.Request) -> web.Response:
        refund = self.world.refunds.at_path(request.match_info["id"])
        return _json(fail_refund(self.world, refund).render())

    async def reset(self, request: web.Request) -> web.Response:
        """Forget everything: objects, keys, faults, requests, waiting webhooks."""
        self._reset()
        return _json({"status": "ok"})

    async def state(self, request: web.Request) -> web.StreamResponse:
        """Everything, or the sections of ?only=a,b; written in slices, so that the API goes on answering."""
        self.world.agenda.run_due()
        only = request.query.get("only")
        wanted = SECTIONS if only is None else tuple(only.split(","))
        unknown = set(wanted) - set(SECTIONS)
        if unknown:
            raise invalid(f"Unknown section {sorted(unknown)[0]}; known: {', '.join(SECTIONS)}", param="only")
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


async def _body(request: web.Request) -> object:
    try:
        return cast(object, json.loads(await request.read()))
    except ValueError:
        raise invalid("The body must be JSON.") from None


async def _fields(request: web.Request) -> JsonObject:
    body = await _body(request)
    if not isinstance(body, dict):
        raise invalid("The body must be a JSON object.")
    return cast(JsonObject, body)


def _json(value: object) -> web.Response:
    return web.Response(body=encode(value), content_type="application/json")
