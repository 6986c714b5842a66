"""What the reconciler can only report: captured PaymentIntents with our metadata that no row of ours knows.

Giving such money back could undo what a restored database has forgotten, so a person looks (README.md, Alerts). A
report is written once and stays open until a row agrees with it or Stripe holds nothing of it any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from services.chassis.database import Pool, columns
from services.payments import metrics
from services.payments.model.reconciliation import Repair, top_up_is_missing
from services.payments.store import rows
from services.payments.store.tables import TOP_UP
from services.payments.stripe_calls.api import StripeApi
from services.payments.stripe_calls.refunds import FAILED_STATUSES
from services.payments.stripe_calls.releases import CHARGE, is_release

log = structlog.get_logger()
LOOKS = 5
"""How many open reports a round asks Stripe about: they are few, and rounds are many."""


@dataclass(frozen=True, slots=True)
class ToppedUp:
    """A PaymentIntent with the metadata of a wallet's top-up, as Stripe lists it."""

    customer_id: str
    command_id: UUID
    payment_intent: str
    status: str


def topped_up(intent: Mapping[str, Any]) -> ToppedUp | None:
    """A listed PaymentIntent as a top-up's; None for those that are none."""
    try:
        metadata = intent["metadata"]
        return ToppedUp(metadata["customer_id"], UUID(metadata["command_id"]), intent["id"], intent["status"])
    except (KeyError, ValueError, TypeError):
        return None


async def compare_top_ups(pool: Pool, chunk: Sequence[ToppedUp], now: datetime) -> None:
    """Report those that were charged and that no top-up of ours knows."""
    if not chunk:
        return
    found = await pool.fetch(TOP_UP.table.select("WHERE command_id = ANY($1)"), [one.command_id for one in chunk])
    known = {row["command_id"]: rows.top_up(row) for row in found}
    missing = [one for one in chunk if top_up_is_missing(known.get(one.command_id), one.payment_intent, one.status)]
    if not missing:
        return
    new = await pool.fetch(
        """
        INSERT INTO reconciliation (at, customer_id, payment_intent, finding, repair)
        SELECT $1, customer_id, payment_intent, status, $2
        FROM unnest($3::text[], $4::text[], $5::text[]) AS t (customer_id, payment_intent, status)
        ON CONFLICT DO NOTHING RETURNING customer_id, payment_intent
        """,
        now,
        Repair.REPORT,
        *columns((one.customer_id, one.payment_intent, one.status) for one in missing),
    )
    for row in new:
        metrics.reconciled.labels(Repair.REPORT).inc()
        log.warning("a charged PaymentIntent that no top-up knows", **row)


async def end_reports(pool: Pool, api: StripeApi, now: datetime) -> None:
    """End the reports that agree by now: with our rows, or because Stripe gave all of it back."""
    await pool.execute(
        """
        UPDATE reconciliation r SET ended_at = $1, ended = 'our row agrees by now'
        WHERE repair = 'report' AND ended_at IS NULL AND (
            EXISTS (SELECT FROM payment p WHERE p.payment_intent = r.payment_intent AND p.captured_minor > 0)
            OR EXISTS (SELECT FROM top_up t WHERE t.payment_intent = r.payment_intent AND t.status = 'done'))
        """,
        now,
    )
    still_open = await pool.fetch(
        """
        SELECT payment_intent FROM reconciliation WHERE repair = 'report' AND ended_at IS NULL
        ORDER BY random() LIMIT $1
        """,
        LOOKS,
    )
    for row in still_open:
        if await _given_back(api, row["payment_intent"]):
            await pool.execute(
                """
                UPDATE reconciliation SET ended_at = $2, ended = 'given back at Stripe'
                WHERE payment_intent = $1 AND repair = 'report' AND ended_at IS NULL
                """,
                row["payment_intent"],
                now,
            )


async def _given_back(api: StripeApi, payment_intent: str) -> bool:
    """Whether Stripe holds nothing of it any more. `amount_refunded` may count what was never captured."""
    captured = given_back = 0
    async for page in api.pages("charges", payment_intent=payment_intent):
        captured += sum(charge["amount_captured"] for charge in page)
    async for page in api.pages("refunds", payment_intent=payment_intent, expand=[f"data.{CHARGE}"]):
        real = [refund for refund in page if refund["status"] not in FAILED_STATUSES and not is_release(refund)]
        given_back += sum(refund["amount"] for refund in real)
    return 0 < captured <= given_back
