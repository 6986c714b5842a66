"""Between payments' words and Stripe's: parameters of requests, and what an object or a refusal says to us.

Only ids, statuses, amounts and codes are taken over: never a client secret, never card data.
"""

from __future__ import annotations

from typing import Any

import stripe
from stripe.params import PaymentIntentCreateParams, RefundCreateParams

from services.payments.calls import AuthorizeCall, IntentCall, RefundCall
from services.payments.model.payment import Operation
from services.payments.outcomes import IntentSeen, LeftoverCancelled, RefundSeen
from services.payments.stripe_api import Refusal

FAILED = ("failed", "canceled")


def new_intent(asked: AuthorizeCall) -> PaymentIntentCreateParams:
    """Reserve, capture later; a card alone, so that nothing redirects (Place a hold on a payment method)."""
    parameters: PaymentIntentCreateParams = {
        "amount": asked.amount_minor,
        "currency": asked.currency,
        "capture_method": "manual",
        "allowed_payment_method_types": ["card"],
        "transfer_group": str(asked.booking_id),
        "metadata": {
            "booking_id": str(asked.booking_id),
            "payment_id": str(asked.payment_id),
            "attempt": str(asked.attempt),
        },
    }
    if asked.payment_method is not None:
        parameters["payment_method"] = asked.payment_method
        parameters["confirm"] = True
    return parameters


def new_refund(asked: RefundCall) -> RefundCreateParams:
    """Back to the card that paid; the metadata leads from Stripe's refund to ours."""
    return {
        "payment_intent": asked.payment_intent,
        "amount": asked.amount_minor,
        "metadata": {
            "booking_id": str(asked.booking_id),
            "payment_id": str(asked.payment_id),
            "attempt": str(asked.attempt),
            "refund_id": str(asked.refund_id),
        },
    }


def intent_seen(
    asked: AuthorizeCall | IntentCall,
    operation: Operation,
    intent: stripe.PaymentIntent,
    refusal: Refusal | None = None,
) -> IntentSeen:
    """A PaymentIntent as it stands; after a refusal with what was refused."""
    failed = intent.last_payment_error if intent.status == "requires_payment_method" else None
    code, decline_code = (failed.code, getattr(failed, "decline_code", None)) if failed else (None, None)
    if refusal is not None:
        code, decline_code = refusal.code, refusal.decline_code
    return IntentSeen(
        booking_id=asked.booking_id,
        attempt=asked.attempt,
        operation=operation,
        payment_intent=intent.id,
        status=intent.status,
        capturable_minor=intent.amount_capturable or 0,
        received_minor=intent.amount_received or 0,
        error_code=code,
        decline_code=decline_code,
    )


def never_made(asked: AuthorizeCall, refusal: Refusal) -> IntentSeen:
    """Stripe refused to make the PaymentIntent."""
    return IntentSeen(
        booking_id=asked.booking_id,
        attempt=asked.attempt,
        operation=Operation.AUTHORIZE,
        error_code=refusal.code or "refused",
        decline_code=refusal.decline_code,
    )


def leftover(asked: IntentCall, intent: stripe.PaymentIntent) -> LeftoverCancelled:
    """A failed attempt's PaymentIntent, out of the way."""
    return LeftoverCancelled(
        booking_id=asked.booking_id,
        attempt=asked.attempt,
        payment_intent=intent.id,
        status=intent.status,
        received_minor=intent.amount_received or 0,
    )


def refund_seen(asked: RefundCall, refund: stripe.Refund) -> RefundSeen:
    """A refund as it stands."""
    status = refund.status or "pending"
    return RefundSeen(
        booking_id=asked.booking_id,
        refund_id=asked.refund_id,
        status=status,
        stripe_refund=refund.id,
        failure=getattr(refund, "failure_reason", None) if status in FAILED else None,
    )


def refund_refused(asked: RefundCall, refusal: Refusal) -> RefundSeen:
    """Stripe refused to make the refund."""
    return RefundSeen(
        booking_id=asked.booking_id, refund_id=asked.refund_id, status="failed", failure=refusal.code or "refused"
    )


def intent_of(refusal: Refusal) -> stripe.PaymentIntent | None:
    """The PaymentIntent that an error carries."""
    if refusal.intent is None:
        return None
    values: dict[str, Any] = refusal.intent
    return stripe.PaymentIntent.construct_from(values, None)
