"""Compares Stripe's PaymentIntents with our payments, both ways, and has differences repaired.

Requirement payment-booking-coupling. From Stripe's side: every PaymentIntent with our metadata, once it is a minute
old, a quarter of an hour and a day later. From ours: every payment that has waited long for Stripe. What is found is
looked at again under the payment's lock (handlers/reconciliation.py) and recorded there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import structlog
from booking_contracts.envelope import uuid7

from services.chassis import local_messages
from services.chassis.clock import Clock
from services.chassis.database import Connection, Pool
from services.chassis.statements import Statements
from services.chassis.unit_of_work import Remind
from services.payments import metrics
from services.payments.local_messages import Found, LookAgain
from services.payments.model.payment import LIVE
from services.payments.model.reconciliation import Finding, Repair, repair
from services.payments.reconciliation import lost_results, orphan_reports, payouts_moved
from services.payments.rounds import in_rounds, knows_its_commands
from services.payments.store import rows
from services.payments.store.tables import PAYMENT
from services.payments.stripe_calls.api import StripeApi
from services.payments.stripe_events.owners import Attempt, attempts_of

log = structlog.get_logger()
EVERY_SECONDS = 15.0
MINIMUM_AGE = timedelta(seconds=30)
"""Younger PaymentIntents are left alone: their answers are on the way."""
LATER = (timedelta(0), timedelta(minutes=15), timedelta(days=1))
"""Each is compared when it is older than MINIMUM_AGE, and again so much later: what was under way has ended."""
FIRST_WINDOW = timedelta(days=1)
LONG = timedelta(minutes=10)
MOST = 500
_IN_LIVE = ", ".join(f"'{status}'" for status in sorted(LIVE))
"""Written out: PostgreSQL does not see in a parameter that the index of live payments has them all."""


class Reconciler:
    """One replica at a time, in real time."""

    def __init__(self, api: StripeApi, clock: Clock) -> None:
        self._api, self._clock = api, clock

    async def run(self, pool: Pool) -> None:
        """Until cancelled."""
        await in_rounds("reconciliation", EVERY_SECONDS, lambda: self.reconcile(pool))

    async def reconcile(self, pool: Pool) -> None:
        """One pass, if none was made in the last seconds."""
        if not await knows_its_commands(pool):
            return
        row = await pool.fetchrow(
            """
            UPDATE reconciled_until SET try_at = statement_timestamp() + make_interval(secs => $1)
            WHERE try_at <= statement_timestamp() RETURNING until
            """,
            EVERY_SECONDS,
        )
        if row is None:
            return
        until = self._clock.now() - MINIMUM_AGE
        since = row["until"] or until - FIRST_WINDOW
        compared = await self._from_us(pool)
        for later in LATER:
            compared += await self._from_stripe(pool, since - later, until - later)
        await pool.execute(
            """
            UPDATE reconciled_until
            SET until = greatest(until, $1), ended_at = statement_timestamp(), compared = $2
            """,
            until,
            compared,
        )
        await orphan_reports.end_reports(pool, self._api, self._clock.now())
        async with pool.acquire() as connection, connection.transaction():
            await lost_results.make_again(cast(Connection, connection))
            await payouts_moved.pay_out(cast(Connection, connection), self._clock.now())

    async def _from_stripe(self, pool: Pool, since: datetime, until: datetime) -> int:
        """Returns how many PaymentIntents were ours."""
        created, compared = {"gte": int(since.timestamp()), "lte": int(until.timestamp())}, 0
        async for page in self._api.pages("payment_intents", created=created):
            known = await attempts_of(pool, [intent["id"] for intent in page])
            mine = [found for intent in page if (found := _ours(intent, known.get(intent["id"]))) is not None]
            others = [intent for intent in page if intent["id"] not in known]
            top_ups = [one for intent in others if (one := orphan_reports.topped_up(intent)) is not None]
            await self._compare(pool, mine)
            await orphan_reports.compare_top_ups(pool, top_ups, self._clock.now())
            compared += len(mine) + len(top_ups)
        return compared

    async def _compare(self, pool: Pool, chunk: Sequence[Found]) -> None:
        if not chunk:
            return
        known = await pool.fetch(
            PAYMENT.table.select("WHERE booking_id = ANY($1)"), [found.booking_id for found in chunk]
        )
        payments = {row["booking_id"]: rows.payment(row) for row in known}
        wrong = []
        for found in chunk:
            finding = Finding(found.payment_intent, found.attempt, found.status)
            chosen = repair(payments.get(found.booking_id), finding)
            if chosen is not Repair.NOTHING:
                metrics.reconciled.labels(chosen).inc()
                log.warning("Stripe and we disagree", repair=chosen, **found.model_dump(mode="json"))
                wrong.append(found)
        await self._tell(pool, wrong)

    async def _from_us(self, pool: Pool) -> int:
        """Payments that wait for the payer or for booking, and have not been looked at for long; returns how many."""
        found = await pool.fetch(
            f"""
            SELECT booking_id FROM payment
            WHERE status IN ({_IN_LIVE}) AND calling IS NULL
              AND payment_intent IS NOT NULL AND changed_at < statement_timestamp() - $1::interval
            ORDER BY changed_at LIMIT $2
            """,
            LONG,
            MOST,
        )
        await self._tell(pool, [LookAgain(booking_id=row["booking_id"]) for row in found])
        return len(found)

    async def _tell(self, pool: Pool, bodies: Sequence[Found | LookAgain]) -> None:
        now = self._clock.now()
        messages = [Remind(uuid7(), body, str(body.booking_id), now, None) for body in bodies]
        async with pool.acquire() as connection, Statements(cast(Connection, connection)) as writes:
            local_messages.save_timers(writes, messages)


def _ours(intent: Mapping[str, Any], known: Attempt | None) -> Found | None:
    """`known`: the attempt whose row has its id. Metadata, which may be edited, is for what no row has."""
    try:
        metadata = intent["metadata"]
        booking_id, attempt = known[:2] if known else (UUID(metadata["booking_id"]), int(metadata["attempt"]))
        return Found(booking_id=booking_id, attempt=attempt, payment_intent=intent["id"], status=intent["status"])
    except (KeyError, ValueError, TypeError):
        return None
