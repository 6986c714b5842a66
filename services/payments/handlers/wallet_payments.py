"""A booking that a wallet pays: to authorise is to lock, to void is to unlock (requirement wallet; rules.md, Payment).

What is captured goes from locked to escrow (`ledger.captured`).
"""

from __future__ import annotations

from services.payments.handlers import wallet_chargebacks
from services.payments.model import ledger
from services.payments.model.ledger import Cause
from services.payments.model.payment import Payment, Terms
from services.payments.work import PaymentsWork


def has(work: PaymentsWork, terms: Terms) -> bool:
    """Whether there is enough."""
    return work.balance(ledger.available(terms.customer_id), terms.amount.currency) >= terms.amount.amount


def lock(work: PaymentsWork, payment: Payment) -> bool:
    """Available → locked; False, and nothing done, where there is too little. Two bookings cannot both have it."""
    owner, amount = payment.agreed.customer_id, payment.agreed.amount
    if not has(work, payment.agreed):
        return False
    reserve = ledger.move(amount.currency, amount.amount, debit=ledger.available(owner), credit=ledger.locked(owner))
    work.post(Cause.LOCK, reserve)
    return True


def unlock(work: PaymentsWork, payment: Payment) -> None:
    """Locked → available; or locked for a dispute of a top-up."""
    owner, amount = payment.agreed.customer_id, payment.agreed.amount
    back = ledger.move(amount.currency, amount.amount, debit=ledger.locked(owner), credit=ledger.available(owner))
    work.post(Cause.UNLOCK, back)
    wallet_chargebacks.freeze_rest(work, owner)
