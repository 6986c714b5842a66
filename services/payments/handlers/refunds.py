"""Refunds, followed to the end (requirement refund-logic): a failed one is tried again or parked, never forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid5

from booking_contracts.payments import RefundFailed, RefundSucceeded

from services.chassis.messages import Message
from services.payments.handlers.reconciliation import record_missing
from services.payments.local_messages import MISSING, RefundAgain, RefundSeen
from services.payments.model import ledger
from services.payments.model.ledger import Cause
from services.payments.model.payment import Payment
from services.payments.model.refund import FAILED_STATUSES, Refund, RefundStatus
from services.payments.model.settlement import Settlement
from services.payments.stripe_calls import requests
from services.payments.work import PaidOutside, PaymentsWork


def pay_back(work: PaymentsWork, payment: Payment, settlement: Settlement, amount_minor: int) -> Payment:
    """To the method that paid: a card by Stripe, a wallet by the posting alone."""
    payment = work.put(replace(payment, refunds=payment.refunds + 1))
    refund = Refund(
        uuid5(settlement.settlement_id, "refund"),
        payment.booking_id,
        payment.refunds,
        payment.attempt,
        payment.payment_intent,
        amount_minor,
    )
    if not payment.by_wallet:
        requests.about_refund(work, payment, refund)
        return payment
    refund = work.put(replace(refund, status=RefundStatus.SUCCEEDED))
    return work.say(payment, RefundSucceeded, refund_id=refund.shown_id, amount=payment.money(amount_minor))


def refund_seen(message: Message[RefundSeen], work: PaymentsWork) -> None:
    """How a refund stands; `failed` can follow `succeeded`."""
    seen = message.body
    refund, payment = work.find(Refund, seen.refund_id), work.find(Payment, seen.booking_id)
    assert refund is not None, "a refund is written with its call"
    assert payment is not None, "a refund belongs to a payment"
    work.continue_correlation(payment.correlation_id)
    refund = work.put(replace(refund, calling=False, stripe_refund=seen.stripe_refund or refund.stripe_refund))
    if seen.status == MISSING:
        record_missing(work, f"refund {refund.shown_id}", refund.booking_id, refund.payment_intent)
    refund_stands(work, payment, refund, seen.status, seen.failure)


def refund_stands(
    work: PaymentsWork, payment: Payment, refund: Refund, status: str, failure: str | None, *, by_hand: bool = False
) -> None:
    """A refund as Stripe has it; one that was made `by_hand` is never made again without a person."""
    if status == "succeeded" and refund.status is RefundStatus.PENDING:
        refund = work.put(replace(refund, status=RefundStatus.SUCCEEDED))
        work.say(payment, RefundSucceeded, **about(payment, refund))
    elif status in FAILED_STATUSES and refund.status is not RefundStatus.FAILED:
        code = failure or status
        _failed(work, payment, refund, code, wait=None if by_hand else refund.retry_after(code))


def _failed(work: PaymentsWork, payment: Payment, refund: Refund, code: str, *, wait: timedelta | None) -> None:
    """We owe it to the payer again."""
    refund = work.put(replace(refund, status=RefundStatus.FAILED, failure=code, parked=wait is None))
    currency = payment.agreed.amount.currency
    work.post(Cause.REFUND_FAILED, ledger.refund_came_back(refund.booking_id, currency, refund.amount_minor))
    work.say(payment, RefundFailed, code=code, **about(payment, refund))
    if wait is not None:
        again = RefundAgain(booking_id=refund.booking_id, refund_id=refund.refund_id, tries=refund.tries)
        work.remind(again, key=str(refund.booking_id), due_at=work.now + wait)


def about(payment: Payment, refund: Refund) -> dict[str, Any]:
    """What events about a refund say of it."""
    return {
        "attempt": refund.attempt,
        "payment_intent": refund.payment_intent,
        "refund_id": refund.shown_id,
        "amount": payment.money(refund.amount_minor),
    }


def refund_again(message: Message[RefundAgain], work: PaymentsWork) -> None:
    """Try a failed refund once more; the timer does it by itself, an operator for one that is parked."""
    told = message.body
    refund, payment = work.find(Refund, told.refund_id), work.find(Payment, told.booking_id)
    if refund is None or payment is None or refund.status is not RefundStatus.FAILED or refund.calling:
        return
    if refund.tries == told.tries and (told.by_operator or not refund.parked):
        work.continue_correlation(payment.correlation_id)
        try_again(work, payment, refund)


def try_again(work: PaymentsWork, payment: Payment, refund: Refund) -> None:
    """The same refund under the next key."""
    currency = payment.agreed.amount.currency
    work.post(Cause.REFUND_AGAIN, ledger.refund_sent_again(refund.booking_id, currency, refund.amount_minor))
    refund = replace(
        refund, status=RefundStatus.PENDING, tries=refund.tries + 1, parked=False, failure=None, stripe_refund=None
    )
    requests.about_refund(work, payment, refund)


def paid_outside(work: PaymentsWork, payment: Payment, refund: Refund, *, by_whom: str, reference: str) -> None:
    """An operator has paid a failed refund by other means: the payer is not owed it any more, and it has ended."""
    assert refund.status is RefundStatus.FAILED, "what may still reach the card is never paid twice"
    currency = payment.agreed.amount.currency
    paid = ledger.refund_paid_outside(refund.booking_id, currency, refund.amount_minor)
    transaction_id = work.post(Cause.REFUND_PAID_OUTSIDE, paid)
    assert transaction_id is not None, "a refund has an amount"
    work.record(PaidOutside(refund.refund_id, transaction_id, work.now, by_whom, reference))
    refund = work.put(replace(refund, status=RefundStatus.SUCCEEDED, parked=False, paid_outside=True))
    work.say(payment, RefundSucceeded, **about(payment, refund))
