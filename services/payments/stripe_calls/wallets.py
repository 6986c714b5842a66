"""Cards charged for wallets, and top-ups refunded."""

from __future__ import annotations

from functools import partial

from stripe.params import PaymentIntentCreateParams, RefundCreateParams

from services.chassis.gateway_calls import OpenCall, TryAgain
from services.chassis.messages import LocalBody
from services.payments.local_messages import MISSING, TopUpSeen, WithdrawalSeen
from services.payments.model import idempotency_keys
from services.payments.model.stripe_operations import StripeOperation
from services.payments.stripe_calls.api import Found, Refusal, StripeApi, field
from services.payments.stripe_calls.idempotent import KeyedRequests, Request
from services.payments.stripe_calls.lookup import find_intent, first_match, unless_missing
from services.payments.stripe_calls.operations import Operations
from services.payments.stripe_calls.parameters import TopUpCall, WithdrawCall


class Wallets:
    """Calls about wallets."""

    def __init__(self, api: StripeApi, requests: KeyedRequests) -> None:
        self._api, self._requests = api, requests
        self.operations: Operations = {
            StripeOperation.TOP_UP: self.top_up,
            StripeOperation.WITHDRAW: self.withdraw,
            StripeOperation.RETRIEVE_PART: self.retrieve_part,
        }

    async def top_up(self, call: OpenCall) -> LocalBody | TryAgain:
        """Charge the card at once."""
        asked = TopUpCall.model_validate_json(call.parameters)
        send = partial(self._api.send, "payment_intents", api_version=asked.api_version)

        async def look_up() -> Found | None:
            command = asked.command_id
            found = await find_intent(self._api, asked.api_version, command, command_id=command)
            if found is None or found["status"] != "requires_confirmation":
                return found
            return await send(found["id"], "confirm", key=idempotency_keys.of_confirmation(call.idempotency_key))

        async def refused(refusal: Refusal) -> LocalBody:
            return TopUpSeen(
                command_id=asked.command_id,
                customer_id=asked.customer_id,
                payment_intent=(refusal.intent or {}).get("id"),
                error_code=refusal.code or "refused",
                decline_code=refusal.decline_code,
                of_request=refusal.of_request,
            )

        request = Request(
            send=lambda key: send(key=key, **new_top_up(asked)),
            look_up=look_up,
            read=lambda intent: _topped_up(asked, intent),
            refused=refused,
        )
        return await self._requests.outcome(call, asked, request)

    async def withdraw(self, call: OpenCall) -> LocalBody | TryAgain:
        """Refund a part of a top-up."""
        asked = WithdrawCall.model_validate_json(call.parameters)

        async def refused(refusal: Refusal) -> LocalBody:
            return _withdrawn(asked, "failed", None, refusal.code or "refused")

        version = asked.api_version
        request = Request(
            send=lambda key: self._api.send("refunds", api_version=version, key=key, **new_withdrawal(asked)),
            look_up=lambda: self._find_refund(asked),
            read=lambda refund: _refunded(asked, refund),
            refused=refused,
        )
        return await self._requests.outcome(call, asked, request)

    async def retrieve_part(self, call: OpenCall) -> LocalBody | TryAgain:
        """Look at the refund that a part of a withdrawal was made by."""
        asked = WithdrawCall.model_validate_json(call.parameters)
        stripe_refund, version = asked.stripe_refund, asked.api_version
        assert stripe_refund is not None, "a refund that was made has an id"
        found = await unless_missing(lambda: self._api.look("refunds", stripe_refund, api_version=version))
        if found is None:
            return _withdrawn(asked, MISSING, stripe_refund, None)
        return _refunded(asked, found)

    async def _find_refund(self, asked: WithdrawCall) -> Found | None:
        made = self._api.pages("refunds", asked.api_version, payment_intent=asked.payment_intent)
        return await first_match(made, {"part_id": asked.part_id})


def new_top_up(asked: TopUpCall) -> PaymentIntentCreateParams:
    """Captured at once. Nobody waits at a browser: a card that wants 3-D Secure is declined."""
    return {
        "amount": asked.amount_minor,
        "currency": asked.currency,
        "capture_method": "automatic",
        "allowed_payment_method_types": ["card"],
        "payment_method": asked.payment_method,
        "confirm": True,
        "error_on_requires_action": True,
        "transfer_group": str(asked.command_id),
        "metadata": {"customer_id": asked.customer_id, "command_id": str(asked.command_id)},
    }


def new_withdrawal(asked: WithdrawCall) -> RefundCreateParams:
    """The metadata leads from Stripe's refund to the withdrawal's part."""
    return {
        "payment_intent": asked.payment_intent,
        "amount": asked.amount_minor,
        "metadata": {
            "customer_id": asked.customer_id,
            "command_id": str(asked.command_id),
            "part_id": str(asked.part_id),
        },
    }


def _topped_up(asked: TopUpCall, intent: Found) -> TopUpSeen:
    failed = intent.get("last_payment_error")
    return TopUpSeen(
        command_id=asked.command_id,
        customer_id=asked.customer_id,
        payment_intent=intent["id"],
        status=intent["status"],
        error_code=field(failed, "code"),
        decline_code=field(failed, "decline_code"),
    )


def _refunded(asked: WithdrawCall, refund: Found) -> WithdrawalSeen:
    return _withdrawn(asked, refund["status"] or "pending", refund["id"], field(refund, "failure_reason"))


def _withdrawn(asked: WithdrawCall, status: str, refund: str | None, failure: str | None) -> WithdrawalSeen:
    return WithdrawalSeen(
        command_id=asked.command_id,
        customer_id=asked.customer_id,
        part_id=asked.part_id,
        status=status,
        stripe_refund=refund,
        failure=failure,
    )
