"""What Stripe answered about a PaymentIntent, and what that makes of the payment."""

from __future__ import annotations

from dataclasses import replace

import structlog
from booking_contracts.payments import CaptureFailed, PaymentActionRequired

from services.chassis.messages import Message
from services.payments.handlers.next_step import advance, captured, decline, gone, reserved
from services.payments.handlers.reconciliation import record_missing, record_news
from services.payments.local_messages import MISSING, IntentSeen, LeftoverCancelled
from services.payments.model import declines
from services.payments.model.payment import Action, Operation, Payment, Status
from services.payments.work import PaymentsWork

log = structlog.get_logger()


def intent_seen(message: Message[IntentSeen], work: PaymentsWork) -> None:
    """A call about the payment has ended: record what the PaymentIntent says, then go on to what waits."""
    seen = message.body
    payment = work.find(Payment, seen.booking_id)
    assert payment is not None, "a call belongs to a payment"
    if payment.attempt != seen.attempt:
        log.warning("a result of an earlier attempt", **seen.model_dump(mode="json"))
        return
    work.continue_correlation(payment.correlation_id)
    payment = work.put(
        replace(
            payment,
            calling=None,
            payment_intent=seen.payment_intent or payment.payment_intent,
            charge=seen.charge or payment.charge,
        )
    )
    if seen.status == MISSING:
        _missing(work, payment, seen)
        return
    before, payment = payment, _record(work, payment, seen)
    if seen.by_reconciler:
        record_news(work, before, payment)
    advance(work, payment)


def _record(work: PaymentsWork, payment: Payment, seen: IntentSeen) -> Payment:
    match seen.status:
        case "succeeded" if payment.captured_minor:
            return payment
        case "succeeded":
            if seen.was_there and payment.status is Status.PENDING:  # booking may have been restored, too
                payment = reserved(work, payment, seen.received_minor)
            return captured(work, payment, seen.received_minor)
        case "canceled":
            return gone(work, payment, seen.error_code) if payment.live else payment
        case "requires_capture":
            return _capturable(work, payment, seen)
        case "requires_action":
            return _action_required(work, payment, "authenticate")
        case "processing":
            return payment  # an event tells how it ends
        case _ if not payment.live:
            return payment
        case _ if seen.error_code is None and seen.status:
            return _action_required(work, payment, "payment_method")
        case _:
            why = declines.decline(seen.error_code, seen.decline_code, of_request=seen.of_request)
            return decline(work, payment, why)


def _missing(work: PaymentsWork, payment: Payment, seen: IntentSeen) -> None:
    """Stripe does not know the PaymentIntent. A void has nothing to give back; everything else waits for a person:
    whoever gave this service the key of another account would end every booking here."""
    if payment.live and (payment.owes_void or seen.operation is Operation.VOID):
        advance(work, gone(work, payment, MISSING))
    else:
        work.put(replace(payment, capture_asked=False))
    record_missing(work, f"{seen.operation} of attempt {seen.attempt}", payment.booking_id, payment.payment_intent)


def _capturable(work: PaymentsWork, payment: Payment, seen: IntentSeen) -> Payment:
    if payment.status in (Status.PENDING, Status.REQUIRES_ACTION):
        return reserved(work, payment, seen.capturable_minor)
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


def leftover_cancelled(message: Message[LeftoverCancelled], work: PaymentsWork) -> None:
    """A PaymentIntent that nobody wanted is out of the way; the reconciler looks after the rare one that was paid."""
    if message.body.received_minor:
        log.error("an unwanted PaymentIntent holds money", **message.body.model_dump(mode="json"))
