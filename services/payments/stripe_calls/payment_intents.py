"""PaymentIntents of bookings: authorise, capture, void, look."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from services.chassis.gateway_calls import OpenCall, TryAgain
from services.chassis.messages import LocalBody
from services.payments.model import idempotency_keys
from services.payments.model.payment import Operation
from services.payments.model.reconciliation import CANCELABLE
from services.payments.model.stripe_operations import StripeOperation
from services.payments.stripe_calls.api import Found, Refusal, StripeApi, patiently
from services.payments.stripe_calls.idempotent import KeyedRequests, Request
from services.payments.stripe_calls.lookup import find_intent, unless_missing
from services.payments.stripe_calls.parameters import AuthorizeCall, IntentCall, StripeCall
from services.payments.stripe_calls.payment_intent_mapping import (
    leftover,
    missing,
    never_made,
    new_intent,
    seen,
    too_late,
)

Outcome = LocalBody | TryAgain


class Intents:
    """Calls about PaymentIntents."""

    def __init__(self, api: StripeApi, requests: KeyedRequests) -> None:
        self._api, self._requests = api, requests
        self.operations: dict[str, Callable[[OpenCall], Awaitable[Outcome]]] = {
            Operation.AUTHORIZE: self.authorize,
            Operation.CAPTURE: self.capture,
            Operation.VOID: self.void,
            Operation.RETRIEVE: self.retrieve,
            StripeOperation.LEFTOVER: self.leftover,
        }

    async def authorize(self, call: OpenCall) -> Outcome:
        """Create, and confirm when a payment method is named."""
        asked = AuthorizeCall.model_validate_json(call.parameters)

        async def look_up() -> Found | None:
            found = await find_intent(
                self._api, asked.api_version, asked.booking_id, booking_id=asked.booking_id, attempt=asked.attempt
            )
            if found is None or found["status"] != "requires_confirmation" or asked.look_only:
                return found
            key = idempotency_keys.of_confirmation(call.idempotency_key)
            return await self._send(asked, found["id"], "confirm", key=key)

        async def refused(refusal: Refusal) -> LocalBody:
            if refusal.intent is None:
                return never_made(asked, refusal)
            return seen(asked, Operation.AUTHORIZE, refusal.intent, refusal)

        if asked.look_only:
            there = await look_up()
            return too_late(asked) if there is None else seen(asked, Operation.AUTHORIZE, there)
        request = Request(
            send=lambda key: self._send(asked, key=key, **new_intent(asked)),
            look_up=look_up,
            read=lambda intent: seen(asked, Operation.AUTHORIZE, intent),
            refused=refused,
        )
        return await self._requests.outcome(call, asked, request)

    async def capture(self, call: OpenCall) -> Outcome:
        """Take the whole amount."""
        asked = IntentCall.model_validate_json(call.parameters)
        request = Request(
            send=lambda key: self._send(asked, asked.payment_intent, "capture", key=key),
            look_up=lambda: self._unless(asked, frozenset({"requires_capture"})),
            read=lambda intent: seen(asked, Operation.CAPTURE, intent),
            refused=lambda refusal: self._refused(asked, Operation.CAPTURE, refusal),
        )
        return await self._requests.outcome(call, asked, request)

    async def void(self, call: OpenCall) -> Outcome:
        """Cancel the PaymentIntent of the attempt."""
        asked = IntentCall.model_validate_json(call.parameters)
        request = self._cancellation(
            asked,
            read=lambda intent: seen(asked, Operation.VOID, intent),
            refused=lambda refusal: self._refused(asked, Operation.VOID, refusal),
        )
        return await self._requests.outcome(call, asked, request)

    async def leftover(self, call: OpenCall) -> Outcome:
        """Cancel a PaymentIntent that nobody wants."""
        asked = IntentCall.model_validate_json(call.parameters)

        async def refused(refusal: Refusal) -> LocalBody:
            return leftover(asked, refusal.intent or await self._retrieve(asked))

        request = self._cancellation(asked, read=lambda intent: leftover(asked, intent), refused=refused)
        return await self._requests.outcome(call, asked, request)

    async def retrieve(self, call: OpenCall) -> Outcome:
        """Look at the PaymentIntent."""
        asked = IntentCall.model_validate_json(call.parameters)
        found = await self._retrieve(asked)
        return missing(asked, Operation.RETRIEVE) if found is None else seen(asked, Operation.RETRIEVE, found)

    def _cancellation(
        self,
        asked: IntentCall,
        read: Callable[[Found], LocalBody],
        refused: Callable[[Refusal], Awaitable[LocalBody]],
    ) -> Request:
        return Request(
            send=lambda key: self._send(asked, asked.payment_intent, "cancel", key=key),
            look_up=lambda: self._unless(asked, CANCELABLE),
            read=read,
            refused=refused,
        )

    def _send(self, asked: StripeCall, *path: str, key: str, **parameters: object) -> Awaitable[Found]:
        return self._api.send("payment_intents", *path, api_version=asked.api_version, key=key, **parameters)

    async def _refused(self, asked: IntentCall, operation: Operation, refusal: Refusal) -> LocalBody:
        """What the PaymentIntent says explains the refusal."""
        found = refusal.intent or await self._retrieve(asked)
        return missing(asked, operation) if found is None else seen(asked, operation, found, refusal)

    async def _retrieve(self, asked: IntentCall) -> Found | None:
        intent, version = asked.payment_intent, asked.api_version
        return await unless_missing(lambda: self._api.look("payment_intents", intent, api_version=version))

    async def _unless(self, asked: IntentCall, unchanged: frozenset[str]) -> Found | None:
        """The PaymentIntent, or None where it shows that the request has had no effect."""
        found = await patiently(lambda: self._retrieve(asked))
        return None if found is None or found["status"] in unchanged else found
