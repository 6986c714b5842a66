"""The next step of a payment: what its row wants, once no call to Stripe is open."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid5

from booking_contracts.payments import PaymentCaptured, PaymentDeclined, PaymentSettled, PaymentVoided

from services.payments.model import ledger
from services.payments.model.declines import Decline
from services.payments.model.payment import Operation, Payment, Status
from services.payments.model.refund import Refund
from services.payments.model.settlement import Settlement, split
from services.payments.work import PaymentsWork


def advance(work: PaymentsWork, payment: Payment) -> None:
    """Do what is wanted next; a void goes before a settlement, a settlement before a capture."""
    if payment.calling is not None:
        return
    settlement = _waiting(work, payment)
    if payment.live:
        if _unwanted(payment, settlement) and payment.status is not Status.PENDING:
            work.ask(payment, Operation.VOID)
        elif payment.status is Status.AUTHORIZED and (payment.capture_asked or settlement is not None):
            work.ask(payment, Operation.CAPTURE)
    elif settlement is not None:
        if payment.captured_minor:
            _settle(work, payment, settlement)
        else:
            _settle_by_void(work, payment, settlement)


def _waiting(work: PaymentsWork, payment: Payment) -> Settlement | None:
    if payment.settling is None:
        return None
    settlement = work.find(Settlement, payment.settling)
    assert settlement is not None, "a payment is loaded with the settlement that waits"
    return settlement


def _unwanted(payment: Payment, settlement: Settlement | None) -> bool:
    """What is reserved has to go back; before anything is reserved a settlement can only end in that too."""
    if payment.owes_void:
        return True
    return settlement is not None and (settlement.release_minor == 0 or payment.status is Status.REQUIRES_ACTION)


def captured(work: PaymentsWork, payment: Payment, amount_minor: int) -> Payment:
    """The money is in escrow."""
    payment = replace(payment, status=Status.CAPTURED, captured_minor=amount_minor, action=None)
    payment = replace(payment, authorized_minor=max(payment.authorized_minor, amount_minor))
    work.post("capture", ledger.captured(payment.booking_id, payment.agreed.amount.currency, amount_minor))
    payment = work.say(payment, PaymentCaptured, amount=payment.money(amount_minor))
    if payment.owes_void and payment.settling is None:
        return settle_what_is_left(work, payment)
    return payment


def decline(work: PaymentsWork, payment: Payment, declined: Decline) -> Payment:
    """An attempt has failed for good; its PaymentIntent is taken out of the way."""
    if payment.payment_intent is not None:
        work.cancel_leftover(payment)
    if payment.owes_void:
        payment = replace(payment, status=Status.VOIDED, owes_void=False, decline=declined, action=None)
        return work.say(payment, PaymentVoided)
    payment = replace(payment, status=Status.DECLINED, decline=declined, action=None)
    return work.say(
        payment,
        PaymentDeclined,
        code=declined.code,
        retryable=declined.retryable,
        customer_message=declined.customer_message,
    )


def settle_what_is_left(work: PaymentsWork, payment: Payment) -> Payment:
    """A void that finds the money captured: all that is in escrow goes back to the payer."""
    settlement = Settlement(
        uuid5(payment.booking_id, f"void:{payment.attempt}"),
        payment.booking_id,
        refund_minor=payment.escrow_minor,
        release_minor=0,
        answers_void=True,
    )
    work.put(settlement)
    payment = work.put(replace(payment, settling=settlement.settlement_id, owes_void=False))
    advance(work, payment)
    found = work.find(Payment, payment.booking_id)
    assert found is not None
    return found


def _settle(work: PaymentsWork, payment: Payment, settlement: Settlement) -> None:
    """Post the split; the refund itself is on its way from then on."""
    terms = payment.agreed
    parts = split(payment.escrow_minor, settlement.refund_minor, settlement.release_minor, terms.commission_bps)
    entries = ledger.settled(payment.booking_id, terms.provider_id, terms.amount.currency, parts)
    work.post(f"settle:{settlement.settlement_id}", entries)
    payment = replace(
        payment,
        settling=None,
        refunded_minor=payment.refunded_minor + parts.refund_minor,
        released_minor=payment.released_minor + parts.release_minor,
        commission_minor=payment.commission_minor + parts.commission_minor,
    )
    if payment.escrow_minor == 0:
        payment = replace(payment, status=Status.SETTLED)
    settlement = replace(
        settlement,
        via="refund",
        refund_minor=parts.refund_minor,
        release_minor=parts.release_minor,
        commission_minor=parts.commission_minor,
    )
    _close(work, payment, settlement)


def _settle_by_void(work: PaymentsWork, payment: Payment, settlement: Settlement) -> None:
    """Nothing was captured, nothing is reserved any more: the payer keeps their money."""
    _close(work, replace(payment, settling=None), replace(settlement, via="void", release_minor=0))


def _close(work: PaymentsWork, payment: Payment, settlement: Settlement) -> None:
    work.put(settlement)
    payment = work.say(payment, PaymentVoided) if settlement.answers_void else say_settled(work, payment, settlement)
    if settlement.via == "refund" and settlement.refund_minor:
        _refund(work, payment, settlement)


def _refund(work: PaymentsWork, payment: Payment, settlement: Settlement) -> None:
    payment = work.put(replace(payment, refunds=payment.refunds + 1))
    assert payment.payment_intent is not None, "what was captured has a PaymentIntent"
    refund = Refund(
        uuid5(settlement.settlement_id, "refund"),
        payment.booking_id,
        payment.refunds,
        payment.attempt,
        payment.payment_intent,
        settlement.refund_minor,
    )
    work.call_about_refund(payment, refund, "refund")


def say_settled(work: PaymentsWork, payment: Payment, settlement: Settlement) -> Payment:
    """What a settlement did; said again whenever it is asked again."""
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
