"""Stripe's official SDK with one aiohttp session, and what its errors mean for a call that has to end somehow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote_plus

import aiohttp
import stripe
from stripe import _api_requestor

from services.chassis.gateway_calls import TryAgain
from services.payments.stripe_calls.parameters import API_VERSION

Found = Mapping[str, Any]
"""An object of Stripe's as plain JSON. (The SDK's objects cost as much CPU as all the rest of a request.)"""
CALL_SECONDS = 8.0
"""How long one request may take; well below the lease of a call."""
PAGE = 100
LOOKS = 4
FOR_AN_OPERATOR_SECONDS = 60.0
"""How long a call waits that only an operator can help, e.g. while the key lacks a permission."""
LookedT = TypeVar("LookedT")
NO_ANSWER = (stripe.APIConnectionError, aiohttp.ClientError, OSError, TimeoutError)
"""The request may or may not have reached Stripe. (The SDK does not wrap a connection lost while reading.)"""
stripe.enable_telemetry = False
"""Else each request tells Stripe how long the last one took, under an id that the SDK keeps in the home directory."""
for _log in ("log_info", "log_debug"):
    # Else it words each request and its whole answer for a log that nobody may read: a tenth of a call's CPU.
    setattr(_api_requestor, _log, lambda *_, **__: None)


class StripeApi:
    """One client per process; its session is made on first use and closed with the process. Each call asks for the key
    of then."""

    def __init__(self, api_key: Callable[[], str], api_base: str) -> None:
        self._key = api_key
        self._http = stripe.AIOHTTPClient(timeout=aiohttp.ClientTimeout(total=CALL_SECONDS))
        self._client = stripe.StripeClient(
            api_key(), base_addresses={"api": api_base}, max_network_retries=0, http_client=self._http
        )

    async def close(self) -> None:
        """Close the session."""
        await self._http.close_async()  # type: ignore[no-untyped-call]

    async def client_secret(self, payment_intent: str) -> str | None:
        """Read live, handed on, never kept."""
        return field(await self.look("payment_intents", payment_intent), "client_secret")

    async def pages(
        self, path: str, api_version: str = API_VERSION, **parameters: object
    ) -> AsyncIterator[list[dict[str, Any]]]:
        """A list of Stripe's, newest first, page by page, each with patience of its own."""
        wanted: dict[str, Any] = {**parameters, "limit": PAGE}
        while True:
            found = await patiently(lambda: self.look(path, api_version=api_version, **wanted))
            yield found["data"]
            if not found["has_more"]:
                return
            wanted["starting_after"] = found["data"][-1]["id"]

    async def look(self, *path: str, api_version: str = API_VERSION, **parameters: object) -> Found:
        """One look, at `path` below /v1; it changes nothing. Raises what the SDK raises."""
        return await self._ask("get", *path, stripe_version=api_version, **parameters)

    async def send(self, *path: str, api_version: str, key: str, **parameters: object) -> Found:
        """A request that changes something, under its idempotency key and in the version that it was stored with.

        The object as it is then. Raises what the SDK raises.
        """
        return await self._ask("post", *path, stripe_version=api_version, idempotency_key=key, **parameters)

    async def _ask(self, method: str, *path: str, **parameters: object) -> Found:
        raw: Any = self._client.raw_request_async
        answer = await raw(method, "/v1/" + "/".join(map(quote_plus, path)), api_key=self._key(), **parameters)
        found: Found = answer.data
        return found


@dataclass(frozen=True, slots=True)
class Refusal:
    """A definite no; `intent` is the PaymentIntent that the error carries.

    `of_request`: to what we asked, not to the card or to the payment method that the payer named.
    """

    status: int
    code: str | None
    decline_code: str | None = None
    intent: Found | None = None
    of_request: bool = False


async def patiently(look: Callable[[], Awaitable[LookedT]]) -> LookedT:
    """One look, at most LOOKS times: it changes nothing, so it is repeated at once where Stripe stumbles.

    Raises what Stripe's SDK raises.
    """
    for _ in range(LOOKS - 1):
        try:
            return await look()
        except (stripe.StripeError, *NO_ANSWER) as error:
            if isinstance(judge(error), Refusal):
                raise
            await asyncio.sleep(0.1)
    return await look()


def field(found: Found | None, name: str) -> str | None:
    """A field that Stripe may leave out, or fill with an object."""
    value = None if found is None else found.get(name)
    return value if isinstance(value, str) else None


def matches(metadata: object, **wanted: object) -> bool:
    """Whether an object's metadata says all of this."""
    try:
        return all(metadata[name] == str(value) for name, value in wanted.items())  # type: ignore[index]
    except (KeyError, TypeError):
        return False


def judge(error: BaseException) -> Refusal | TryAgain:
    """A definite refusal, or an outcome that is unknown or only for now (docs.stripe.com: Error handling).

    A TryAgain without seconds means that Stripe is away; the circuit counts those alone.
    """
    if not isinstance(error, stripe.StripeError):
        return TryAgain(f"no answer: {error!r}")
    detail = _detail(error)
    code, status = detail.get("code") or error.code, error.http_status or 0
    reason = f"{status} {code or type(error).__name__}: {detail.get('message', '')}"
    if isinstance(error, stripe.RateLimitError):
        return TryAgain(reason, _retry_after(error))
    if code in ("lock_timeout", "idempotency_key_in_use") or status == 409:
        return TryAgain(reason, 1.0)
    if isinstance(error, stripe.CardError) or (
        isinstance(error, stripe.InvalidRequestError) and status in (400, 402, 404)
    ):
        of_card = isinstance(error, stripe.CardError) or str(detail.get("param")).startswith("payment_method")
        return Refusal(status, code, detail.get("decline_code"), detail.get("payment_intent"), of_request=not of_card)
    return TryAgain(reason, FOR_AN_OPERATOR_SECONDS if 400 <= status < 500 else None)


def key_is_spent(error: BaseException) -> bool:
    """The same request under the same key can never do better: Stripe has stored a failure under it, or another request
    (an older build's, or one that somebody sent by hand)."""
    if not isinstance(error, stripe.StripeError):
        return False
    if (error.http_status or 0) >= 500:
        return _header(error, "idempotent-replayed") == "true"
    return error.http_status == 400 and _detail(error).get("type") == "idempotency_error"


def _detail(error: stripe.StripeError) -> dict[str, Any]:
    body = error.json_body
    found = body.get("error") if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}


def _header(error: stripe.StripeError, name: str) -> str | None:
    for key, value in (error.headers or {}).items():
        if key.lower() == name:
            return str(value)
    return None


def _retry_after(error: stripe.StripeError) -> float | None:
    try:
        seconds = float(_header(error, "retry-after") or "")
    except ValueError:
        return None
    return min(max(seconds, 0.1), 60.0)
