"""What Stripe answered to our calls, and what that makes of a payment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import structlog
from booking_contracts.payments import (
    CaptureFailed,
    PaymentActionRequired,
    PaymentAuthorized,
    PaymentVoided,
    RefundFailed,
    RefundSucceeded,
)

from services.chassis.messages import Message
from services.payments.handlers.moving import advance, captured, decline
from services.payments.model import declines, ledger
from services.payments.model.payment import Action, Operation, Payment, Status
from services.payments.model.refund import Refund, RefundStatus
from services.payments.outcomes import IntentSeen, LeftoverCancelled, RefundSeen
from services.payments.work import PaymentsWork

log = structlog.get_logger()


def intent_seen(message: Message[IntentSeen], work: PaymentsWork) -> None:
    """A call about the payment has ended: record what the PaymentIntent says, then go on to what waits."""
    seen = message.body
    payment = work.find(Payment, seen.booking_id)
    assert payment is not None, "a call belongs to a payment"
    assert payment.attempt == seen.attempt, "one call is open, of the newest attempt"
    work.go_on(payment.correlation_id)
    payment = work.put(replace(payment, calling=None, payment_intent=seen.payment_intent or payment.payment_intent))
    advance(work, _record(work, payment, seen))


def _record(work: PaymentsWork, payment: Payment, seen: IntentSeen) -> Payment:
    match seen.status:
        case "succeeded":
            return payment if payment.captured_minor else captured(work, payment, seen.received_minor)
        case "canceled":
            return _cancelled(work, payment, seen) if payment.live else payment
        case "requires_capture":
            return _reserved(work, payment, seen)
        case "requires_action":
            return _action_required(work, payment, "authenticate")
        case "processing":
            return payment  # an event tells how it ends
        case _ if not payment.live:
            return payment
        case _ if seen.error_code is None and seen.status:
            return _action_required(work, payment, "payment_method")
        case _:
            return decline(work, payment, declines.decline(seen.error_code, seen.decline_code))


def _reserved(work: PaymentsWork, payment: Payment, seen: IntentSeen) -> Payment:
    """Told also when it is unwanted by then: the customer hears that the money goes back."""
    if payment.status in (Status.PENDING, Status.REQUIRES_ACTION):
        payment = replace(payment, status=Status.AUTHORIZED, action=None, authorized_minor=seen.capturable_minor)
        return work.say(payment, PaymentAuthorized, amount=payment.money(seen.capturable_minor))
    if seen.operation is Operation.CAPTURE and payment.status is Status.AUTHORIZED:
        payment = replace(payment, capture_asked=False, owes_void=True)
        return work.say(payment, CaptureFailed, code=seen.error_code or "refused")
    return payment


def _action_required(work: PaymentsWork, payment: Payment, kind: Action) -> Payment:
    """The client secret is read over HTTP; it is in no message (requirement requires-action)."""
    if payment.owes_void or not payment.live:
        return work.put(replace(payment, status=Status.REQUIRES_ACTION, action=kind)) if payment.live else payment
    if payment.status is Status.REQUIRES_ACTION and payment.action == kind:
        return payment
    payment = replace(payment, status=Status.REQUIRES_ACTION, action=kind)
    return work.say(payment, PaymentActionRequired, kind=kind)


def _cancelled(work: PaymentsWork, payment: Payment, seen: IntentSeen) -> Payment:
    """Nothing is reserved any more, by our wish or because the authorisation ended."""
    capture_asked, owes_void = payment.capture_asked, payment.owes_void
    payment = work.put(replace(payment, status=Status.VOIDED, action=None, owes_void=False, capture_asked=False))
    if capture_asked:
        payment = work.say(payment, CaptureFailed, code=seen.error_code or "authorization_gone")
    if owes_void or (not capture_asked and payment.settling is None):
        payment = work.say(payment, PaymentVoided)
    return payment


def leftover_cancelled(message: Message[LeftoverCancelled], work: PaymentsWork) -> None:
    """The failed attempt's PaymentIntent cannot be paid any more; the reconciler looks at the rare other case."""
    if message.body.received_minor:
        log.error("a failed attempt holds money", **message.body.model_dump(mode="json"))


def refund_seen(message: Message[RefundSeen], work: PaymentsWork) -> None:
    """How a refund stands (requirement refund-logic: tracked to the end; `failed` can follow `succeeded`)."""
    seen = message.body
    refund, payment = work.find(Refund, seen.refund_id), work.find(Payment, seen.booking_id)
    assert refund is not None, "a refund is written with its call"
    assert payment is not None, "a refund belongs to a payment"
    work.go_on(payment.correlation_id)
    before = refund.status
    refund = work.put(replace(refund, calling=False, stripe_refund=seen.stripe_refund or refund.stripe_refund))
    about: dict[str, Any] = {"attempt": refund.attempt, "amount": payment.money(refund.amount_minor)}
    if seen.status == "succeeded" and before is RefundStatus.PENDING:
        work.put(replace(refund, status=RefundStatus.SUCCEEDED))
        work.say(payment, RefundSucceeded, refund_id=refund.shown_id, **about)
    elif seen.status in ("failed", "canceled") and before is not RefundStatus.FAILED:
        code = seen.failure or seen.status
        refund = work.put(replace(refund, status=RefundStatus.FAILED, failure=code))
        currency = payment.agreed.amount.currency
        work.post("refund failed", ledger.refund_came_back(refund.booking_id, currency, refund.amount_minor))
        work.say(payment, RefundFailed, refund_id=refund.shown_id, code=code, **about)
