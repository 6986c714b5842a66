"""The end of an escrow: posted once, then the refund and the payout go their own ways."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid5

from booking_contracts.currencies import card_step_minor
from booking_contracts.payments import PaymentSettled, PaymentVoided

from services.payments.handlers import payouts, refunds, wallet_chargebacks
from services.payments.model import ledger
from services.payments.model.ledger import Cause
from services.payments.model.payment import Payment, Status
from services.payments.model.settlement import Settlement, Split, after_loss, split
from services.payments.work import PaymentsWork


def want_all_back(work: PaymentsWork, payment: Payment) -> Payment:
    """A void that finds the money captured: all that is in escrow is to go back to the payer."""
    settlement = Settlement(
        uuid5(payment.booking_id, f"void:{payment.attempt}"),
        payment.booking_id,
        refund_minor=payment.escrow_minor + payment.lost_minor,
        release_minor=0,
        answers_void=True,
    )
    work.put(settlement)
    return work.put(replace(payment, settling=settlement.settlement_id, owes_void=False))


def settle(work: PaymentsWork, payment: Payment, settlement: Settlement) -> None:
    """Post the split. A part that the payer got by a lost chargeback counts as refunded (rules.md, Payment)."""
    terms = payment.agreed
    lost, charged_back = payment.lost_minor, payment.charged_back_minor
    wanted = after_loss(settlement.refund_minor, lost)
    made_up = min(after_loss(settlement.refund_minor, lost - charged_back), charged_back)
    step = card_step_minor(terms.amount.currency)
    parts = split(
        payment.escrow_minor,
        wanted,
        settlement.release_minor,
        terms.commission_bps,
        refund_step=1 if payment.by_wallet else step,
        payout_step=step,
    )
    wallet = terms.customer_id if payment.by_wallet else None
    entries = ledger.settled(payment.booking_id, terms.provider_id, terms.amount.currency, parts, wallet=wallet)
    work.post(Cause.SETTLEMENT.of(settlement.settlement_id), entries)
    if wallet is not None:
        wallet_chargebacks.freeze_rest(work, wallet)
    payment = replace(
        payment,
        settling=None,
        lost_minor=0,
        by_hand_minor=0,
        made_up_minor=payment.made_up_minor + made_up,
        refunded_minor=payment.refunded_minor + parts.refund_minor,
        released_minor=payment.released_minor + parts.release_minor,
        commission_minor=payment.commission_minor + parts.commission_minor,
    )
    if payment.escrow_minor == 0:
        payment = replace(payment, status=Status.SETTLED)
    done = replace(
        settlement,
        via="refund",
        refund_minor=parts.refund_minor + lost,
        release_minor=parts.release_minor,
        commission_minor=parts.commission_minor,
    )
    payment = _answer(work, payment, done)
    _send_on(work, payment, done, parts)


def settle_by_void(work: PaymentsWork, payment: Payment, settlement: Settlement) -> None:
    """Nothing was captured, nothing is reserved any more: the payer keeps their money."""
    _answer(work, replace(payment, settling=None), replace(settlement, via="void", release_minor=0))


def _answer(work: PaymentsWork, payment: Payment, settlement: Settlement) -> Payment:
    work.put(settlement)
    if settlement.answers_void:
        return work.say(payment, PaymentVoided)
    return say_settled(work, payment, settlement)


def say_settled(work: PaymentsWork, payment: Payment, settlement: Settlement) -> Payment:
    """What a settlement did; published again whenever it is asked for again."""
    return work.say(
        payment,
        PaymentSettled,
        settlement_id=settlement.settlement_id,
        via=settlement.via,
        refund=payment.money(settlement.refund_minor),
        release=payment.money(settlement.release_minor),
        commission=payment.money(settlement.commission_minor),
        provider_amount=payment.money(settlement.provider_minor),
    )


def _send_on(work: PaymentsWork, payment: Payment, settlement: Settlement, parts: Split) -> None:
    if parts.refund_minor:
        payment = refunds.pay_back(work, payment, settlement, parts.refund_minor)
    if parts.provider_minor:
        payouts.pay_out(work, payment, settlement, parts.provider_minor)
