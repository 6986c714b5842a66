"""Rows of payments' tables to its model."""

from __future__ import annotations

import asyncpg
from booking_contracts.types import Money

from services.payments.model.chargeback import Chargeback, Outcome
from services.payments.model.dashboard_refund import DashboardRefund
from services.payments.model.declines import Decline
from services.payments.model.payment import Operation, Payment, Status, Terms
from services.payments.model.payout import Payout, PayoutStatus
from services.payments.model.refund import Refund, RefundStatus
from services.payments.model.settlement import Settlement
from services.payments.model.wallet import Asked, Part, PartStatus, TopUp, TopUpStatus, Wallet, Withdrawal

Row = asyncpg.Record


def payment(row: Row) -> Payment:
    return Payment(
        booking_id=row["booking_id"],
        payment_id=row["payment_id"],
        correlation_id=row["correlation_id"],
        sequence=row["sequence"],
        attempt=row["attempt"],
        status=Status(row["status"]),
        action=row["action"],
        terms=_terms(row) if row["method"] else None,
        payment_intent=row["payment_intent"],
        charge=row["charge"],
        calling=Operation(row["calling"]) if row["calling"] else None,
        voided_through=row["voided_through"],
        owes_void=row["owes_void"],
        capture_asked=row["capture_asked"],
        settling=row["settling"],
        authorized_minor=row["authorized_minor"],
        captured_minor=row["captured_minor"],
        refunded_minor=row["refunded_minor"],
        released_minor=row["released_minor"],
        commission_minor=row["commission_minor"],
        refunds=row["refunds"],
        payouts=row["payouts"],
        disputes=row["disputes"],
        lost_minor=row["lost_minor"],
        decline=_decline(row),
    )


def _terms(row: Row) -> Terms:
    return Terms(
        method=row["method"],
        amount=Money(amount=row["amount_minor"], currency=row["currency"]),
        customer_id=row["customer_id"],
        provider_id=row["provider_id"],
        payout_account=row["payout_account"],
        commission_bps=row["commission_bps"],
    )


def _decline(row: Row) -> Decline | None:
    if row["decline_code"] is None:
        return None
    return Decline(row["decline_code"], row["decline_retryable"], row["decline_message"])


def settlement(row: Row) -> Settlement:
    return Settlement(**row)


def refund(row: Row) -> Refund:
    return Refund(**{**row, "status": RefundStatus(row["status"])})


def payout(row: Row) -> Payout:
    return Payout(**{**row, "status": PayoutStatus(row["status"])})


def chargeback(row: Row) -> Chargeback:
    return Chargeback(**{**row, "outcome": Outcome(row["outcome"])})


def dashboard_refund(row: Row) -> DashboardRefund:
    return DashboardRefund(**{name: value for name, value in row.items() if name != "seen_at"})


def wallet(row: Row) -> Wallet:
    return Wallet(**row)


def asked(row: Row) -> Asked:
    return Asked(**row)


def top_up(row: Row) -> TopUp:
    return TopUp(**{**row, "status": TopUpStatus(row["status"])})


def withdrawal(row: Row) -> Withdrawal:
    return Withdrawal(**row)


def part(row: Row) -> Part:
    return Part(**{**row, "status": PartStatus(row["status"])})
