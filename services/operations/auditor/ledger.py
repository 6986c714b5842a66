"""The ledger: each posting sums to zero, and what accounts hold is what was posted and what payments' rows say.

Commission, refunds owed and the clearing account payments compares by itself (services/payments/comparison).
"""

from __future__ import annotations

from services.operations.auditor.check import Walk
from services.operations.auditor.databases import Databases
from services.operations.auditor.findings import Finding, Kind
from services.operations.auditor.scope import Scope

POSTINGS = """
SELECT t.transaction_id, t.cause, e.currency, coalesce(e.amount, 0) AS amount
FROM ledger_transaction t
LEFT JOIN (SELECT transaction_id, currency, sum(amount_minor) AS amount FROM ledger_entry
           WHERE {entries} GROUP BY transaction_id, currency) e USING (transaction_id)
WHERE {postings} AND (e.transaction_id IS NULL OR e.amount <> 0)
ORDER BY e.currency
"""
ESCROWS = """
SELECT p.booking_id, p.payment_id, p.currency, p.captured_minor - p.refunded_minor - p.released_minor AS of_row,
       coalesce(b.balance_minor, 0) AS balance, coalesce(e.amount, 0) AS posted
FROM payment p
LEFT JOIN ledger_balance b ON b.account = 'escrow:' || p.booking_id AND b.currency = p.currency
LEFT JOIN LATERAL (SELECT sum(amount_minor) AS amount FROM ledger_entry
                   WHERE account = 'escrow:' || p.booking_id AND currency = p.currency) e ON true
WHERE {payments} AND p.method IS NOT NULL
  AND (p.captured_minor - p.refunded_minor - p.released_minor <> coalesce(b.balance_minor, 0)
       OR coalesce(b.balance_minor, 0) <> coalesce(e.amount, 0))
"""
WALLETS = """
SELECT w.customer_id, a.account, b.currency, b.balance_minor AS balance, coalesce(e.amount, 0) AS posted
FROM wallet w
CROSS JOIN LATERAL (VALUES ('wallet:' || w.customer_id || ':available'), ('wallet:' || w.customer_id || ':locked'))
    AS a (account)
JOIN ledger_balance b ON b.account = a.account
LEFT JOIN LATERAL (SELECT sum(amount_minor) AS amount FROM ledger_entry
                   WHERE account = a.account AND currency = b.currency) e ON true
WHERE {wallets} AND (b.balance_minor <> coalesce(e.amount, 0) OR b.balance_minor < 0)
"""


async def postings(databases: Databases, scope: Scope) -> list[Finding]:
    """Postings that do not sum to zero in each currency, or have no entries."""
    return [
        Finding(
            Kind.POSTING,
            f"{row['transaction_id']} {row['currency'] or ''}".strip(),
            f"{row['cause']} is off by {row['amount']} {row['currency']}"
            if row["currency"]
            else f"{row['cause']} has no entries",
            {"transaction_id": str(row["transaction_id"])},
        )
        for row in await databases.within(
            "payments", scope, POSTINGS, entries="transaction_id", postings="t.transaction_id"
        )
    ]


async def escrows(databases: Databases, scope: Scope) -> list[Finding]:
    """Bookings whose escrow is not the same by the payment's row, the account's balance and its entries."""
    return [
        Finding(
            Kind.ESCROW,
            str(row["booking_id"]),
            f"in escrow {row['of_row']} {row['currency']} by its row, {row['balance']} by its balance, "
            f"{row['posted']} by its entries",
            {"booking_id": str(row["booking_id"]), "account": f"escrow:{row['booking_id']}"},
            row["booking_id"],
            row["payment_id"],
        )
        for row in await databases.within("payments", scope, ESCROWS, payments="p.booking_id")
    ]


async def wallets(databases: Databases, scope: Scope) -> list[Finding]:
    """Wallets whose balances are not the sum of their entries."""
    return [
        Finding(
            Kind.WALLET,
            f"{row['account']} {row['currency']}",
            f"holds {row['balance']} {row['currency']}, and {row['posted']} were posted",
            {"customer_id": row["customer_id"], "account": row["account"]},
        )
        for row in await databases.within("payments", scope, WALLETS, wallets="w.customer_id")
    ]


CHECKS = (
    Walk("postings", frozenset({Kind.POSTING}), "payments", "ledger_transaction", "transaction_id", postings),
    Walk("escrows", frozenset({Kind.ESCROW}), "payments", "payment", "booking_id", escrows),
    Walk("wallets", frozenset({Kind.WALLET}), "payments", "wallet", "customer_id", wallets, text=True),
)
