"""Rows of payments' tables to its model."""

from __future__ import annotations

import asyncpg
from booking_contracts.types import Money

from services.payments.model.declines import Decline
from services.payments.model.payment import Operation, Payment, Status, Terms
from services.payments.model.refund import Refund, RefundStatus
from services.payments.model.settlement import Settlement

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
