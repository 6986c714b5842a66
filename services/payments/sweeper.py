"""Finds Stripe events whose webhook never came (requirement webhooks).

Two looks at Stripe's list of events: at what Stripe could not deliver, however many were delivered around it; and at
the newest events, whatever Stripe thinks of them, because an endpoint that was disabled or never configured has no
undelivered events. The second look stops at the first page that is all known, so that it costs one request.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog

from services.chassis.clock import Clock
from services.chassis.database import Pool
from services.payments import metrics, stripe_events
from services.payments.gateway.api import StripeApi
from services.payments.rounds import in_rounds
from services.payments.stripe_events import MATTER, StripeEvent, redacted

log = structlog.get_logger()
EVERY_SECONDS = 10.0
OVERLAP = timedelta(minutes=10)
AT_FIRST = timedelta(days=1)
"""How far back the very first sweep looks."""
LONG_AGO = timedelta(minutes=1)
"""After a pause this long the newest page says nothing about those before it."""


class Sweeper:
    """One replica at a time, in real time."""

    def __init__(self, api: StripeApi, clock: Clock) -> None:
        self._api, self._clock = api, clock

    async def run(self, pool: Pool) -> None:
        """Until cancelled."""
        await in_rounds("sweep", EVERY_SECONDS, lambda: self.sweep(pool))

    async def sweep(self, pool: Pool) -> int:
        """One sweep, if none was made in the last ten seconds; returns how many events were new to us."""
        row = await pool.fetchrow(
            """
            UPDATE stripe_sweep SET try_at = statement_timestamp() + make_interval(secs => $1)
            WHERE try_at <= statement_timestamp() RETURNING swept_until
            """,
            EVERY_SECONDS,
        )
        if row is None:
            return 0
        now = self._clock.now()
        swept = row["swept_until"] or now - AT_FIRST
        new = await self._look(pool, swept - OVERLAP, thorough=True, delivery_success=False)
        new += await self._look(pool, swept - OVERLAP, thorough=now - swept > LONG_AGO)
        await pool.execute("UPDATE stripe_sweep SET swept_until = greatest(swept_until, $1)", now)
        if new:
            metrics.events_received.labels("sweep").inc(new)
            log.info("events found that no webhook brought", count=new)
        return new

    async def _look(self, pool: Pool, since: datetime, *, thorough: bool, **only: bool) -> int:
        """Page by page, newest first; unless thorough, up to the first page without anything new."""
        new = 0
        created = {"gte": int(since.timestamp())}
        async for page in self._api.pages("/v1/events", created=created, types=list(MATTER), **only):
            known = await stripe_events.known(pool, [event["id"] for event in page])
            missed = [_event(event) for event in reversed(page) if event["id"] not in known]
            if missed:
                new += await stripe_events.keep(pool, missed, self._clock.now())
            elif not thorough:
                break
        return new


def _event(body: Mapping[str, Any]) -> StripeEvent:
    return StripeEvent(body["id"], body["type"], redacted(body))
