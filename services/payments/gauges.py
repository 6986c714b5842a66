"""Gauges of what waits for somebody: failed refunds and payouts, open chargebacks, payments that linger.

Beside them the purge of Stripe's events: Stripe lists them for 30 days, longer than that none comes twice.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import timedelta

from prometheus_client import Gauge

from services.chassis import retention
from services.chassis.database import Pool
from services.chassis.gauges import keep_sampling
from services.chassis.periodic import every
from services.payments import metrics
from services.payments.model.comparison import Kind
from services.payments.model.reconciliation import Repair

EVERY_SECONDS = 30.0
"""What it counts waits for people."""
PURGE_SECONDS = 3600.0
OVERDUE_MINUTES = 60
"""No call takes that long unless Stripe is away, or only a person can help."""
EVENTS = retention.Rule("stripe_event", "received_at", timedelta(days=40))

LINGERING = """
status IN ('pending', 'requires_action', 'authorized') AND changed_at < statement_timestamp() - interval '10 minutes'
"""
"""Under way for longer than a customer takes."""
COUNTED = 10_000
"""Where these counts stop."""
LOOK = f"""
SELECT 'refunds_failed' AS gauge, parked::text AS label, count(*)::float8 AS value
FROM (SELECT parked FROM refund WHERE status = 'failed' LIMIT {COUNTED}) few GROUP BY parked
UNION ALL
SELECT 'payouts_failed', (status = 'parked')::text, count(*)
FROM (SELECT status FROM payout WHERE status IN ('failed', 'parked') LIMIT {COUNTED}) few GROUP BY status
UNION ALL
SELECT 'payouts_without_account', '', count(*)
FROM (SELECT FROM payout WHERE status = 'no_account' LIMIT {COUNTED}) few
UNION ALL
SELECT 'dashboard_refunds', lost::text, count(*)
FROM (SELECT lost_minor > 0 AS lost FROM dashboard_refund
      WHERE seen_at > statement_timestamp() - interval '7 days' LIMIT {COUNTED}) few
GROUP BY lost
UNION ALL
SELECT 'reports_open', '', count(*)
FROM (SELECT FROM reconciliation WHERE repair = 'report' AND ended_at IS NULL LIMIT {COUNTED}) few
UNION ALL
SELECT 'events_aside', '', count(*)
FROM (SELECT FROM stripe_event WHERE set_aside IS NOT NULL LIMIT {COUNTED}) few
UNION ALL
SELECT 'chargebacks_open', '', count(*)
FROM (SELECT FROM chargeback WHERE outcome = 'open' LIMIT {COUNTED}) few
UNION ALL
SELECT 'lingering', status, count(*)
FROM (SELECT status FROM payment
      WHERE {LINGERING}
      LIMIT 1000) lingering
GROUP BY status
UNION ALL
SELECT 'calls_overdue', '', count(*)
FROM (SELECT FROM gateway_call
      WHERE state = 'open' AND opened_at < statement_timestamp() - make_interval(mins => $1) LIMIT 1000) few
UNION ALL
SELECT 'differences', repair, count(*)
FROM (SELECT repair FROM reconciliation
      WHERE repair IN ('missing', 'reversal', 'unclaimed') AND at > statement_timestamp() - interval '7 days'
      LIMIT {COUNTED}) few
GROUP BY repair
UNION ALL
SELECT 'not_agreeing', kind, count(*)
FROM (SELECT kind FROM stripe_difference WHERE gone_at IS NULL AND counted_at IS NOT NULL LIMIT {COUNTED}) few
GROUP BY kind
UNION ALL
SELECT 'compared_seconds', '', extract(epoch FROM statement_timestamp() - coalesce(ended_at, began_at))
FROM comparison_state
"""
LOST, PARKED = ("true", "false"), ("true", "false")
GAUGES: dict[str, tuple[Gauge, tuple[str, ...]]] = {
    "refunds_failed": (metrics.refunds_failed, PARKED),
    "payouts_failed": (metrics.payouts_failed, PARKED),
    "payouts_without_account": (metrics.payouts_without_account, ()),
    "dashboard_refunds": (metrics.dashboard_refunds, LOST),
    "reports_open": (metrics.reports_open, ()),
    "events_aside": (metrics.events_aside, ()),
    "chargebacks_open": (metrics.chargebacks_open, ()),
    "lingering": (metrics.lingering, ("pending", "requires_action", "authorized")),
    "calls_overdue": (metrics.calls_overdue, ()),
    "differences": (metrics.differences, (Repair.MISSING, Repair.REVERSAL, Repair.UNCLAIMED)),
    "not_agreeing": (metrics.not_agreeing, tuple(Kind)),
    "compared_seconds": (metrics.compared_seconds, ()),
}
"""Each with its labels: what no row has is 0."""


async def run(pool: Pool) -> None:
    """Until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(keep_sampling("payments", EVERY_SECONDS, lambda: look(pool)))
        tasks.create_task(every(PURGE_SECONDS, lambda: retention.purge(pool, EVENTS), "purge", failed=lambda: None))


async def look(pool: Pool) -> None:
    """Set the gauges once, by one statement."""
    found: defaultdict[tuple[str, str], float] = defaultdict(float)
    for row in await pool.fetch(LOOK, OVERDUE_MINUTES):
        found[row["gauge"], row["label"]] = row["value"]
    for name, (gauge, labels) in GAUGES.items():
        for label in labels:
            gauge.labels(label).set(found[name, label])
        if not labels:
            gauge.set(found[name, ""])
