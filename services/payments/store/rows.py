"""Rows of payments' tables to its model."""

from __future__ import annotations

import asyncpg

from services.chassis.stored import Stored
from services.payments.model.chargeback import Chargeback
from services.payments.model.dashboard_refund import DashboardRefund
from services.payments.model.declines import Decline
from services.payments.model.payment import Payment, Terms
from services.payments.model.payout import Payout, ProviderAccount
from services.payments.model.refund import Refund
from services.payments.model.settlement import Settlement
from services.payments.model.wallet import Asked, Balance, Part, TopUp, Wallet, Withdrawal

Row = asyncpg.Record

_PAYMENT = Stored(Payment, "payment")
_TERMS = Stored(Terms, "payment")
settlement = Stored(Settlement, "settlement").row
refund = Stored(Refund, "refund").row
payout = Stored(Payout, "payout").row
provider_account = Stored(ProviderAccount, "provider_account").row
chargeback = Stored(Chargeback, "chargeback").row
dashboard_refund = Stored(DashboardRefund, "dashboard_refund").row
wallet = Stored(Wallet, "wallet").row
asked = Stored(Asked, "wallet_command").row
top_up = Stored(TopUp, "top_up").row
withdrawal = Stored(Withdrawal, "withdrawal").row
part = Stored(Part, "withdrawal_part").row


def payment(row: Row) -> Payment:
    return _PAYMENT.row({**row, "terms": _terms(row), "decline": _decline(row)})


def _terms(row: Row) -> Terms | None:
    if row["method"] is None:
        return None
    return _TERMS.row({**row, "amount": {"amount": row["amount_minor"], "currency": row["currency"]}})


def _decline(row: Row) -> Decline | None:
    if row["decline_code"] is None:
        return None
    return Decline(row["decline_code"], row["decline_retryable"], row["decline_message"])


def balance(row: Row) -> Balance:
    return Balance(row["account"], row["currency"], row["balance_minor"])
