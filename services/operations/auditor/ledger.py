"""The ledger: each posting sums to zero, and what accounts hold is what was posted and what payments' rows say.

Commission, refunds owed and the clearing account payments compares by itself (services/payments/comparison).
"""

from __future__ import annotations

from services.operations.amounts import money
from services.operations.auditor.check_types import Walk
from services.operations.auditor.databases import Databases
from services.operations.auditor.findings import Finding, Kind
from services.operations.auditor.scope import Scope

POSTINGS = """
SELECT o.transaction_id, o.currency, o.amount,
       (SELECT cause FROM ledger_transaction t WHERE t.transaction_id = o.transaction_id) AS cause
FROM (SELECT transaction_id, currency, sum(amount_minor) AS amount FROM ledger_entry WHERE {entries}
      GROUP BY transaction_id, currency HAVING sum(amount_minor) <> 0
      UNION ALL
      SELECT transaction_id, NULL, 0 FROM (
          SELECT transaction_id FROM ledger_transaction WHERE {postings}
          EXCEPT SELECT transaction_id FROM ledger_entry WHERE {entries}) without) o
"""
ESCROWS = """
SELECT booking_id, payment_id, currency, of_row, balance, posted
FROM (SELECT booking_id, payment_id, currency, captured_minor - refunded_minor - released_minor AS of_row,
             coalesce((SELECT balance_minor FROM ledger_balance b
                       WHERE b.account = 'escrow:' || booking_id AND b.currency = p.currency), 0) AS balance,
             coalesce((SELECT sum(amount_minor) FROM ledger_entry e
                       WHERE e.account = 'escrow:' || booking_id AND e.currency = p.currency), 0) AS posted
      FROM payment p WHERE {payments} AND method IS NOT NULL) said
WHERE of_row <> balance OR balance <> posted
"""
WALLETS = """
SELECT customer_id, account, currency, balance, posted
FROM (SELECT customer_id, b.account, b.currency, balance_minor AS balance,
             coalesce((SELECT sum(amount_minor) FROM ledger_entry e
                       WHERE e.account = b.account AND e.currency = b.currency), 0) AS posted
      FROM (SELECT customer_id, unnest(ARRAY['wallet:' || customer_id || ':available',
                                             'wallet:' || customer_id || ':locked']) AS account
            FROM wallet WHERE {wallets}) w
      CROSS JOIN LATERAL (SELECT account, currency, balance_minor FROM ledger_balance b
                          WHERE b.account = w.account OFFSET 0) b) said
WHERE balance <> posted OR balance < 0
"""


async def postings(databases: Databases, scope: Scope) -> list[Finding]:
    """Postings that do not sum to zero in each currency, or have no entries."""
    return [
        Finding(
            Kind.POSTING,
            f"{row['transaction_id']} {row['currency'] or ''}".strip(),
            f"{row['cause']} is off by {money(row['amount'], row['currency'])}"
            if row["currency"]
            else f"{row['cause']} has no entries",
            {"transaction_id": str(row["transaction_id"])},
        )
        for row in await databases.within(
            "payments", scope, POSTINGS, entries="transaction_id", postings="transaction_id"
        )
    ]


async def escrows(databases: Databases, scope: Scope) -> list[Finding]:
    """Bookings whose escrow is not the same by the payment's row, the account's balance and its entries."""
    return [
        Finding(
            Kind.ESCROW,
            str(row["booking_id"]),
            f"in escrow {money(row['of_row'], row['currency'])} by its row, "
            f"{money(row['balance'], row['currency'])} by its balance, "
            f"{money(row['posted'], row['currency'])} by its entries",
            {"booking_id": str(row["booking_id"]), "account": f"escrow:{row['booking_id']}"},
            row["booking_id"],
            row["payment_id"],
        )
        for row in await databases.within("payments", scope, ESCROWS, payments="booking_id")
    ]


async def wallets(databases: Databases, scope: Scope) -> list[Finding]:
    """Wallets whose balances are not the sum of their entries."""
    return [
        Finding(
            Kind.WALLET,
            f"{row['account']} {row['currency']}",
            f"holds {money(row['balance'], row['currency'])}, and {money(row['posted'], row['currency'])} were posted",
            {"customer_id": row["customer_id"], "account": row["account"]},
        )
        for row in await databases.within("payments", scope, WALLETS, wallets="customer_id")
    ]


CHECKS = (
    Walk("postings", frozenset({Kind.POSTING}), "payments", "ledger_transaction", "transaction_id", postings),
    Walk("escrows", frozenset({Kind.ESCROW}), "payments", "payment", "booking_id", escrows),
    Walk("wallets", frozenset({Kind.WALLET}), "payments", "wallet", "customer_id", wallets, text=True),
)
