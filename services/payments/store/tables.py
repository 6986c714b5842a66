"""Columns of payments' tables, from which what reads them and what writes them follows (chassis/tables.py).

New rows are inserted, others updated, never merged: a row that another replica has made meanwhile violates the key, and
the batch is loaded again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, NamedTuple

from services.chassis.tables import Read, Table, Write
from services.payments.model.chargeback import Chargeback
from services.payments.model.dashboard_refund import DashboardRefund
from services.payments.model.ledger import Entry, LedgerTransaction
from services.payments.model.payment import Payment
from services.payments.model.payout import Payout, ProviderAccount
from services.payments.model.refund import Refund
from services.payments.model.settlement import Settlement
from services.payments.model.wallet import Asked, Part, TopUp, Wallet, Withdrawal
from services.payments.work import PaidOutside, Receipt, Reconciliation


class Kept(NamedTuple):
    """How the rows of a kind are read and written."""

    table: Table[Any]
    insert: Write[Any]
    update: Write[Any]


def kept(name: str, columns: str, read: Mapping[str, str | Read[Any]] | None = None, also: str = "") -> Kept:
    """A table all of whose columns may change; an update sets `also` besides."""
    table = Table[Any](name, columns, read)
    return Kept(table, table.insert(), table.update(also=also))


def _of(part: str, path: str) -> Callable[[Payment], object]:
    """What is there where a payment has this part."""
    found, value = attrgetter(part), attrgetter(f"{part}.{path}")
    return lambda payment: value(payment) if found(payment) is not None else None


PAYMENT = kept(
    "payment",
    "booking_id uuid, payment_id uuid, correlation_id text, sequence bigint, attempt int, status text, action text, "
    "payment_intent text, charge text, calling text, voided_through int, owes_void bool, capture_asked bool, "
    "settling uuid, authorized_minor bigint, captured_minor bigint, refunded_minor bigint, released_minor bigint, "
    "commission_minor bigint, refunds int, payouts int, disputes int, lost_minor bigint, by_hand_minor bigint, "
    "made_up_minor bigint, method text, amount_minor bigint, currency text, customer_id text, provider_id uuid, "
    "payout_account text, commission_bps int, decline_code text, decline_retryable bool, decline_message text",
    {
        "method": _of("terms", "method"),
        "amount_minor": _of("terms", "amount.amount"),
        "currency": _of("terms", "amount.currency"),
        "customer_id": _of("terms", "customer_id"),
        "provider_id": _of("terms", "provider_id"),
        "payout_account": _of("terms", "payout_account"),
        "commission_bps": _of("terms", "commission_bps"),
        "decline_code": _of("decline", "code"),
        "decline_retryable": _of("decline", "retryable"),
        "decline_message": _of("decline", "customer_message"),
    },
    also="changed_at = now()",
)
SETTLEMENT = kept(
    "settlement",
    "settlement_id uuid, booking_id uuid, refund_minor bigint, release_minor bigint, answers_void bool, via text, "
    "commission_minor bigint",
)
REFUND = kept(
    "refund",
    "refund_id uuid, booking_id uuid, number int, attempt int, payment_intent text, amount_minor bigint, "
    "status text, stripe_refund text, failure text, calling bool, tries int, parked bool, paid_outside bool",
)
PAYOUT = kept(
    "payout",
    "payout_id uuid, booking_id uuid, number int, attempt int, provider_id uuid, account text, amount_minor bigint, "
    "currency text, source_charge text, status text, transfer_id text, failure text, tries int, "
    "reversed_minor bigint",
)
PROVIDER_ACCOUNT = kept("provider_account", "provider_id uuid, account text", also="changed_at = now()")
CHARGEBACK = kept(
    "chargeback",
    "dispute_id text, booking_id uuid, payment_intent text, amount_minor bigint, currency text, outcome text, "
    "calling bool, customer_id text, top_up_id uuid, frozen_minor bigint, covered_minor bigint, owed_minor bigint",
)
DASHBOARD_REFUND = kept(
    "dashboard_refund",
    "stripe_refund text, booking_id uuid, refund_id uuid, customer_id text, top_up_id uuid, payment_intent text, "
    "amount_minor bigint, currency text, lost_minor bigint, failed bool",
)
WALLET = kept(
    "wallet",
    "customer_id text, sequence bigint",
)
ASKED = kept(
    "wallet_command",
    "command_id uuid, customer_id text, body_hash bytea, correlation_id text, reply_to text, answered bool",
)
TOP_UP = kept(
    "top_up",
    "command_id uuid, customer_id text, amount_minor bigint, currency text, made_at timestamptz, status text, "
    "payment_intent text, refunded_minor bigint, closed bool",
)
WITHDRAWAL = kept(
    "withdrawal",
    "command_id uuid, customer_id text, amount_minor bigint, currency text, withdrawn_minor bigint, parts int",
)
PART = kept(
    "withdrawal_part",
    "part_id uuid, command_id uuid, customer_id text, number int, top_up_id uuid, amount_minor bigint, status text, "
    "stripe_refund text",
)
TABLES: dict[type[Any], Kept] = {
    Payment: PAYMENT,
    Settlement: SETTLEMENT,
    Refund: REFUND,
    Payout: PAYOUT,
    Chargeback: CHARGEBACK,
    Wallet: WALLET,
    Asked: ASKED,
    TopUp: TOP_UP,
    Withdrawal: WITHDRAWAL,
    Part: PART,
    DashboardRefund: DASHBOARD_REFUND,
    ProviderAccount: PROVIDER_ACCOUNT,
}
"""In the order in which foreign keys want them written. Balances are not here: they follow from the ledger."""


BALANCE = Table[Any]("ledger_balance", "account text, currency text, balance_minor bigint")
"""Read only: the ledger's trigger writes it."""


class Posting(NamedTuple):
    """One side of a ledger transaction."""

    transaction: LedgerTransaction
    entry: Entry


APPEND_TRANSACTIONS = Table[LedgerTransaction](
    "ledger_transaction", "transaction_id uuid, cause text, at timestamptz, causation_id uuid"
).insert()
APPEND_ENTRIES = Table[Posting](
    "ledger_entry",
    "transaction_id uuid, account text, amount_minor bigint, currency text",
    {
        "transaction_id": "transaction.transaction_id",
        "account": "entry.account",
        "amount_minor": "entry.amount_minor",
        "currency": "entry.currency",
    },
).insert(ordered=True)
APPEND_RECEIPTS = Table[Receipt](
    "command_receipt", "command_id uuid, body_hash bytea, reply_type text, reply text"
).insert()
APPEND_RECONCILIATIONS = Table[Reconciliation](
    "reconciliation",
    "at timestamptz, booking_id uuid, payment_intent text, finding text, repair text, customer_id text",
).insert(unless_there=True)
"""A report that is open already is not opened again."""
APPEND_PAID_OUTSIDE = Table[PaidOutside](
    "refund_paid_outside", "refund_id uuid, transaction_id uuid, at timestamptz, by_whom text, reference text"
).insert()
