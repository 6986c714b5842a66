"""Stripe's official SDK with one aiohttp session, and what its errors mean for a call that has to end somehow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import stripe

from services.chassis.gateway_calls import TryAgain
from services.payments.stripe_calls.parameters import API_VERSION

if TYPE_CHECKING:
    from stripe import RequestOptions

CALL_SECONDS = 8.0
"""How long one request may take; well below the lease of a call."""
PAGE = 100
FOR_AN_OPERATOR_SECONDS = 60.0
"""How long a call waits that only an operator can help, e.g. while the key lacks a permission."""
NO_ANSWER = (stripe.APIConnectionError, aiohttp.ClientError, OSError, TimeoutError)
"""The request may or may not have reached Stripe. (The SDK does not wrap a connection lost while reading.)"""


class StripeApi:
    """One client per process; its session is made on first use and closed with the process."""

    def __init__(self, api_key: str, api_base: str) -> None:
        self._http = stripe.AIOHTTPClient(timeout=aiohttp.ClientTimeout(total=CALL_SECONDS))
        self._client = stripe.StripeClient(
            api_key, base_addresses={"api": api_base}, max_network_retries=0, http_client=self._http
        )
        self.v1 = self._client.v1

    async def close(self) -> None:
        """Close the session."""
        await self._http.close_async()  # type: ignore[no-untyped-call]

    async def client_secret(self, payment_intent: str) -> str | None:
        """Read live, handed on, never kept."""
        intent = await self.v1.payment_intents.retrieve_async(payment_intent)
        return intent.client_secret

    async def event(self, event_id: str) -> dict[str, Any]:
        """One event, as plain JSON. Raises stripe.InvalidRequestError for one that Stripe has forgotten."""
        raw: Any = self._client.raw_request_async
        answer = await raw("get", f"/v1/events/{event_id}", stripe_version=API_VERSION)
        found: dict[str, Any] = answer.data
        return found

    async def pages(self, path: str, **parameters: object) -> AsyncIterator[list[dict[str, Any]]]:
        """A list of Stripe's, newest first, page by page, as plain JSON: making objects of thousands costs too much."""
        after: dict[str, object] = {}
        while True:
            found = await self.look(path, limit=PAGE, **parameters, **after)
            yield found["data"]
            if not found["has_more"]:
                return
            after = {"starting_after": found["data"][-1]["id"]}

    async def look(self, path: str, **parameters: object) -> dict[str, Any]:
        """One answer of Stripe's as plain JSON. Raises what the SDK raises."""
        raw: Any = self._client.raw_request_async
        answer = await raw("get", path, stripe_version=API_VERSION, **parameters)
        found: dict[str, Any] = answer.data
        return found


def options(api_version: str, idempotency_key: str | None = None) -> RequestOptions:
    """The Stripe-Version that a call was stored with, and its key."""
    chosen: RequestOptions = {"stripe_version": api_version}
    if idempotency_key is not None:
        chosen["idempotency_key"] = idempotency_key
    return chosen


@dataclass(frozen=True, slots=True)
class Refusal:
    """A definite no; `intent` is the PaymentIntent that the error carries.

    `of_request`: to what we asked, not to the card or to the payment method that the payer named.
    """

    status: int
    code: str | None
    decline_code: str | None = None
    intent: dict[str, Any] | None = None
    of_request: bool = False


def field(found: object, name: str) -> str | None:
    """A field that Stripe may leave out: StripeObject is no dict, what is not there raises."""
    value = getattr(found, name, None)
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
