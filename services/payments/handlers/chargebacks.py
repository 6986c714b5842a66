"""Chargebacks (requirement chargebacks): posted, the escrow frozen while one is open, and told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from booking_contracts.payments import ChargebackClosed, ChargebackOpened, RefundSucceeded

from services.chassis.messages import Message
from services.payments import asking
from services.payments.handlers import wallet_chargebacks
from services.payments.handlers.moving import advance
from services.payments.handlers.refunds import try_again
from services.payments.handlers.repairs import record_missing
from services.payments.model import ledger
from services.payments.model.chargeback import Chargeback, Outcome, outcome_of
from services.payments.model.payment import Payment
from services.payments.model.refund import DISPUTED, Refund, RefundStatus
from services.payments.outcomes import MISSING, DisputeChanged, DisputeSeen
from services.payments.work import PaymentsWork

A_MOMENT = timedelta(seconds=1)


def dispute_changed(message: Message[DisputeChanged], work: PaymentsWork) -> None:
    """Stripe told of a dispute: look at it, unless it is closed here already."""
    told = message.body
    chargeback = work.find(Chargeback, told.dispute_id) or Chargeback(
        told.dispute_id, told.booking_id, told.payment_intent, told.amount_minor, told.currency.upper()
    )
    if chargeback.closed:
        return
    if chargeback.customer_id is None:
        chargeback = replace(chargeback, customer_id=told.customer_id, top_up_id=told.command_id)
    if chargeback.calling:
        work.remind(told, key=message.key, due_at=work.now + A_MOMENT)
    else:
        work.put(replace(chargeback, calling=True))
        asking.about_dispute(work, chargeback)


def dispute_seen(message: Message[DisputeSeen], work: PaymentsWork) -> None:
    """How a dispute stands. One that was missed while it was open is opened and closed at once."""
    seen = message.body
    chargeback = work.find(Chargeback, seen.dispute_id)
    assert chargeback is not None, "a chargeback is written with its call"
    chargeback = work.put(replace(chargeback, calling=False))
    if seen.status == MISSING:
        what, owner = f"dispute {seen.dispute_id}", chargeback.customer_id
        record_missing(work, what, chargeback.booking_id, chargeback.payment_intent, owner)
        return
    outcome = outcome_of(seen.status)
    if outcome is None or chargeback.closed:
        return
    payment = None if chargeback.booking_id is None else work.find(Payment, chargeback.booking_id)
    if payment is not None:
        work.go_on(payment.correlation_id)
    if chargeback.outcome is Outcome.TOLD:
        chargeback = replace(chargeback, outcome=Outcome.OPEN, amount_minor=seen.amount_minor)
        payment = _open(work, chargeback, payment)
        chargeback = work.find(Chargeback, seen.dispute_id) or chargeback
    if outcome is not Outcome.OPEN:
        _close(work, replace(chargeback, outcome=outcome), payment)


def _open(work: PaymentsWork, chargeback: Chargeback, payment: Payment | None) -> Payment | None:
    work.put(chargeback)
    opened = ledger.chargeback_opened(chargeback.dispute_id, chargeback.currency, chargeback.amount_minor)
    work.post("chargeback", opened)
    if chargeback.customer_id is not None:
        wallet_chargebacks.freeze(work, chargeback, chargeback.customer_id)
    if payment is None:
        return None
    payment = replace(payment, disputes=payment.disputes + 1)
    amount = payment.money(chargeback.amount_minor)
    return work.say(payment, ChargebackOpened, dispute_id=chargeback.dispute_id, amount=amount)


def _close(work: PaymentsWork, chargeback: Chargeback, payment: Payment | None) -> None:
    """Won: settled as asked. Lost: it counts as refunded, and what is left can be released."""
    work.put(chargeback)
    if payment is not None:
        payment = work.put(replace(payment, disputes=payment.disputes - 1))
    if chargeback.outcome is Outcome.WON:
        won = ledger.chargeback_won(chargeback.dispute_id, chargeback.currency, chargeback.amount_minor)
        work.post("chargeback won", won)
        if chargeback.customer_id is not None:
            wallet_chargebacks.thaw(work, chargeback, chargeback.customer_id)
    elif chargeback.customer_id is not None:
        wallet_chargebacks.lose(work, chargeback, chargeback.customer_id)
    else:
        payment = _lose(work, chargeback, payment)
    if payment is None:
        return
    payment = work.say(
        payment,
        ChargebackClosed,
        dispute_id=chargeback.dispute_id,
        amount=payment.money(chargeback.amount_minor),
        outcome=chargeback.outcome,
    )
    if chargeback.outcome is Outcome.WON:
        for refund in _held_up(work, payment):
            try_again(work, payment, refund)
    advance(work, payment)


def _lose(work: PaymentsWork, chargeback: Chargeback, payment: Payment | None) -> Payment | None:
    """From the escrow first, then from a refund that the chargeback held up; the rest is our loss."""
    amount = chargeback.amount_minor
    from_escrow = min(amount, payment.escrow_minor) if payment else 0
    covered = [] if payment is None else _covered(work, payment, amount - from_escrow)
    lost = ledger.chargeback_lost(
        chargeback.dispute_id,
        chargeback.booking_id,
        chargeback.currency,
        amount,
        escrow_minor=from_escrow,
        owed_minor=sum(refund.amount_minor for refund in covered),
    )
    work.post("chargeback lost", lost)
    if payment is None:
        return None
    payment = work.put(
        replace(
            payment,
            refunded_minor=payment.refunded_minor + from_escrow,
            lost_minor=payment.lost_minor + from_escrow,
        )
    )
    for refund in covered:
        refund = work.put(replace(refund, status=RefundStatus.SUCCEEDED, parked=False))
        paid = payment.money(refund.amount_minor)
        payment = work.say(payment, RefundSucceeded, refund_id=refund.shown_id, amount=paid)
    return payment


def _held_up(work: PaymentsWork, payment: Payment) -> list[Refund]:
    """Refunds that Stripe refused because of the chargeback."""
    return [
        refund
        for refund in work.all(Refund)
        if (refund.booking_id, refund.status, refund.failure) == (payment.booking_id, RefundStatus.FAILED, DISPUTED)
    ]


def _covered(work: PaymentsWork, payment: Payment, amount_minor: int) -> list[Refund]:
    """Those of them that the payer has got by the lost chargeback."""
    covered: list[Refund] = []
    for refund in _held_up(work, payment):
        if refund.amount_minor <= amount_minor:
            covered.append(refund)
            amount_minor -= refund.amount_minor
    return covered
