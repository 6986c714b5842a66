"""Gauges of what waits for somebody: failed refunds and payouts, open chargebacks, payments that linger.

Beside them the purge of Stripe's events: Stripe lists them for 30 days, longer than that none comes twice.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import structlog

from services.chassis import retention
from services.chassis.database import Pool
from services.payments import metrics
from services.payments.model.comparison import Kind
from services.payments.model.reconciliation import Repair

log = structlog.get_logger()
EVERY_SECONDS = 10.0
PURGE_SECONDS = 3600.0
OVERDUE_MINUTES = 60
"""No call takes that long unless Stripe is away, or only a person can help."""
EVENTS = retention.Rule("stripe_event", "received_at", timedelta(days=40))


async def run(pool: Pool) -> None:
    """Until cancelled."""
    purge_at = 0.0
    while True:
        try:
            await look(pool)
            if time.monotonic() >= purge_at:
                await retention.purge(pool, EVENTS)
                purge_at = time.monotonic() + PURGE_SECONDS
        except Exception as error:  # the database is away: the next round sees it again
            log.warning("gauges are old", error=repr(error))
        await asyncio.sleep(EVERY_SECONDS)


async def look(pool: Pool) -> None:
    """Set the gauges once."""
    await _look_at_stripe(pool)
    await _look_at_the_comparison(pool)
    refunds = await pool.fetch("SELECT parked, count(*) AS n FROM refund WHERE status = 'failed' GROUP BY parked")
    payouts = await pool.fetch(
        """
        SELECT status = 'parked' AS parked, count(*) AS n FROM payout WHERE status IN ('failed', 'parked')
        GROUP BY status
        """
    )
    for gauge, found in ((metrics.refunds_failed, refunds), (metrics.payouts_failed, payouts)):
        counts = {row["parked"]: row["n"] for row in found}
        for parked in (True, False):
            gauge.labels(str(parked).lower()).set(counts.get(parked, 0))
    metrics.payouts_without_account.set(await pool.fetchval("SELECT count(*) FROM payout WHERE status = 'no_account'"))
    by_hand = await pool.fetch(
        """
        SELECT lost_minor > 0 AS lost, count(*) AS n FROM dashboard_refund
        WHERE seen_at > statement_timestamp() - interval '7 days' GROUP BY lost
        """
    )
    for lost in (True, False):
        metrics.dashboard_refunds.labels(str(lost).lower()).set(dict(map(tuple, by_hand)).get(lost, 0))
    metrics.reports_open.set(
        await pool.fetchval("SELECT count(*) FROM reconciliation WHERE repair = 'report' AND ended_at IS NULL")
    )
    metrics.events_aside.set(await pool.fetchval("SELECT count(*) FROM stripe_event WHERE set_aside IS NOT NULL"))
    metrics.chargebacks_open.set(await pool.fetchval("SELECT count(*) FROM chargeback WHERE outcome = 'open'"))
    lingering = await pool.fetch(
        """
        SELECT status, count(*) AS n
        FROM (SELECT status FROM payment
              WHERE status IN ('pending', 'requires_action', 'authorized')
                AND changed_at < statement_timestamp() - interval '10 minutes'
              LIMIT 1000) lingering
        GROUP BY status
        """
    )
    found_by_status = {row["status"]: row["n"] for row in lingering}
    for status in ("pending", "requires_action", "authorized"):
        metrics.lingering.labels(status).set(found_by_status.get(status, 0))


async def _look_at_stripe(pool: Pool) -> None:
    """What a person has to find out at Stripe: calls that do not end, and objects that are not as ours are."""
    overdue = await pool.fetchval(
        """
        SELECT count(*) FROM (
            SELECT FROM gateway_call
            WHERE state = 'open' AND opened_at < statement_timestamp() - make_interval(mins => $1) LIMIT 1000) AS few
        """,
        OVERDUE_MINUTES,
    )
    metrics.calls_overdue.set(overdue)
    found = await pool.fetch(
        """
        SELECT repair, count(*) AS n FROM reconciliation
        WHERE repair IN ('missing', 'reversal', 'unclaimed') AND at > $1 GROUP BY repair
        """,
        datetime.now(UTC) - timedelta(days=7),
    )
    counts = {row["repair"]: row["n"] for row in found}
    for kind in (Repair.MISSING, Repair.REVERSAL, Repair.UNCLAIMED):
        metrics.differences.labels(kind).set(counts.get(kind, 0))


async def _look_at_the_comparison(pool: Pool) -> None:
    """What it found and is still so, and how old that is (comparison/rounds.py)."""
    found = await pool.fetch(
        """
        SELECT kind, count(*) AS n FROM stripe_difference WHERE gone_at IS NULL AND counted_at IS NOT NULL GROUP BY kind
        """
    )
    counts = {row["kind"]: row["n"] for row in found}
    for kind in Kind:
        metrics.not_agreeing.labels(kind).set(counts.get(kind, 0))
    metrics.compared_seconds.set(
        await pool.fetchval(
            "SELECT extract(epoch FROM statement_timestamp() - coalesce(ended_at, began_at)) FROM comparison_state"
        )
    )
