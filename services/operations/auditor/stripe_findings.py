"""Stripe: what payments' own comparison and its reconciler have found (services/payments/comparison, reconciliation).

They ask Stripe, look again and wait for a grace before they keep a row; the auditor brings it to the others.
"""

from __future__ import annotations

from datetime import datetime

from services.operations.auditor.check_types import MOST, Lingering
from services.operations.auditor.databases import Databases
from services.operations.auditor.findings import Finding, Kind

DIFFERENCES = f"""
SELECT d.kind, d.subject, d.currency, d.ours_minor, d.theirs_minor, d.booking_id, d.customer_id, d.payment_intent,
       p.payment_id
FROM stripe_difference d LEFT JOIN payment p USING (booking_id)
WHERE gone_at IS NULL AND counted_at IS NOT NULL ORDER BY line LIMIT {MOST}
"""
REPORTS = f"""
SELECT r.payment_intent, r.finding, r.booking_id, r.customer_id, p.payment_id
FROM reconciliation r LEFT JOIN payment p USING (booking_id)
WHERE r.repair = 'report' AND r.ended_at IS NULL ORDER BY r.line LIMIT {MOST}
"""
ASIDE = f"SELECT event_id, type FROM stripe_event WHERE set_aside IS NOT NULL ORDER BY received_at LIMIT {MOST}"


async def look(databases: Databases, _: datetime) -> list[Finding]:
    """Differences to the cent, charges that nobody claims, events that could not be kept."""
    found = []
    for row in await databases.fetch("payments", DIFFERENCES):
        detail = f"{row['kind']}: {row['ours_minor']} {row['currency']} here, {row['theirs_minor']} there"
        ids = _named(subject=row["subject"], customer_id=row["customer_id"], payment_intent=row["payment_intent"])
        subject = f"{row['kind']} {row['subject']} {row['currency']}"
        found.append(Finding(Kind.STRIPE_DIFFERENCE, subject, detail, ids, row["booking_id"], row["payment_id"]))
    for row in await databases.fetch("payments", REPORTS):
        detail = f"{row['finding']} at Stripe, and no row of ours knows it"
        ids = _named(customer_id=row["customer_id"], payment_intent=row["payment_intent"])
        of = (row["booking_id"], row["payment_id"])
        found.append(Finding(Kind.STRIPE_REPORT, row["payment_intent"], detail, ids, *of))
    for row in await databases.fetch("payments", ASIDE):
        detail = f"{row['type']} could not be kept"
        found.append(Finding(Kind.STRIPE_EVENT_ASIDE, row["event_id"], detail, {"event_id": row["event_id"]}))
    return found


def _named(**ids: str | None) -> dict[str, str]:
    return {name: value for name, value in ids.items() if value is not None}


CHECK = Lingering("Stripe", frozenset({Kind.STRIPE_DIFFERENCE, Kind.STRIPE_REPORT, Kind.STRIPE_EVENT_ASIDE}), look)
