"""Finds Stripe events whose webhook never came (requirement webhooks).

Two looks at Stripe's list of events: at what Stripe could not deliver, however many were delivered around it; and at
the newest events, whatever Stripe thinks of them, because an endpoint that was disabled or never configured has no
undelivered events. The second look stops at the first page that is all known, so that it costs one request.
An event that cannot be kept is set aside and holds up no other; a later build may keep it, so that it is tried again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog

from services.chassis.clock import Clock
from services.chassis.database import Pool
from services.payments import metrics
from services.payments.rounds import in_rounds, knows_its_commands
from services.payments.stripe_calls.api import StripeApi
from services.payments.stripe_calls.lookup import unless_missing
from services.payments.stripe_events import event_store
from services.payments.stripe_events.events import WANTED_EVENT_TYPES, BadEvent, StripeEvent, event_of

log = structlog.get_logger()
EVERY_SECONDS = 10.0
ON_THE_WAY = timedelta(seconds=5)
"""Younger events are left to their webhooks: under load there are always some, and each would be read twice."""
OVERLAP = timedelta(minutes=10)
FIRST_WINDOW = timedelta(days=1)
"""How far back the very first sweep looks."""
THOROUGH_AFTER = timedelta(minutes=1)
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
        if not await knows_its_commands(pool):
            return 0
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
        swept = row["swept_until"] or now - FIRST_WINDOW
        new = await self._set_aside_before(pool)
        new += await self._look(pool, swept - OVERLAP, thorough=True, delivery_success=False)
        new += await self._look(pool, swept - OVERLAP, thorough=now - swept > THOROUGH_AFTER)
        await pool.execute("UPDATE stripe_sweep SET swept_until = greatest(swept_until, $1)", now)
        if new:
            metrics.events_received.labels("sweep").inc(new)
            log.info("events found that no webhook brought", count=new)
        return new

    async def _look(self, pool: Pool, since: datetime, *, thorough: bool, **only: Any) -> int:
        """Page by page, newest first; unless thorough, up to the first page without anything new."""
        new = 0
        until = self._clock.now() - ON_THE_WAY
        created = {"gte": int(since.timestamp()), "lte": int(until.timestamp())}
        async for page in self._api.pages("events", created=created, types=list(WANTED_EVENT_TYPES), **only):
            known = await event_store.known(pool, [event["id"] for event in page])
            missed = list(_readable(event for event in reversed(page) if event["id"] not in known))
            if missed:
                new += await event_store.take_page(pool, missed, self._clock.now())
            elif not thorough:
                break
        return new

    async def _set_aside_before(self, pool: Pool) -> int:
        """One of those that could not be kept, as Stripe has it now; 1 when it is kept by now."""
        event_id = await pool.fetchval(
            "SELECT event_id FROM stripe_event WHERE set_aside IS NOT NULL ORDER BY random() LIMIT 1"
        )
        if event_id is None:
            return 0
        found = await unless_missing(lambda: self._api.look("events", event_id))
        again = [] if found is None else list(_readable([found]))
        return await event_store.take_page(pool, again, self._clock.now())


def _readable(found: Iterable[Mapping[str, Any]]) -> Iterator[StripeEvent]:
    """Stripe's events as they are kept; without, and counted, those that are none."""
    for body in found:
        try:
            yield event_of(body)
        except BadEvent as bad:
            metrics.events_set_aside.inc()
            log.error("an event in Stripe's list cannot be read", event_id=ascii(body.get("id"))[:300], error=str(bad))
