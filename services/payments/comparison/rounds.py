"""Compares Stripe, payments' rows and the ledger, to the cent (requirements ledger, auditor). It repairs nothing.

A round reads Stripe's newest movements and the ledger's newest postings, compares everything that they touch, what did
not agree before, and a slice of the last days, in snapshots of our database. model/comparison.py says what a difference
is and when it counts; before one of Stripe's objects counts, Stripe is asked about that very object.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

import asyncpg
import stripe

from services.chassis.clock import Clock
from services.chassis.database import Connection, Pool
from services.chassis.gateway_calls import TryAgain
from services.payments.comparison import differences, movements, standings, totals
from services.payments.comparison.differences import Key
from services.payments.comparison.totals import Totals
from services.payments.comparison.touched import reach, touched
from services.payments.model.comparison import LEDGERS, OF_STRIPE, Difference, Kind, Watched, watched
from services.payments.rounds import in_rounds
from services.payments.stripe_calls.api import NO_ANSWER, StripeApi, judge
from services.payments.stripe_calls.circuit_breaker import CircuitBreaker
from services.payments.stripe_calls.standings import standing

EVERY_SECONDS = 60.0
ROUND_SECONDS = 240.0
"""A round that takes longer is given up; what it read is kept."""
LEASE_SECONDS = 300.0
"""For so long a replica that was killed in its round keeps the others waiting."""
LOOKS = 20
"""How many objects a round asks Stripe about, at most, before they count."""


class Comparison:
    """One replica at a time, in real time, beside the loop."""

    def __init__(self, api: StripeApi, clock: Clock, breaker: CircuitBreaker) -> None:
        self._api, self._clock, self._breaker = api, clock, breaker

    async def run(self, pool: Pool) -> None:
        """Until cancelled."""
        await in_rounds("comparison", EVERY_SECONDS, lambda: self.compare(pool))

    async def compare(self, pool: Pool) -> None:
        """One round, if none was made in the last minute and Stripe answers. Raises what the SDK raises."""
        if self._breaker.is_open:
            return
        state = await pool.fetchrow(
            """
            UPDATE comparison_state SET try_at = statement_timestamp() + make_interval(secs => $1)
            WHERE try_at <= statement_timestamp()
            RETURNING since, until, after, line, entry, entry_seen, again_from, again_line
            """,
            LEASE_SECONDS,
        )
        if state is None:
            return
        wait = EVERY_SECONDS
        try:
            async with asyncio.timeout(ROUND_SECONDS):
                await self._round(pool, state)
        except (stripe.StripeError, *NO_ANSWER) as error:
            wait = self._failed(error)
            raise
        finally:
            again = "UPDATE comparison_state SET try_at = statement_timestamp() + make_interval(secs => $1)"
            await pool.execute(again, wait)

    def _failed(self, error: BaseException) -> float:
        """Seconds for which Stripe wants to be left alone; where it is away, its circuit counts that too."""
        found = judge(error)
        away = isinstance(found, TryAgain) and found.after_seconds is None
        if away and isinstance(error, stripe.StripeError):
            self._breaker.failed()
        return max(EVERY_SECONDS, (isinstance(found, TryAgain) and found.after_seconds) or 0.0)

    async def _round(self, pool: Pool, state: asyncpg.Record) -> None:
        now = self._clock.now()
        if state["since"] is None:
            state = await movements.begin(pool, now)
        if not await movements.read(pool, self._api, state, now):
            return
        before = await differences.to_look_at(pool)
        looked_at, reached = await touched(pool, state, now)
        looked_at.add(before.values())
        found: list[Difference] = []
        for part in looked_at.slices():
            found += await standings.compare(pool, part.subjects, part.bookings, part.customers)
        sums = totals.NOTHING
        if reached.all_posted:
            sums = await totals.compare(pool, totals.held(await self._api.look("balance")), state["entry"])
        every = {one.key: one for one in (*found, *sums.found)}
        before |= await differences.known(pool, every.keys() - before.keys())
        seen = {key: watched(one, before.get(key), now) for key, one in every.items()}
        judged = await self._judged(pool, list(seen.values()), sums, now)
        async with pool.acquire() as pooled, pooled.transaction():
            connection = cast(Connection, pooled)
            await differences.save(connection, judged, _gone(before, judged, sums), now)
            await reach(connection, state, reached, len(looked_at.subjects) + len(looked_at.bookings))

    async def _judged(self, pool: Pool, seen: Sequence[Watched], sums: Totals, now: datetime) -> list[Watched]:
        """Those that are differences still; those count whose grace is over, if nothing speaks against it."""
        moving = {one.found.of.currency for one in seen if one.found.of.kind in OF_STRIPE and one.counted_at is None}
        judged, looks = [], 0
        for one in seen:
            of = one.found.of
            if not one.due(now) or (of.subject == LEDGERS and of.currency in moving):
                judged.append(one)
            elif of.kind in OF_STRIPE:
                looks += 1
                sure = one if looks > LOOKS else await self._ask(pool, one, now)
                judged += [] if sure is None else [sure]
            elif (of.subject, of.currency) in sums.unopened:
                await totals.open_with(pool, of.subject, of.currency, one.found.theirs_minor - of.amount_minor)
            else:
                judged.append(replace(one, counted_at=now))
        return judged

    async def _ask(self, pool: Pool, one: Watched, now: datetime) -> Watched | None:
        """Stripe's own word about an object; None where it agrees with ours: its movements are from before we read."""
        of = one.found.of
        amount = await standing(self._api, of.kind, of.subject)
        if amount is None:
            return replace(one, since=now)
        if amount == of.amount_minor:
            await movements.add_missing(pool, of, amount - one.found.theirs_minor, now)
            return None
        return replace(one, found=replace(one.found, theirs_minor=amount), counted_at=now)


def _gone(before: dict[Key, Watched], judged: Sequence[Watched], sums: Totals) -> list[Key]:
    """What was looked at and agrees by now."""
    kept = {one.found.key for one in judged}
    return [key for key in before if key not in kept and (key[0] is not Kind.BALANCE or key[1:] in sums.looked_at)]
