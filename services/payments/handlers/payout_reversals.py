"""Transfers that somebody took back at Stripe: posted, so that ledger and balance agree, and reported.

The provider is owed the money again (`provider:<id>:payable`); whether they are to get it is a person's to say.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from services.chassis.messages import Message
from services.payments.handlers import unclaimed_events
from services.payments.local_messages import TransferReversed
from services.payments.model import ledger
from services.payments.model.ledger import Cause
from services.payments.model.payment import Payment
from services.payments.model.payout import Payout, PayoutStatus
from services.payments.model.reconciliation import Repair
from services.payments.work import PaymentsWork, Reconciliation

log = structlog.get_logger()


def transfer_reversed(message: Message[TransferReversed], work: PaymentsWork) -> None:
    """Stripe tells how much is back in all: events may come twice or in any order, so the most counts."""
    told = message.body
    payout, payment = work.find(Payout, told.payout_id), work.find(Payment, told.booking_id)
    if payout is None or payment is None:
        return
    if payout.status is PayoutStatus.PENDING:
        unclaimed_events.look_again(work, told, message.key)  # a release before told of it by its metadata
        return
    back = told.reversed_minor - payout.reversed_minor
    if payout.transfer_id != told.transfer_id or back <= 0:
        return
    work.continue_correlation(payment.correlation_id)
    work.put(replace(payout, reversed_minor=told.reversed_minor))
    owed = ledger.payable(payout.provider_id)
    posting = ledger.move(payout.currency, back, debit=ledger.CLEARING, credit=owed)
    work.post(Cause.TRANSFER_REVERSED.of(told.transfer_id), posting)
    finding = f"{back} {payout.currency} of {told.transfer_id} was taken back at Stripe"
    about = payment.payment_intent or told.transfer_id
    work.record(Reconciliation(work.now, payment.booking_id, about, finding, Repair.REVERSAL))
    log.error(
        "a transfer was reversed at Stripe",
        reversed_minor=back,
        **told.model_dump(mode="json", exclude={"reversed_minor"}),
    )
