"""Stripe behind the engine's Gateway protocol: an intended call in, what came of it out.

A definite outcome is a local message, everything else is TryAgain: the same request under the same key. Two cases
need a look first, because the key alone does not protect (engine.md, Gateway calls): a failure that Stripe has stored
under the key, and a call older than a day, whose key Stripe has forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar
from uuid import UUID

import stripe

from services.chassis.clock import Clock
from services.chassis.gateway_calls import OpenCall, TryAgain
from services.chassis.messages import LocalBody
from services.payments import lookups, translation
from services.payments.calls import AuthorizeCall, IntentCall, RefundCall, StripeCall
from services.payments.model.payment import Operation
from services.payments.stripe_api import NO_ANSWER, Refusal, StripeApi, judge, options, replayed_failure

KEY_IS_TRUSTED = timedelta(hours=23)
CALL_SECONDS = 25.0
"""All requests of one try together; below the lease."""
MOST_KEYS = 5
"""New keys in one try."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class Request(Generic[Found]):
    """A request that changes something: how it is sent under a key, how its object is found, what an answer means."""

    send: Callable[[str], Awaitable[Found]]
    look_up: Callable[[], Awaitable[Found | None]]
    read: Callable[[Found], LocalBody]
    refused: Callable[[Refusal], Awaitable[LocalBody]]


class StripeGateway:
    """Makes the calls of payments. Never raises for Stripe's faults."""

    def __init__(self, api: StripeApi, clock: Clock) -> None:
        self._api, self._clock = api, clock
        self._burnt: dict[UUID, int] = {}
        """Open calls whose first keys hold a stored failure and made nothing: how many keys."""
        self._operations: dict[str, Callable[[OpenCall], Awaitable[LocalBody | TryAgain]]] = {
            Operation.AUTHORIZE: self._authorize,
            Operation.CAPTURE: self._capture,
            Operation.VOID: self._void,
            Operation.RETRIEVE: self._retrieve,
            "leftover": self._leftover,
            "refund": self._refund,
            "retrieve_refund": self._retrieve_refund,
        }

    async def call(self, call: OpenCall) -> LocalBody | TryAgain:
        """One try of a call."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                outcome = await self._operations[call.operation](call)
            if not isinstance(outcome, TryAgain):
                self._burnt.pop(call.id, None)
            return outcome
        except (stripe.StripeError, *NO_ANSWER) as error:
            found = judge(error)
            return found if isinstance(found, TryAgain) else TryAgain(f"{found.status} {found.code}")

    async def _try(self, call: OpenCall, asked: StripeCall, request: Request[Found]) -> LocalBody | TryAgain:
        """Send under the key; look where the key does not protect."""
        age = max(self._clock.now() - asked.asked_at, timedelta(seconds=call.age_seconds))
        if age > KEY_IS_TRUSTED and (found := await request.look_up()) is not None:
            return request.read(found)
        for _ in range(MOST_KEYS):
            burnt = self._burnt.get(call.id, 0)
            key = f"{call.idempotency_key}:{burnt}" if burnt else call.idempotency_key
            try:
                return request.read(await request.send(key))
            except (stripe.StripeError, *NO_ANSWER) as error:
                outcome = judge(error)
                if isinstance(outcome, Refusal):
                    return await request.refused(outcome)
                if not replayed_failure(error):
                    return outcome
            if (found := await request.look_up()) is not None:
                return request.read(found)
            self._burnt[call.id] = burnt + 1
        return TryAgain(f"Stripe failed under {MOST_KEYS} keys")

    async def _authorize(self, call: OpenCall) -> LocalBody | TryAgain:
        asked = AuthorizeCall.model_validate_json(call.parameters)
        intents = self._api.v1.payment_intents

        async def look_up() -> stripe.PaymentIntent | None:
            found = await lookups.payment_intent(self._api, asked)
            if found is None or found.status != "requires_confirmation":
                return found
            key = f"{call.idempotency_key}:confirm"
            return await intents.confirm_async(found.id, {}, options(asked.api_version, key))

        async def refused(refusal: Refusal) -> LocalBody:
            intent = translation.intent_of(refusal)
            if intent is None:
                return translation.never_made(asked, refusal)
            return translation.intent_seen(asked, Operation.AUTHORIZE, intent, refusal)

        request = Request(
            send=lambda key: intents.create_async(translation.new_intent(asked), options(asked.api_version, key)),
            look_up=look_up,
            read=lambda intent: translation.intent_seen(asked, Operation.AUTHORIZE, intent),
            refused=refused,
        )
        return await self._try(call, asked, request)

    async def _capture(self, call: OpenCall) -> LocalBody | TryAgain:
        asked = IntentCall.model_validate_json(call.parameters)
        intents = self._api.v1.payment_intents
        request = Request(
            send=lambda key: intents.capture_async(asked.payment_intent, {}, options(asked.api_version, key)),
            look_up=lambda: self._intent_unless(asked, "requires_capture"),
            read=lambda intent: translation.intent_seen(asked, Operation.CAPTURE, intent),
            refused=lambda refusal: self._refused(asked, Operation.CAPTURE, refusal),
        )
        return await self._try(call, asked, request)

    async def _void(self, call: OpenCall) -> LocalBody | TryAgain:
        asked = IntentCall.model_validate_json(call.parameters)
        request = self._cancellation(
            asked,
            read=lambda intent: translation.intent_seen(asked, Operation.VOID, intent),
            refused=lambda refusal: self._refused(asked, Operation.VOID, refusal),
        )
        return await self._try(call, asked, request)

    async def _leftover(self, call: OpenCall) -> LocalBody | TryAgain:
        asked = IntentCall.model_validate_json(call.parameters)

        async def refused(refusal: Refusal) -> LocalBody:
            return translation.leftover(asked, translation.intent_of(refusal) or await self._intent(asked))

        request = self._cancellation(asked, read=lambda intent: translation.leftover(asked, intent), refused=refused)
        return await self._try(call, asked, request)

    def _cancellation(
        self,
        asked: IntentCall,
        read: Callable[[stripe.PaymentIntent], LocalBody],
        refused: Callable[[Refusal], Awaitable[LocalBody]],
    ) -> Request[stripe.PaymentIntent]:
        intents = self._api.v1.payment_intents
        return Request(
            send=lambda key: intents.cancel_async(asked.payment_intent, {}, options(asked.api_version, key)),
            look_up=lambda: self._intent_unless(
                asked, "requires_payment_method", "requires_capture", "requires_confirmation", "requires_action"
            ),
            read=read,
            refused=refused,
        )

    async def _refused(self, asked: IntentCall, operation: Operation, refusal: Refusal) -> LocalBody:
        """What the PaymentIntent says explains the refusal."""
        intent = translation.intent_of(refusal) or await self._intent(asked)
        return translation.intent_seen(asked, operation, intent, refusal)

    async def _retrieve(self, call: OpenCall) -> LocalBody | TryAgain:
        asked = IntentCall.model_validate_json(call.parameters)
        return translation.intent_seen(asked, Operation.RETRIEVE, await self._intent(asked))

    async def _intent(self, asked: IntentCall) -> stripe.PaymentIntent:
        chosen = options(asked.api_version)
        return await self._api.v1.payment_intents.retrieve_async(asked.payment_intent, {}, chosen)

    async def _intent_unless(self, asked: IntentCall, *unchanged: str) -> stripe.PaymentIntent | None:
        """The PaymentIntent, or None where it shows that the request has had no effect."""
        found = await self._intent(asked)
        return None if found.status in unchanged else found

    async def _refund(self, call: OpenCall) -> LocalBody | TryAgain:
        asked = RefundCall.model_validate_json(call.parameters)
        refunds = self._api.v1.refunds

        async def refused(refusal: Refusal) -> LocalBody:
            return translation.refund_refused(asked, refusal)

        request = Request(
            send=lambda key: refunds.create_async(translation.new_refund(asked), options(asked.api_version, key)),
            look_up=lambda: lookups.refund(self._api, asked),
            read=lambda refund: translation.refund_seen(asked, refund),
            refused=refused,
        )
        return await self._try(call, asked, request)

    async def _retrieve_refund(self, call: OpenCall) -> LocalBody | TryAgain:
        asked = RefundCall.model_validate_json(call.parameters)
        assert asked.stripe_refund is not None, "a refund that was made has an id"
        chosen = options(asked.api_version)
        refund = await self._api.v1.refunds.retrieve_async(asked.stripe_refund, {}, chosen)
        return translation.refund_seen(asked, refund)
