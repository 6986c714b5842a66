"""Money for dashboards: held and owed now, and what was posted. The truth is the ledger; nothing waits on these.

Released is what was posted to providers for a settlement (account `provider`, cause `settle`): what came back of a
transfer is posted to them, too, and was released before.
"""

from __future__ import annotations

from services.chassis.database import Pool
from services.chassis.gauges import OF_WHOLE_TABLES, keep_sampling
from services.chassis.unit_of_work import Record
from services.payments import metrics
from services.payments.model.ledger import CLEARING, COMMISSION, LOSSES, OUTSIDE, REFUND_LOSSES, LedgerTransaction
from services.payments.work import PaymentsWork

EVERY_SECONDS = 300.0
"""It reads a whole table: seldom, and seldomer where it takes long (docs/decisions/0035)."""
SINGLE = frozenset({CLEARING, COMMISSION, LOSSES, OUTSIDE, REFUND_LOSSES})
"""Accounts that there is one of; the others are one for each booking, wallet, provider or dispute."""

HELD = """
SELECT 'escrow' AS account, currency, sum(balance_minor)::float8 AS minor
FROM ledger_balance WHERE balance_minor > 0 AND account LIKE 'escrow:%' GROUP BY currency
UNION ALL
SELECT 'wallet', currency, sum(balance_minor)
FROM ledger_balance WHERE balance_minor > 0 AND account LIKE 'wallet:%' GROUP BY currency
"""
OWED = """
SELECT 'provider' AS receiver, currency, sum(amount_minor)::float8 AS minor
FROM (SELECT currency, amount_minor FROM payout WHERE status = 'pending'
      UNION ALL
      SELECT currency, amount_minor FROM payout WHERE status IN ('failed', 'parked')
      UNION ALL
      SELECT currency, amount_minor FROM payout WHERE status = 'no_account') waiting  -- an index each
GROUP BY currency
UNION ALL
SELECT 'payer', p.currency, sum(r.amount_minor)
FROM refund r JOIN payment p USING (booking_id) WHERE r.status = 'failed' GROUP BY p.currency
"""


async def run(pool: Pool) -> None:
    """Until cancelled."""
    await keep_sampling("totals", EVERY_SECONDS, lambda: look(pool), most_of_time=OF_WHOLE_TABLES)


async def look(pool: Pool) -> None:
    """Set the gauges once."""
    of_held, of_owed = await pool.fetch(HELD), await pool.fetch(OWED)
    metrics.held.clear()
    metrics.owed.clear()
    for row in of_held:
        metrics.held.labels(row["account"], row["currency"]).set(row["minor"])
    for row in of_owed:
        metrics.owed.labels(row["receiver"], row["currency"]).set(row["minor"])


def count(work: PaymentsWork) -> None:
    """What a batch has posted, after its commit."""
    for effect in work.journal:
        if isinstance(effect, Record) and isinstance(effect.row, LedgerTransaction):
            cause = effect.row.cause.partition(":")[0]
            for entry in effect.row.entries:
                account = entry.account if entry.account in SINGLE else entry.account.partition(":")[0]
                side = "in" if entry.amount_minor > 0 else "out"
                metrics.posted.labels(account, cause, entry.currency, side).inc(abs(entry.amount_minor))
