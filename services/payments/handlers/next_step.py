"""The next step of a payment: what its row wants, once no call to Stripe is open."""

from __future__ import annotations

from dataclasses import replace

from booking_contracts.payments import (
    CaptureFailed,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDeclined,
    PaymentVoided,
)

from services.payments.handlers import wallet_payments
from services.payments.handlers.booking_chargebacks import frozen
from services.payments.handlers.settling import settle, settle_by_void, want_all_back
from services.payments.model import ledger
from services.payments.model.declines import NO_FUNDS, Decline
from services.payments.model.ledger import Cause
from services.payments.model.payment import Operation, Payment, Status
from services.payments.model.settlement import Settlement
from services.payments.stripe_calls import requests
from services.payments.work import PaymentsWork


def advance(work: PaymentsWork, payment: Payment) -> None:
    """Do what is wanted next; a void goes before a settlement, a settlement before a capture."""
    if payment.calling is not None:
        return
    settlement = _waiting(work, payment)
    if payment.live:
        if _unwanted(payment, settlement) and payment.status is not Status.PENDING:
            _give_back(work, payment)
        elif payment.status is Status.AUTHORIZED and (payment.capture_asked or settlement is not None):
            _take(work, payment)
    elif settlement is not None and payment.captured_minor:
        if not frozen(payment):
            settle(work, payment, settlement)
    elif settlement is not None:
        settle_by_void(work, payment, settlement)


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


def _give_back(work: PaymentsWork, payment: Payment) -> None:
    if not payment.by_wallet:
        requests.about_intent(work, payment, Operation.VOID)
        return
    wallet_payments.unlock(work, payment)
    advance(work, gone(work, payment, None))


def _take(work: PaymentsWork, payment: Payment) -> None:
    if payment.by_wallet:
        advance(work, captured(work, payment, payment.agreed.amount.amount))
    else:
        requests.about_intent(work, payment, Operation.CAPTURE)


def reserve_in_wallet(work: PaymentsWork, payment: Payment) -> Payment:
    """Reserved, or declined, at once."""
    if not wallet_payments.lock(work, payment):
        return decline(work, payment, NO_FUNDS)
    return reserved(work, payment, payment.agreed.amount.amount)


def reserved(work: PaymentsWork, payment: Payment, amount_minor: int) -> Payment:
    """Told also when it is unwanted by then: the customer hears that the money goes back."""
    payment = replace(payment, status=Status.AUTHORIZED, action=None, authorized_minor=amount_minor)
    return work.say(payment, PaymentAuthorized, amount=payment.money(amount_minor))


def captured(work: PaymentsWork, payment: Payment, amount_minor: int) -> Payment:
    """The money is in escrow."""
    terms = payment.agreed
    wallet = terms.customer_id if payment.by_wallet else None
    work.post(Cause.CAPTURE, ledger.captured(payment.booking_id, terms.amount.currency, amount_minor, wallet=wallet))
    payment = replace(
        payment,
        status=Status.CAPTURED,
        action=None,
        captured_minor=amount_minor,
        authorized_minor=max(payment.authorized_minor, amount_minor),
    )
    payment = work.say(payment, PaymentCaptured, amount=payment.money(amount_minor))
    if payment.owes_void and payment.settling is None:
        return want_all_back(work, payment)
    return payment


def gone(work: PaymentsWork, payment: Payment, code: str | None) -> Payment:
    """Nothing is reserved any more, by our wish or because the authorisation ended."""
    capture_asked, owes_void = payment.capture_asked, payment.owes_void
    payment = work.put(replace(payment, status=Status.VOIDED, action=None, owes_void=False, capture_asked=False))
    if capture_asked:
        payment = work.say(payment, CaptureFailed, code=code or "authorization_gone")
    if owes_void or (not capture_asked and payment.settling is None):
        payment = work.say(payment, PaymentVoided)
    return payment


def decline(work: PaymentsWork, payment: Payment, declined: Decline) -> Payment:
    """An attempt has failed for good; its PaymentIntent is cancelled."""
    if payment.payment_intent is not None:
        requests.cancel_leftover(work, payment.booking_id, payment.attempt, payment.payment_intent)
    if payment.owes_void:
        payment = replace(payment, status=Status.VOIDED, owes_void=False, decline=declined, action=None)
        return work.say(payment, PaymentVoided)
    return say_declined(work, replace(payment, status=Status.DECLINED, decline=declined, action=None), declined)


def say_declined(work: PaymentsWork, payment: Payment, declined: Decline, attempt: int | None = None) -> Payment:
    """Why an attempt failed; of another attempt than the newest where one is named."""
    return work.say(
        payment,
        PaymentDeclined,
        attempt=attempt or payment.attempt,
        code=declined.code,
        retryable=declined.retryable,
        customer_message=declined.customer_message,
    )
