"""Released money whose provider had no payout account: paid out when one is heard of (provider-payouts).

Payments hears of accounts by AuthorizePayment alone: the provider's next booking brings the account, or an operator
names it.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from services.chassis.messages import Message
from services.payments.model.payout import SLICE, Payout, PayoutStatus
from services.payments.outcomes import AccountKnown, PayoutAgain
from services.payments.work import PaymentsWork

THE_REST_AFTER = timedelta(seconds=5)


def account_known(message: Message[AccountKnown], work: PaymentsWork) -> None:
    """Go on with what still waits for the account."""
    pay_what_waited(work, message.body.provider_id, message.body.account)


def pay_what_waited(work: PaymentsWork, provider_id: UUID, account: str | None) -> None:
    """Have the provider's waiting payouts made, a slice at a time, each under its own payment's lock."""
    if account is None or not work.first_of(provider_id):
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
