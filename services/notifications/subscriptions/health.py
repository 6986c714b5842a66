"""How subscribers do: one that fails is tried more and more seldom, and switched off after days, or when it is gone."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from services.chassis.database import Connection, PooledConnection
from services.notifications.model.subscriptions import (
    BUSY,
    DISABLE_AFTER,
    LONGEST_ASKED,
    LONGEST_REST,
    SPREAD,
    DisabledFor,
    rest_after,
)
from services.notifications.subscriptions.posting import Failed, Outcome, Taken
from services.notifications.subscriptions.queue import LEASE

GONE = 410
AWAY = LONGEST_REST
"""Who has failed for so long and then takes something was away; within it, it may have refused one event alone."""
SILENT = LONGEST_ASKED * 1.5
"""Longer than any wait between two tries."""
LOCK = """
WITH concerned AS (
    SELECT subscription_id FROM webhook_subscription
    WHERE subscription_id = ANY($1) OR (subscription_id = ANY($2) AND failures > 0)
), locked AS MATERIALIZED (
    SELECT subscription_id FROM webhook_subscription WHERE subscription_id IN (SELECT subscription_id FROM concerned)
    ORDER BY subscription_id FOR NO KEY UPDATE SKIP LOCKED
)
SELECT subscription_id, l.subscription_id IS NOT NULL AS is_free
FROM concerned c LEFT JOIN locked l USING (subscription_id)
"""
"""$1: those that failed or asked for time; $2: those that took something, of which most were well before."""
RECOVERED = """
WITH back AS (
    SELECT subscription_id FROM webhook_subscription WHERE subscription_id = ANY($1) AND failing_since <= $3
), hurried AS (
    UPDATE webhook_delivery SET try_at = $2 WHERE delivery_id = ANY(ARRAY(
        SELECT d.delivery_id FROM back CROSS JOIN LATERAL (
            SELECT delivery_id FROM webhook_delivery
            WHERE subscription_id = back.subscription_id AND state = 'pending' AND status IS NULL AND try_at > $4
            ORDER BY number LIMIT 500 FOR UPDATE SKIP LOCKED) d))
)
UPDATE webhook_subscription SET failures = 0, failing_since = NULL, rest_until = NULL, last_error = NULL
WHERE subscription_id = ANY($1)
"""
"""Who was away ($3) is back: what it gave no answer to does not wait for its own next try. What it has answered waits
as it said, or as long as what is refused again and again. What is being tried just now (its lease ends before $4,
whoever's clock is a little ahead) is left alone."""
FAILED = """
UPDATE webhook_subscription s
SET failures = CASE WHEN s.failures = t.before THEN s.failures + 1 ELSE greatest(s.failures, 1) END,
    failing_since = CASE WHEN s.rest_until < $6 THEN $5 ELSE coalesce(s.failing_since, $5) END, last_error = t.reason,
    rest_until = greatest(s.rest_until, t.rest_until)
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::timestamptz[]) AS t (subscription_id, before, reason, rest_until)
WHERE s.subscription_id = t.subscription_id AND s.state = 'active'
"""
"""Tries that were made at the same time are one failure: all of them know the same number of failures before. Where it
was not even tried for long ($6, by the rest after the last failure), it may have been well meanwhile."""
ASKED = """
UPDATE webhook_subscription s SET busy_until = greatest(s.busy_until, t.until)
FROM unnest($1::uuid[], $2::timestamptz[]) AS t (subscription_id, until) WHERE s.subscription_id = t.subscription_id
"""
DISABLED = """
UPDATE webhook_subscription
SET state = 'disabled', disabled_at = $1,
    disabled_for = CASE WHEN subscription_id = ANY($2) THEN 'gone' ELSE 'failing' END
WHERE state = 'active' AND (subscription_id = ANY($2) OR (subscription_id = ANY($3) AND failing_since <= $4))
RETURNING subscription_id, url, owner_email, disabled_for, disabled_at
"""
WHY = {
    DisabledFor.GONE: "it answered 410 Gone",
    DisabledFor.FAILING: f"it has taken nothing for {DISABLE_AFTER.days} days",
}


@dataclass(frozen=True, slots=True)
class Round:
    """What the tries of some subscribers came to, one outcome each, the weightiest.

    `failures` are those in a row before this round; `asked`: for how long a subscriber wants to be left alone.
    """

    outcomes: dict[UUID, Outcome] = field(default_factory=dict)
    failures: dict[UUID, int] = field(default_factory=dict)
    asked: dict[UUID, timedelta] = field(default_factory=dict)

    def after(self, tried: Iterable[tuple[UUID, int, Outcome]]) -> Round:
        """With (subscription, failures before, outcome) of each try beside what was not noted before."""
        found = self.of_those(self.outcomes)
        for subscription_id, before, outcome in tried:
            found.failures[subscription_id] = before
            found.outcomes[subscription_id] = max(outcome, found.outcomes.get(subscription_id, outcome), key=_weight)
            if (asked := _asked(outcome)) is not None:
                found.asked[subscription_id] = max(asked, found.asked.get(subscription_id, asked))
        return found

    def of_those(self, ids: Collection[UUID]) -> Round:
        """What it says of some subscribers."""
        return Round(
            {one: outcome for one, outcome in self.outcomes.items() if one in ids},
            {one: failures for one, failures in self.failures.items() if one in ids},
            {one: asked for one, asked in self.asked.items() if one in ids},
        )


@dataclass(frozen=True, slots=True)
class Noted:
    """Subscriptions that were switched off, and what is left to note of those whose row somebody holds."""

    disabled: Sequence[asyncpg.Record]
    left: Round


async def note(connection: Connection | PooledConnection, now: datetime, seen: Round) -> Noted:
    """Write it, in the caller's transaction; it waits for nobody."""
    well = [one for one, outcome in seen.outcomes.items() if isinstance(outcome, Taken)]
    ill = [one for one, outcome in seen.outcomes.items() if isinstance(outcome, Failed) or one in seen.asked]
    rows = await connection.fetch(LOCK, ill, well)
    free = {row["subscription_id"] for row in rows if row["is_free"]}
    left = seen.of_those({row["subscription_id"] for row in rows} - free)
    return Noted(await _write(connection, now, seen.of_those(free)) if free else (), left)


async def _write(connection: Connection | PooledConnection, now: datetime, found: Round) -> Sequence[asyncpg.Record]:
    """Of subscriptions that are locked; returns those that are switched off by it."""
    well = [one for one, outcome in found.outcomes.items() if isinstance(outcome, Taken)]
    failed = {one: outcome for one, outcome in found.outcomes.items() if isinstance(outcome, Failed)}
    if well:
        await connection.execute(RECOVERED, well, now, now - AWAY, now + 2 * LEASE)
    if found.asked:
        await connection.execute(ASKED, list(found.asked), [now + asked for asked in found.asked.values()])
    if not failed:
        return ()
    before = [found.failures[one] for one in failed]
    rests = [now + rest_after(failures + 1, random.uniform(*SPREAD)) for failures in before]
    await connection.execute(
        FAILED, list(failed), before, [outcome.reason for outcome in failed.values()], rests, now, now - SILENT
    )
    gone = [one for one, outcome in failed.items() if _is_gone(outcome)]
    return await connection.fetch(DISABLED, now, gone, list(failed), now - DISABLE_AFTER)


def _weight(outcome: Outcome) -> int:
    """Who is gone is gone, in whatever order answers come; else who took something is well, whatever else failed."""
    return 2 if _is_gone(outcome) else int(isinstance(outcome, Taken))


def _is_gone(outcome: Outcome) -> bool:
    return isinstance(outcome, Failed) and outcome.status == GONE


def _asked(outcome: Outcome) -> timedelta | None:
    """A Retry-After about the receiver as a whole."""
    if not isinstance(outcome, Failed) or outcome.status not in BUSY or outcome.asked is None:
        return None
    return min(outcome.asked, LONGEST_ASKED)
