"""Postings: double entry, each transaction sums to zero per currency (requirement ledger).

A positive amount credits an account (we owe it to somebody, or it is ours), a negative one debits it. The clearing
account mirrors Stripe's balance with the sign turned: it is negative by what Stripe holds for us.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.payments.model.dashboard_refund import Cover
from services.payments.model.settlement import Split

CLEARING = "stripe:clearing"
COMMISSION = "commission"
LOSSES = "chargeback:losses"
REFUND_LOSSES = "refund:losses"
"""What refunds made at Stripe by hand took beyond what was the payer's; negative by that."""
OUTSIDE = "paid:outside"
"""What operators have paid to payers from other accounts of ours; Stripe still holds the money for it."""


class Cause(StrEnum):
    """Why money was posted; public in `GET /v1/ledger`, some with the id of what caused it after a colon."""

    LOCK = "lock"
    UNLOCK = "unlock"
    CAPTURE = "capture"
    SETTLEMENT = "settle"
    PAYOUT = "payout"
    TRANSFER_REVERSED = "transfer reversed"
    REFUND_FAILED = "refund failed"
    REFUND_AGAIN = "refund again"
    REFUND_PAID_OUTSIDE = "refund paid outside"
    REFUND_AT_STRIPE = "refund at Stripe"
    REFUND_AT_STRIPE_FAILED = "refund at Stripe failed"
    TOP_UP = "top up"
    WITHDRAWAL = "withdrawal"
    WITHDRAWN = "withdrawn"
    WITHDRAWAL_CAME_BACK = "withdrawal came back"
    CHARGEBACK = "chargeback"
    CHARGEBACK_WON = "chargeback won"
    CHARGEBACK_LOST = "chargeback lost"
    CHARGEBACK_TAKEN_UP = "chargeback taken up"

    def of(self, what: object) -> str:
        """With the id of what caused it."""
        return f"{self}:{what}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a transaction, in minor units."""

    account: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class LedgerTransaction:
    """Entries that belong together; `cause` says in a word what happened."""

    transaction_id: UUID
    cause: str
    at: datetime
    causation_id: UUID | None
    entries: tuple[Entry, ...]


def escrow(booking_id: UUID) -> str:
    """What was captured for a booking and not settled yet."""
    return f"escrow:{booking_id}"


def payable(provider_id: UUID) -> str:
    """What a provider has earned and not been paid out."""
    return f"provider:{provider_id}:payable"


def refund_owed(booking_id: UUID) -> str:
    """Refunds that the bank sent back: we still owe them to the payer."""
    return f"refund:{booking_id}:owed"


def move(currency: str, amount_minor: int, *, debit: str, credit: str) -> tuple[Entry, ...]:
    """The simplest transaction: an amount from one account to another."""
    return entries(currency, {debit: -amount_minor, credit: amount_minor})


def entries(currency: str, amounts: dict[str, int]) -> tuple[Entry, ...]:
    """A transaction's lines; zero amounts are left out. What does not balance is a fault of ours."""
    assert sum(amounts.values()) == 0, f"a transaction that does not balance: {amounts}"
    return tuple(Entry(account, amount, currency) for account, amount in amounts.items() if amount)


def available(customer_id: str) -> str:
    """What a customer can spend."""
    return f"wallet:{customer_id}:available"


def locked(customer_id: str) -> str:
    """What is reserved for a booking, or on its way out."""
    return f"wallet:{customer_id}:locked"


def of_wallet(account: str) -> bool:
    """Whether it is one of a wallet's accounts."""
    return account.startswith("wallet:")


def disputed(dispute_id: str) -> str:
    """What a payer's bank has taken back while nobody knows who is right; negative by that."""
    return f"chargeback:{dispute_id}"


def source(payment_source: str | None) -> str:
    """Where a payment's money comes from and goes back to: a wallet's customer, or Stripe where it is None."""
    return CLEARING if payment_source is None else available(payment_source)


def captured(booking_id: UUID, currency: str, amount_minor: int, *, wallet: str | None = None) -> tuple[Entry, ...]:
    """Into escrow: Stripe has taken the payer's money for us, or the wallet's locked amount is taken."""
    debit = CLEARING if wallet is None else locked(wallet)
    return move(currency, amount_minor, debit=debit, credit=escrow(booking_id))


def settled(
    booking_id: UUID, provider_id: UUID, currency: str, parts: Split, *, wallet: str | None = None
) -> tuple[Entry, ...]:
    """The escrow ends: to the payer, to the provider, and our commission."""
    return entries(
        currency,
        {
            escrow(booking_id): -parts.refund_minor - parts.release_minor,
            source(wallet): parts.refund_minor,
            payable(provider_id): parts.provider_minor,
            COMMISSION: parts.commission_minor,
        },
    )


def refund_came_back(booking_id: UUID, currency: str, amount_minor: int) -> tuple[Entry, ...]:
    """A refund failed: Stripe holds the money again, and we owe it to the payer."""
    return move(currency, amount_minor, debit=CLEARING, credit=refund_owed(booking_id))


def refund_sent_again(booking_id: UUID, currency: str, amount_minor: int) -> tuple[Entry, ...]:
    """A failed refund is tried once more."""
    return move(currency, amount_minor, debit=refund_owed(booking_id), credit=CLEARING)


def refund_paid_outside(booking_id: UUID, currency: str, amount_minor: int) -> tuple[Entry, ...]:
    """A failed refund was paid by other means: the payer has it, and what Stripe holds is owed to that account."""
    return move(currency, amount_minor, debit=refund_owed(booking_id), credit=OUTSIDE)


def refunded_at_stripe(booking_id: UUID, currency: str, taken: Cover) -> tuple[Entry, ...]:
    """Somebody has refunded a booking's payment at Stripe: it holds that much less."""
    return entries(
        currency,
        {
            refund_owed(booking_id): -taken.owed_minor,
            escrow(booking_id): -taken.escrow_minor,
            REFUND_LOSSES: -taken.lost_minor,
            CLEARING: taken.owed_minor + taken.escrow_minor + taken.lost_minor,
        },
    )


def top_up_refunded_at_stripe(owner: str, currency: str, amount_minor: int, taken_minor: int) -> tuple[Entry, ...]:
    """Somebody has refunded a top-up at Stripe, `taken_minor` of it from the wallet; negative where it failed."""
    lost = taken_minor - amount_minor
    return entries(currency, {available(owner): -taken_minor, REFUND_LOSSES: lost, CLEARING: amount_minor})


def chargeback_opened(dispute_id: str, currency: str, amount_minor: int) -> tuple[Entry, ...]:
    """Stripe takes the disputed amount from our balance at once."""
    return move(currency, amount_minor, debit=disputed(dispute_id), credit=CLEARING)


def chargeback_won(dispute_id: str, currency: str, amount_minor: int) -> tuple[Entry, ...]:
    """The disputed amount comes back."""
    return move(currency, amount_minor, debit=CLEARING, credit=disputed(dispute_id))


def chargeback_lost(dispute_id: str, currency: str, amount_minor: int, taken: Mapping[str, int]) -> tuple[Entry, ...]:
    """The payer keeps it: `taken` is what it takes from which account of theirs, the rest is our loss.

    All amounts negative: the loss is undone.
    """
    less = {account: -minor for account, minor in taken.items()}
    loss = sum(taken.values()) - amount_minor
    return entries(currency, {disputed(dispute_id): amount_minor, **less, LOSSES: loss})


def unbalanced(lines: Iterable[Entry]) -> dict[str, int]:
    """Currencies whose lines do not sum to zero; empty for a good ledger."""
    sums: defaultdict[str, int] = defaultdict(int)
    for line in lines:
        sums[line.currency] += line.amount_minor
    return {currency: amount for currency, amount in sums.items() if amount}
