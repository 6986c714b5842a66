"""A request on its way through the API port, who may send it, and the answer as Stripe writes it."""

import base64
import binascii
from dataclasses import dataclass

from aiohttp import web

from stripe_simulator.account_objects import API_VERSION
from stripe_simulator.encoding import encode
from stripe_simulator.errors import ApiError
from stripe_simulator.operations import Operation

PUBLISHABLE = frozenset({"confirm", "retrieve"})


@dataclass(slots=True)
class Call:
    """One request on its way through. `encoded` is the form body of a POST, the query of a GET."""

    method: str
    path: str
    encoded: bytes
    idempotency_key: str | None
    authorization: str
    request_id: str
    api_version: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back; `original_request` is set on a replay."""

    status: int
    body: bytes
    original_request: str | None = None
    retry_after: float | None = None
    should_retry: str | None = None


def authenticate(call: Call, operation: Operation | None, good: str | None) -> None:
    """Any secret key, or `good` alone; a publishable key, or none, may confirm and retrieve with a client_secret."""
    scheme, _, credentials = call.authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            credentials = base64.b64decode(credentials).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            credentials = ""
    if credentials.startswith(("sk_", "rk_")):
        if good in (None, credentials):
            return
        raise ApiError(401, "invalid_request_error", "Expired API Key provided", code="api_key_expired", executed=False)
    by_browser = operation is not None and operation.name.partition(".")[2] in PUBLISHABLE
    if by_browser and b"client_secret=" in call.encoded:
        return
    if credentials.startswith("pk_"):
        message = "This API call cannot be made with a publishable API key. Please use a secret API key."
        raise ApiError(403, "invalid_request_error", message, code="secret_key_required", executed=False)
    message = f"Invalid API Key provided: {credentials[:8]}" if credentials else "You did not provide an API key."
    raise ApiError(401, "invalid_request_error", message, executed=False)


def unrecognized(call: Call) -> ApiError:
    """404 for a path or method that the simulator does not have."""
    message = (
        f"Unrecognized request URL ({call.method}: {call.path}). Please see https://stripe.com/docs or we "
        "can help at "
        "https://support.stripe.com/."
    )
    return ApiError(404, "invalid_request_error", message, executed=False)


def error_answer(error: ApiError, call: Call) -> Answer:
    """Stripe's error body with its status."""
    return Answer(error.status, encode(error.body(call.request_id)))


def server_error(call: Call) -> Answer:
    """A 500 under a key is final for the key, so Stripe advises against a retry with it."""
    error = ApiError(500, "api_error", "An unknown error occurred")
    should_retry = None if call.idempotency_key is None else "false"
    return Answer(500, encode(error.body(call.request_id)), should_retry=should_retry)


def response(answer: Answer, call: Call) -> web.Response:
    """The answer with Stripe's headers ("Request IDs", "Idempotent requests")."""
    headers = {
        "Content-Type": "application/json",
        "Request-Id": call.request_id,
        "Stripe-Version": API_VERSION,
    }
    if call.idempotency_key is not None:
        headers["Idempotency-Key"] = call.idempotency_key
        headers["Original-Request"] = answer.original_request or call.request_id
    if answer.original_request is not None:
        headers["Idempotent-Replayed"] = "true"
    if answer.retry_after is not None:
        headers["Retry-After"] = f"{answer.retry_after:g}"
    if answer.should_retry is not None:
        headers["Stripe-Should-Retry"] = answer.should_retry
    return web.Response(body=answer.body, status=answer.status, headers=headers)
