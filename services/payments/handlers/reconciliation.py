"""What the reconciler found: looked at again under the payment's lock, repaired, and recorded."""

from __future__ import annotations

from uuid import UUID

import structlog

from services.chassis.messages import Message
from services.payments.local_messages import Found, LookAgain
from services.payments.model.payment import Operation, Payment
from services.payments.model.reconciliation import Finding, Repair, repair
from services.payments.stripe_calls import requests
from services.payments.work import PaymentsWork, Reconciliation

log = structlog.get_logger()


def found(message: Message[Found], work: PaymentsWork) -> None:
    """Stripe and we disagreed a moment ago; what still differs is repaired by the ordinary means."""
    told = message.body
    payment = work.find(Payment, told.booking_id)
    finding = Finding(told.payment_intent, told.attempt, told.status)
    chosen = repair(payment, finding)
    if chosen is Repair.NOTHING:
        return
    if chosen is Repair.CANCEL:
        requests.cancel_leftover(work, told.booking_id, told.attempt, told.payment_intent)
    elif chosen is Repair.LOOK:
        assert payment is not None, "only a payment of ours is looked at"
        work.continue_correlation(payment.correlation_id)
        requests.about_intent(work, payment, Operation.RETRIEVE)
    work.record(Reconciliation(work.now, told.booking_id, told.payment_intent, told.status, chosen))


def look_again(message: Message[LookAgain], work: PaymentsWork) -> None:
    """Look at the PaymentIntent of a payment that has waited long; recorded when that brings something new."""
    payment = work.find(Payment, message.body.booking_id)
    if payment is not None and payment.live and payment.calling is None and payment.payment_intent is not None:
        work.continue_correlation(payment.correlation_id)
        requests.about_intent(work, payment, Operation.RETRIEVE, by_reconciler=True)


def record_missing(
    work: PaymentsWork, what: str, booking_id: UUID | None, payment_intent: str | None, customer_id: str | None = None
) -> None:
    """Stripe does not know an object of ours: nothing here can repair that, so a person is told."""
    log.error("Stripe does not know an object of ours", what=what, booking_id=booking_id, customer_id=customer_id)
    if payment_intent is not None and (booking_id is not None or customer_id is not None):
        finding = f"{what}: Stripe does not know it"
        work.record(Reconciliation(work.now, booking_id, payment_intent, finding, Repair.MISSING, customer_id))


def record_news(work: PaymentsWork, before: Payment, after: Payment) -> None:
    """What a payment that had waited long turned out to be: an event was lost, and this look has made up for it."""
    if after.status is not before.status and after.payment_intent is not None:
        news = f"{before.status} → {after.status}"
        work.record(Reconciliation(work.now, after.booking_id, after.payment_intent, news, Repair.LOOK))
