"""The API port: authentication, routing, faults, idempotency, execution, answer."""

import asyncio
import socket
import struct

from aiohttp import web

from stripe_simulator.answers import Answer, Call, authenticate, error_answer, response, server_error, unrecognized
from stripe_simulator.encoding import encode
from stripe_simulator.errors import ApiError
from stripe_simulator.faults import Fault, Faults
from stripe_simulator.form import Params, decode
from stripe_simulator.idempotency import IdempotencyKeys, Record
from stripe_simulator.operations import Operation, route
from stripe_simulator.rolled import Rolled
from stripe_simulator.world import LoggedRequest, World

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class ApiServer:
    """Answers Stripe's v1 endpoints on `world`."""

    def __init__(self, world: World, faults: Faults, rolled: Rolled) -> None:
        self.world = world
        self.faults = faults
        self._rolled = rolled
        self.keys = IdempotencyKeys(world.clock)
        self._limited = 0

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """The aiohttp handler of the API port."""
        path, _, query = request.raw_path.partition("?")
        post = request.method == "POST"
        headers = request.headers
        call = Call(
            method=request.method,
            path=path,
            encoded=await request.read() if post else query.encode(),
            idempotency_key=headers.get("Idempotency-Key") if post else None,
            authorization=headers.get("Authorization", ""),
            request_id=self.world.new_id("req"),
            api_version=headers.get("Stripe-Version"),
        )
        try:
            answer = await self._answer(call, request)
        except ApiError as error:
            answer = error_answer(error, call)
        status = None if answer is None else answer.status
        self.world.requests.append(LoggedRequest(call.method, call.path, call.idempotency_key, call.encoded, status))
        return web.Response() if answer is None else response(answer, call)

    async def _answer(self, call: Call, request: web.BaseRequest) -> Answer | None:
        """None when the connection was dropped instead. Raises ApiError for what was never executed."""
        self.world.agenda.run_due()
        found = route(call.method, call.path)
        if found is None:
            authenticate(call, None, self._rolled.api_key)
            raise unrecognized(call)
        operation, object_id = found
        authenticate(call, operation, self._rolled.api_key)
        record = None
        if call.idempotency_key is not None:
            record = self.keys.find(call.idempotency_key, call.path, call.encoded)
        plan = self.faults.for_request(operation.name, replay=record is not None)
        fault = plan.fault
        if fault is not None and fault.kind in ("timeout_before", "connection_reset", "429"):
            await asyncio.sleep(plan.delay_seconds)
            return await self._fail_before(fault, request)
        if record is not None:
            await asyncio.sleep(plan.delay_seconds)
            answer = Answer(record.status or 500, record.body, original_request=record.request_id)
        else:
            answer = await self._execute_once(call, operation, object_id, plan.delay_seconds, fault)
        if fault is not None and fault.kind == "timeout_after":
            await asyncio.sleep(fault.seconds)
            _drop(request)
            return None
        return answer

    async def _execute_once(
        self, call: Call, operation: Operation, object_id: str, delay_seconds: float, fault: Fault | None
    ) -> Answer:
        key = call.idempotency_key
        begun: Record | None = None
        if key is not None:
            begun = self.keys.begin(key, call.path, call.encoded, call.request_id)
        try:
            if delay_seconds:
                await asyncio.sleep(delay_seconds)
            answer = self._execute(call, operation, object_id, fault)
        except BaseException:
            if begun is not None:
                self.keys.abandon(begun)
            raise
        if begun is not None:
            self.keys.finish(begun, answer.status, answer.body)
        return answer

    def _execute(self, call: Call, operation: Operation, object_id: str, fault: Fault | None) -> Answer:
        """Raises ApiError only for requests that Stripe would not have begun to execute."""
        broken = fault is not None and fault.kind == "500"
        if broken and fault is not None and not fault.effect:
            return server_error(call)
        params = Params(decode(call.encoded))
        params.form.pop("key", None)
        params.refuse_unknown(operation.allowed)
        self.world.cause, self.world.api_version = (call.request_id, call.idempotency_key), call.api_version
        self.world.decline = None if fault is None else fault.decline
        try:
            rendered = operation.handler(self.world, object_id, params)
            if "expand" in params.form:
                self.world.expand(rendered, params.names("expand"))
        except ApiError as error:
            if not error.executed:
                raise
            return error_answer(error, call)
        finally:
            self.world.cause, self.world.api_version, self.world.decline = (None, None), None, None
        return server_error(call) if broken else Answer(200, encode(rendered))

    async def _fail_before(self, fault: Fault, request: web.BaseRequest) -> Answer | None:
        if fault.kind == "429":
            return self._rate_limited(fault)
        if fault.kind == "timeout_before":
            await asyncio.sleep(fault.seconds)
        _drop(request)
        return None

    def _rate_limited(self, fault: Fault) -> Answer:
        """With Retry-After when the fault names one; else alternately with one second and without."""
        self._limited += 1
        retry_after = fault.retry_after
        if retry_after is None and self._limited % 2 == 0:
            retry_after = 1.0
        error = ApiError(
            429,
            "invalid_request_error",
            "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
            code="rate_limit",
        )
        should_retry = None if retry_after is None else "true"
        return Answer(429, encode(error.body("req_limited")), retry_after=retry_after, should_retry=should_retry)


def _drop(request: web.BaseRequest) -> None:
    """Close the connection at once, with a reset instead of an answer."""
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    transport.abort()
