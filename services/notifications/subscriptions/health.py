"""How subscribers do: one that fails is tried more and more seldom, and switched off after days, or when it is gone."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from services.chassis.database import Connection, PooledConnection
from services.notifications.model.subscriptions import (
    BUSY,
    DISABLE_AFTER,
    LONGEST_ASKED,
    SPREAD,
    DisabledFor,
    rest_after,
)
from services.notifications.subscriptions.posting import Failed, Outcome, Taken

GONE = 410
LOCK = """
SELECT subscription_id FROM webhook_subscription
WHERE subscription_id = ANY($1) OR (subscription_id = ANY($2) AND failures > 0)
ORDER BY subscription_id FOR NO KEY UPDATE
"""
"""$1: those that failed or asked for time; $2: those that took something, of which most were well before."""
RECOVERED = """
UPDATE webhook_subscription SET failures = 0, failing_since = NULL, rest_until = NULL, last_error = NULL
WHERE subscription_id = ANY($1)
"""
FAILED = """
UPDATE webhook_subscription s
SET failures = CASE WHEN s.failures = t.before THEN s.failures + 1 ELSE greatest(s.failures, 1) END,
    failing_since = coalesce(s.failing_since, $5), last_error = t.reason,
    rest_until = greatest(s.rest_until, t.rest_until)
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::timestamptz[]) AS t (subscription_id, before, reason, rest_until)
WHERE s.subscription_id = t.subscription_id AND s.state = 'active'
"""
"""Tries that were made at the same time are one failure: all of them know the same number of failures before."""
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
    """What the tries of some subscribers came to, one outcome each: who took something is well, whatever else failed.

    `failures` are those in a row before this round; `asked`: for how long a subscriber wants to be left alone.
    """

    outcomes: dict[UUID, Outcome]
    failures: dict[UUID, int]
    asked: dict[UUID, timedelta]

    @classmethod
    def of(cls, tried: Iterable[tuple[UUID, int, Outcome]]) -> Round:
        """From (subscription, failures before, outcome) of each try."""
        found = cls({}, {}, {})
        for subscription_id, before, outcome in tried:
            found.failures[subscription_id] = before
            if not isinstance(found.outcomes.get(subscription_id), Taken) or _is_gone(outcome):
                found.outcomes[subscription_id] = outcome
            if (asked := _asked(outcome)) is not None:
                found.asked[subscription_id] = max(asked, found.asked.get(subscription_id, asked))
        return found


async def note(connection: Connection | PooledConnection, now: datetime, found: Round) -> Sequence[asyncpg.Record]:
    """Write it, in the caller's transaction; returns the subscriptions that are switched off by it."""
    well = [one for one, outcome in found.outcomes.items() if isinstance(outcome, Taken)]
    failed = {one: outcome for one, outcome in found.outcomes.items() if isinstance(outcome, Failed)}
    locked = {row["subscription_id"] for row in await connection.fetch(LOCK, [*failed, *found.asked], well)}
    if not locked:
        return ()
    await connection.execute(RECOVERED, [one for one in well if one in locked])
    if found.asked:
        await connection.execute(ASKED, list(found.asked), [now + asked for asked in found.asked.values()])
    if not failed:
        return ()
    before = [found.failures[one] for one in failed]
    rests = [now + rest_after(failures + 1, random.uniform(*SPREAD)) for failures in before]
    await connection.execute(FAILED, list(failed), before, [outcome.reason for outcome in failed.values()], rests, now)
    gone = [one for one, outcome in failed.items() if _is_gone(outcome)]
    return await connection.fetch(DISABLED, now, gone, list(failed), now - DISABLE_AFTER)


def _is_gone(outcome: Outcome) -> bool:
    return isinstance(outcome, Failed) and outcome.status == GONE


def _asked(outcome: Outcome) -> timedelta | None:
    """A Retry-After about the receiver as a whole."""
    if not isinstance(outcome, Failed) or outcome.status not in BUSY or outcome.asked is None:
        return None
    return min(outcome.asked, LONGEST_ASKED)
