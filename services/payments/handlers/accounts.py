"""Where providers are paid: the account of today, and released money that waited for one (provider-payouts).

Terms are a snapshot, an account is not: ProviderRegistered tells of a new one, the provider's next booking brings one,
or an operator names it. What waits, and what failed at an account that was replaced, is then paid to it.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from booking_contracts.booking import ProviderRegistered

from services.chassis.messages import Message
from services.payments.local_messages import AccountKnown, PayoutAgain
from services.payments.model.payout import SLICE, Payout, PayoutStatus, ProviderAccount
from services.payments.work import PaymentsWork

THE_REST_AFTER = timedelta(seconds=5)


def provider_registered(message: Message[ProviderRegistered], work: PaymentsWork) -> None:
    """Keep the account; what it moves is found a moment later, when no older event comes after
    (reconciliation/payouts_moved.py)."""
    told = message.body
    known = work.find(ProviderAccount, told.provider_id)
    if known is None or known.account != told.payout_account:
        work.put(ProviderAccount(told.provider_id, told.payout_account))


def account_of_today(work: PaymentsWork, provider_id: UUID, before: str | None) -> str | None:
    """Where a provider is paid; as `before` (the booking's terms, an earlier try) where nothing was told since."""
    known = work.find(ProviderAccount, provider_id)
    return before if known is None else known.account


def account_known(message: Message[AccountKnown], work: PaymentsWork) -> None:
    """Go on with what still waits for an account."""
    pay_what_waited(work, message.body.provider_id, message.body.account)


def pay_what_waited(work: PaymentsWork, provider_id: UUID, named: str | None) -> None:
    """Have the provider's waiting payouts made, a slice at a time, each under its own payment's lock.

    `named` is the account that a message brings; it may have been on its way while the provider took another.
    """
    account = account_of_today(work, provider_id, named)
    if named is None or account is None or not work.first_of(provider_id):
        return
    mine = [payout for payout in work.all(Payout) if payout.provider_id == provider_id]
    waiting = [payout for payout in mine if payout.status is PayoutStatus.NO_ACCOUNT]
    for payout in waiting:
        again = PayoutAgain(
            booking_id=payout.booking_id, payout_id=payout.payout_id, tries=payout.tries, account=account
        )
        work.remind(again, key=str(payout.booking_id), due_at=work.now)
    if len(waiting) >= SLICE:
        rest = AccountKnown(provider_id=provider_id, account=account)
        work.remind(rest, key=str(provider_id), due_at=work.now + THE_REST_AFTER)
