"""How subscribers do: one that fails is tried more and more seldom, and switched off after days, or when it is gone."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from services.chassis.database import Connection, PooledConnection
from services.notifications.model.subscriptions import BUSY, DISABLE_AFTER, SPREAD, DisabledFor, rest_after
from services.notifications.subscriptions.posting import Failed, Outcome, Taken

GONE = 410
RECOVERED = """
UPDATE webhook_subscription SET failures = 0, failing_since = NULL, rest_until = NULL, last_error = NULL
WHERE subscription_id = ANY(ARRAY(
    SELECT subscription_id FROM webhook_subscription WHERE subscription_id = ANY($1) AND failures > 0
    ORDER BY subscription_id FOR NO KEY UPDATE))
"""
FAILED = """
UPDATE webhook_subscription s
SET failures = s.failures + 1, failing_since = coalesce(s.failing_since, $4), last_error = t.reason,
    rest_until = greatest(s.rest_until, t.rest_until)
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS t (subscription_id, reason, rest_until)
WHERE s.subscription_id = t.subscription_id AND s.state = 'active' AND s.subscription_id = ANY(ARRAY(
    SELECT subscription_id FROM webhook_subscription WHERE subscription_id = ANY($1)
    ORDER BY subscription_id FOR NO KEY UPDATE))
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

    `failures` are those in a row before this round.
    """

    outcomes: dict[UUID, Outcome]
    failures: dict[UUID, int]

    @classmethod
    def of(cls, tried: Iterable[tuple[UUID, int, Outcome]]) -> Round:
        """From (subscription, failures before, outcome) of each try."""
        outcomes: dict[UUID, Outcome] = {}
        failures: dict[UUID, int] = {}
        for subscription_id, before, outcome in tried:
            failures[subscription_id] = before
            outcomes[subscription_id] = max(outcome, outcomes.get(subscription_id, outcome), key=_weight)
        return cls(outcomes, failures)


async def note(connection: Connection | PooledConnection, now: datetime, found: Round) -> Sequence[asyncpg.Record]:
    """Write it; returns the subscriptions that are switched off by it."""
    well = [one for one, outcome in found.outcomes.items() if isinstance(outcome, Taken)]
    failed = {one: outcome for one, outcome in found.outcomes.items() if isinstance(outcome, Failed)}
    await connection.execute(RECOVERED, well)
    if not failed:
        return ()
    rests = [
        now + rest_after(found.failures[one] + 1, _asked(outcome), random.uniform(*SPREAD))
        for one, outcome in failed.items()
    ]
    await connection.execute(FAILED, list(failed), [outcome.reason for outcome in failed.values()], rests, now)
    gone = [one for one, outcome in failed.items() if _is_gone(outcome)]
    return await connection.fetch(DISABLED, now, gone, list(failed), now - DISABLE_AFTER)


def _weight(outcome: Outcome) -> int:
    """Who is gone is gone, in whatever order answers come; else who took something is well, whatever else failed."""
    return 2 if _is_gone(outcome) else int(isinstance(outcome, Taken))


def _is_gone(outcome: Outcome) -> bool:
    return isinstance(outcome, Failed) and outcome.status == GONE


def _asked(outcome: Failed) -> timedelta | None:
    """A Retry-After about the receiver as a whole."""
    return outcome.asked if outcome.status in BUSY else None
