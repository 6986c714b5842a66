"""Columns of payments' tables and the two statements that write each: new rows are inserted, others updated.

Never merged: a row that another replica has made meanwhile violates the key, and the batch is loaded again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.payments.model.chargeback import Chargeback
from services.payments.model.dashboard_refund import DashboardRefund
from services.payments.model.payment import Payment
from services.payments.model.payout import Payout
from services.payments.model.refund import Refund
from services.payments.model.settlement import Settlement
from services.payments.model.wallet import Asked, Part, TopUp, Wallet, Withdrawal


@dataclass(frozen=True)
class Table:
    """A table, its columns (the key first) with their types, and how a row's values are read."""

    name: str
    columns: Mapping[str, str]
    values: Callable[[Any], tuple[Any, ...]]
    also: str = ""
    """Further columns that an update sets."""

    @property
    def insert(self) -> str:
        """All rows in one statement."""
        return f"INSERT INTO {self.name} ({', '.join(self.columns)}) SELECT * FROM unnest({self._arrays})"

    @property
    def update(self) -> str:
        """All rows in one statement."""
        key, *rest = self.columns
        changes = ", ".join(f"{column} = c.{column}" for column in rest) + self.also
        given = f"unnest({self._arrays}) AS c ({', '.join(self.columns)})"
        return f"UPDATE {self.name} t SET {changes} FROM {given} WHERE t.{key} = c.{key}"

    @property
    def _arrays(self) -> str:
        return ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(self.columns.values(), 1))


def plain(name: str, columns: Mapping[str, str]) -> Table:
    """A table whose columns are its rows' fields."""
    names = tuple(columns)
    return Table(name, columns, lambda row: tuple(getattr(row, column) for column in names))


OF_PAYMENT = {
    "booking_id": "uuid",
    "payment_id": "uuid",
    "correlation_id": "text",
    "sequence": "bigint",
    "attempt": "int",
    "status": "text",
    "action": "text",
    "payment_intent": "text",
    "charge": "text",
    "calling": "text",
    "voided_through": "int",
    "owes_void": "bool",
    "capture_asked": "bool",
    "settling": "uuid",
    "authorized_minor": "bigint",
    "captured_minor": "bigint",
    "refunded_minor": "bigint",
    "released_minor": "bigint",
    "commission_minor": "bigint",
    "refunds": "int",
    "payouts": "int",
    "disputes": "int",
    "lost_minor": "bigint",
}
OF_TERMS = {
    "method": "text",
    "amount_minor": "bigint",
    "currency": "text",
    "customer_id": "text",
    "provider_id": "uuid",
    "payout_account": "text",
    "commission_bps": "int",
    "decline_code": "text",
    "decline_retryable": "bool",
    "decline_message": "text",
}


def _payment(row: Payment) -> tuple[Any, ...]:
    terms, declined = row.terms, row.decline
    return (
        *(getattr(row, name) for name in OF_PAYMENT),
        terms and terms.method,
        terms and terms.amount.amount,
        terms and terms.amount.currency,
        terms and terms.customer_id,
        terms and terms.provider_id,
        terms and terms.payout_account,
        terms.commission_bps if terms else None,
        declined and declined.code,
        declined.retryable if declined else None,
        declined and declined.customer_message,
    )


PAYMENT = Table("payment", OF_PAYMENT | OF_TERMS, _payment, also=", changed_at = now()")
SETTLEMENT = plain(
    "settlement",
    {
        "settlement_id": "uuid",
        "booking_id": "uuid",
        "refund_minor": "bigint",
        "release_minor": "bigint",
        "answers_void": "bool",
        "via": "text",
        "commission_minor": "bigint",
    },
)
REFUND = plain(
    "refund",
    {
        "refund_id": "uuid",
        "booking_id": "uuid",
        "number": "int",
        "attempt": "int",
        "payment_intent": "text",
        "amount_minor": "bigint",
        "status": "text",
        "stripe_refund": "text",
        "failure": "text",
        "calling": "bool",
        "tries": "int",
        "parked": "bool",
        "paid_outside": "bool",
    },
)
PAYOUT = plain(
    "payout",
    {
        "payout_id": "uuid",
        "booking_id": "uuid",
        "number": "int",
        "attempt": "int",
        "provider_id": "uuid",
        "account": "text",
        "amount_minor": "bigint",
        "currency": "text",
        "source_charge": "text",
        "status": "text",
        "transfer_id": "text",
        "failure": "text",
        "tries": "int",
    },
)
CHARGEBACK = plain(
    "chargeback",
    {
        "dispute_id": "text",
        "booking_id": "uuid",
        "payment_intent": "text",
        "amount_minor": "bigint",
        "currency": "text",
        "outcome": "text",
        "calling": "bool",
        "customer_id": "text",
        "top_up_id": "uuid",
        "frozen_minor": "bigint",
    },
)
DASHBOARD_REFUND = plain(
    "dashboard_refund",
    {
        "stripe_refund": "text",
        "booking_id": "uuid",
        "refund_id": "uuid",
        "customer_id": "text",
        "top_up_id": "uuid",
        "payment_intent": "text",
        "amount_minor": "bigint",
        "currency": "text",
        "lost_minor": "bigint",
        "failed": "bool",
    },
)
WALLET = plain("wallet", {"customer_id": "text", "sequence": "bigint"})
ASKED = plain(
    "wallet_command",
    {
        "command_id": "uuid",
        "customer_id": "text",
        "body_hash": "bytea",
        "correlation_id": "text",
        "reply_to": "text",
        "answered": "bool",
    },
)
TOP_UP = plain(
    "top_up",
    {
        "command_id": "uuid",
        "customer_id": "text",
        "amount_minor": "bigint",
        "currency": "text",
        "made_at": "timestamptz",
        "status": "text",
        "payment_intent": "text",
        "refunded_minor": "bigint",
        "closed": "bool",
    },
)
WITHDRAWAL = plain(
    "withdrawal",
    {
        "command_id": "uuid",
        "customer_id": "text",
        "amount_minor": "bigint",
        "currency": "text",
        "withdrawn_minor": "bigint",
        "parts": "int",
    },
)
PART = plain(
    "withdrawal_part",
    {
        "part_id": "uuid",
        "command_id": "uuid",
        "customer_id": "text",
        "number": "int",
        "top_up_id": "uuid",
        "amount_minor": "bigint",
        "status": "text",
        "stripe_refund": "text",
    },
)
TABLES: dict[type[Any], Table] = {
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
}
"""In the order in which foreign keys want them written. Balances are not here: they follow from the ledger."""
