"""Between our words and Stripe's about PaymentIntents: parameters of a new one, and what one says to us.

Only ids, statuses, amounts and codes are taken over from Stripe: never a client secret, never card data.
"""

from __future__ import annotations

from stripe.params import PaymentIntentCreateParams

from services.payments.local_messages import MISSING, IntentSeen, LeftoverCancelled
from services.payments.model import declines
from services.payments.model.payment import Operation
from services.payments.stripe_calls.api import Found, Refusal, field
from services.payments.stripe_calls.parameters import AuthorizeCall, IntentCall


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


def seen(
    asked: AuthorizeCall | IntentCall,
    operation: Operation,
    intent: Found,
    refusal: Refusal | None = None,
) -> IntentSeen:
    """A PaymentIntent as it stands; after a refusal with what was refused."""
    failed = intent.get("last_payment_error") if intent["status"] == "requires_payment_method" else None
    code, decline_code = field(failed, "code"), field(failed, "decline_code")
    if refusal is not None:
        code, decline_code = refusal.code, refusal.decline_code
    return IntentSeen(
        booking_id=asked.booking_id,
        attempt=asked.attempt,
        operation=operation,
        payment_intent=intent["id"],
        charge=field(intent, "latest_charge"),
        status=intent["status"],
        capturable_minor=intent.get("amount_capturable") or 0,
        received_minor=intent.get("amount_received") or 0,
        error_code=code,
        decline_code=decline_code,
        of_request=refusal is not None and refusal.of_request,
        by_reconciler=isinstance(asked, IntentCall) and asked.by_reconciler,
        was_there=isinstance(asked, AuthorizeCall) and (asked.look_first or asked.look_only),
    )


def never_made(asked: AuthorizeCall, refusal: Refusal) -> IntentSeen:
    """Stripe refused to make the PaymentIntent."""
    return IntentSeen(
        booking_id=asked.booking_id,
        attempt=asked.attempt,
        operation=Operation.AUTHORIZE,
        error_code=refusal.code or "refused",
        decline_code=refusal.decline_code,
        of_request=refusal.of_request,
    )


def too_late(asked: AuthorizeCall) -> IntentSeen:
    """There is no PaymentIntent, and the time to make one is over."""
    return IntentSeen(
        booking_id=asked.booking_id,
        attempt=asked.attempt,
        operation=Operation.AUTHORIZE,
        error_code=declines.EXPIRED.code,
    )


def missing(asked: IntentCall, operation: Operation) -> IntentSeen:
    """Stripe does not know the PaymentIntent."""
    return IntentSeen(
        booking_id=asked.booking_id,
        attempt=asked.attempt,
        operation=operation,
        payment_intent=asked.payment_intent,
        status=MISSING,
        by_reconciler=asked.by_reconciler,
    )


def leftover(asked: IntentCall, intent: Found | None) -> LeftoverCancelled:
    """A PaymentIntent that nobody wants, out of the way; also where Stripe knows none."""
    return LeftoverCancelled(
        booking_id=asked.booking_id,
        attempt=asked.attempt,
        payment_intent=asked.payment_intent,
        status=MISSING if intent is None else intent["status"],
        received_minor=0 if intent is None else intent.get("amount_received") or 0,
    )
