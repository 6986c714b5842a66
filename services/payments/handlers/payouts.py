"""Payouts to providers (requirement provider-payouts): a failed transfer is tried again, parked, alerted."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid5

from booking_contracts.payments import PayoutFailed, PayoutPaid

from services.chassis.messages import Message
from services.payments.handlers.accounts import account_of_today
from services.payments.local_messages import PayoutAgain, TransferSeen
from services.payments.model import ledger
from services.payments.model.ledger import Cause
from services.payments.model.payment import Payment
from services.payments.model.payout import Payout, PayoutStatus
from services.payments.model.settlement import Settlement
from services.payments.stripe_calls import requests
from services.payments.work import PaymentsWork


def pay_out(work: PaymentsWork, payment: Payment, settlement: Settlement, amount_minor: int) -> None:
    """To the provider's account; without one it waits, with an alert, until there is one (handlers/accounts.py)."""
    payment = work.put(replace(payment, payouts=payment.payouts + 1))
    terms = payment.agreed
    payout = Payout(
        uuid5(settlement.settlement_id, "payout"),
        payment.booking_id,
        payment.payouts,
        payment.attempt,
        terms.provider_id,
        account_of_today(work, terms.provider_id, terms.payout_account),
        amount_minor,
        terms.amount.currency,
        payment.source_charge,
    )
    if payout.account is None:
        work.put(replace(payout, status=PayoutStatus.NO_ACCOUNT, tries=0))
    else:
        requests.transfer(work, payout)


def transfer_seen(message: Message[TransferSeen], work: PaymentsWork) -> None:
    """The transfer was made, or refused."""
    seen = message.body
    payout, payment = work.find(Payout, seen.payout_id), work.find(Payment, seen.booking_id)
    assert payout is not None, "a payout is written with its call"
    assert payment is not None, "a payout belongs to a payment"
    if payout.status is not PayoutStatus.PENDING:
        return  # its result was handled before
    work.continue_correlation(payment.correlation_id)
    if seen.transfer_id is None:
        _failed(work, payment, payout, seen.failure or "refused")
        return
    payout = work.put(replace(payout, status=PayoutStatus.PAID, transfer_id=seen.transfer_id, failure=None))
    earned = ledger.payable(payout.provider_id)
    work.post(Cause.PAYOUT, ledger.move(payout.currency, payout.amount_minor, debit=earned, credit=ledger.CLEARING))
    amount = payment.money(payout.amount_minor)
    work.say(payment, PayoutPaid, attempt=payout.attempt, transfer_id=seen.transfer_id, amount=amount)


def _failed(work: PaymentsWork, payment: Payment, payout: Payout, code: str) -> None:
    """Told when it fails first and when it is parked; the tries between are nobody's business."""
    wait = payout.retry_after
    status = PayoutStatus.PARKED if wait is None else PayoutStatus.FAILED
    payout = work.put(replace(payout, status=status, failure=code))
    if payout.tries == 1 or wait is None:
        amount = payment.money(payout.amount_minor)
        work.say(payment, PayoutFailed, attempt=payout.attempt, amount=amount, code=code)
    if wait is not None:
        again = PayoutAgain(booking_id=payout.booking_id, payout_id=payout.payout_id, tries=payout.tries)
        work.remind(again, key=str(payout.booking_id), due_at=work.now + wait)


def payout_again(message: Message[PayoutAgain], work: PaymentsWork) -> None:
    """Try a failed transfer once more; the timer does it by itself, an operator for one that is parked.

    To the account named, which is what one without an account waits for, else to the provider's of today; where there
    is none any more it waits for one. From the charge that paid by today's reckoning, or, where an operator wants that,
    from the balance.
    """
    told = message.body
    payout, payment = work.find(Payout, told.payout_id), work.find(Payment, told.booking_id)
    if payout is None or payment is None or payout.tries != told.tries or not _may_be_tried(payout, told):
        return
    work.continue_correlation(payment.correlation_id)
    account = told.account or account_of_today(work, payout.provider_id, payout.account)
    if account is None:
        work.put(replace(payout, status=PayoutStatus.NO_ACCOUNT, failure=None, account=None))
        return
    again = replace(
        payout,
        status=PayoutStatus.PENDING,
        tries=payout.tries + 1,
        failure=None,
        account=account,
        source_charge=None if told.from_balance else payment.source_charge,
    )
    requests.transfer(work, again)


def _may_be_tried(payout: Payout, told: PayoutAgain) -> bool:
    match payout.status:
        case PayoutStatus.FAILED:
            return True
        case PayoutStatus.PARKED:
            return told.by_operator or told.account not in (None, payout.account)
        case PayoutStatus.NO_ACCOUNT:
            return told.account is not None
        case _:
            return False
