"""Finds Stripe events whose webhook never came (requirement webhooks)."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta

import stripe
import structlog

from services.chassis.clock import Clock
from services.chassis.database import Pool
from services.payments import metrics, stripe_events
from services.payments.gateway.api import NO_ANSWER, StripeApi
from services.payments.stripe_events import MATTER, StripeEvent, without_secrets

log = structlog.get_logger()
EVERY_SECONDS = 10.0
OVERLAP = timedelta(minutes=10)
AT_FIRST = timedelta(days=1)
"""How far back the very first sweep looks."""


class Sweeper:
    """Lists what Stripe could not deliver; one replica at a time, in real time."""

    def __init__(self, api: StripeApi, clock: Clock) -> None:
        self._api, self._clock = api, clock

    async def run(self, pool: Pool) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS * random.uniform(0.4, 0.6))
            try:
                await self.sweep(pool)
            except (stripe.StripeError, *NO_ANSWER) as error:
                log.warning("sweep failed", error=repr(error))
            except Exception:
                log.error("sweep failed", exc_info=True)

    async def sweep(self, pool: Pool) -> int:
        """One sweep, if none was made in the last ten seconds; returns how many events were new to us."""
        row = await pool.fetchrow(
            """
            UPDATE stripe_sweep SET try_at = clock_timestamp() + make_interval(secs => $1)
            WHERE try_at <= clock_timestamp() RETURNING swept_until
            """,
            EVERY_SECONDS,
        )
        if row is None:
            return 0
        now = self._clock.now()
        since = row["swept_until"] - OVERLAP if row["swept_until"] else now - AT_FIRST
        found = await self._undelivered(since)
        new = 0
        if found:
            known = await stripe_events.known(pool, [event.id for event in found])
            missed = [event for event in reversed(found) if event.id not in known]
            new = await stripe_events.keep(pool, missed, now) if missed else 0
        await pool.execute("UPDATE stripe_sweep SET swept_until = $1", now)
        metrics.events_received.labels("sweep").inc(new)
        if new:
            log.info("events found that no webhook brought", count=new)
        return new

    async def _undelivered(self, since: datetime) -> list[StripeEvent]:
        """Newest first. What was delivered had our 200, and is kept."""
        page = await self._api.v1.events.list_async(
            {
                "created": {"gte": int(since.timestamp())},
                "delivery_success": False,
                "types": list(MATTER),
                "limit": 100,
            }
        )
        return [
            StripeEvent(event.id, event.type, without_secrets(event.to_dict()))
            async for event in page.auto_paging_iter()
        ]
