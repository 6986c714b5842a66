"""Payments' read queries."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.chassis.database import Pool
from services.chassis.parameters import PAGE
from services.payments.model.payment import Payment
from services.payments.store import rows
from services.payments.store.tables import PAYMENT, REFUND

ENTRIES = """
    SELECT e.entry_id, e.transaction_id, e.account, e.amount_minor, e.currency, t.cause, t.at
    FROM ledger_entry e JOIN ledger_transaction t USING (transaction_id)
"""
IN_ORDER = "ORDER BY entry_id LIMIT $2"


async def payment(pool: Pool, booking_id: UUID) -> Payment | None:
    """A payment that was asked for, or None."""
    row = await pool.fetchrow(PAYMENT.table.select("WHERE booking_id = $1"), booking_id)
    found = None if row is None else rows.payment(row)
    return None if found is None or found.terms is None else found


async def payment_shown(pool: Pool, booking_id: UUID) -> dict[str, Any] | None:
    """A payment as the contract shows it."""
    found = await payment(pool, booking_id)
    if found is None:
        return None
    refunds = await pool.fetch(REFUND.table.select("WHERE booking_id = $1 ORDER BY number"), booking_id)
    currency = found.agreed.amount.currency

    def money(amount_minor: int) -> dict[str, Any]:
        return {"amount": amount_minor, "currency": currency}

    return {
        "payment_id": found.payment_id,
        "status": found.status,
        "attempt": found.attempt,
        "amount": money(found.agreed.amount.amount),
        "authorized": money(found.authorized_minor),
        "captured": money(found.captured_minor),
        "refunded": money(found.refunded_minor),
        "escrow": money(found.escrow_minor),
        "released": money(found.released_minor),
        "commission": money(found.commission_minor),
        "payment_intent": found.payment_intent,
        "refunds": [
            {"id": refund.shown_id, "amount": money(refund.amount_minor), "status": refund.status}
            for refund in map(rows.refund, refunds)
        ],
    }


async def wallet(pool: Pool, customer_id: str) -> dict[str, Any]:
    """Balances, one per currency."""
    found = await pool.fetch(
        """
        SELECT currency,
               sum(balance_minor) FILTER (WHERE account = $1)::bigint AS available,
               sum(balance_minor) FILTER (WHERE account = $2)::bigint AS locked
        FROM ledger_balance WHERE account IN ($1, $2) GROUP BY currency ORDER BY currency
        """,
        f"wallet:{customer_id}:available",
        f"wallet:{customer_id}:locked",
    )
    return {
        "balances": [
            {
                "available": {"amount": row["available"] or 0, "currency": row["currency"]},
                "locked": {"amount": row["locked"] or 0, "currency": row["currency"]},
            }
            for row in found
        ]
    }


async def ledger(pool: Pool, account: str | None, after: int = 0, limit: int = PAGE) -> list[dict[str, Any]]:
    """A page of entries, oldest first, of one account or of all, and one more where there is one."""
    if account is None:
        found = await pool.fetch(f"{ENTRIES} WHERE entry_id > $1 {IN_ORDER}", after, limit + 1)
    else:
        found = await pool.fetch(
            f"{ENTRIES} WHERE entry_id > $1 AND account = $3 {IN_ORDER}", after, limit + 1, account
        )
    return [
        {
            "entry_id": row["entry_id"],
            "transaction_id": row["transaction_id"],
            "account": row["account"],
            "amount": {"amount": row["amount_minor"], "currency": row["currency"]},
            "cause": row["cause"],
            "at": row["at"],
        }
        for row in found
    ]
