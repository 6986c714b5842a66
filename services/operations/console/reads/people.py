"""What waits for a person, by the queries of the services' gauges: each number has a list behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.booking.gauges import LONG_UNANSWERED, SAGAS
from services.booking.saga import Status, Step
from services.notifications.subscriptions import gauges as subscribers
from services.operations.console.databases import Databases
from services.payments.gauges import LOOK, OVERDUE_MINUTES

MAILS = """
SELECT (SELECT count(*) FROM (SELECT FROM delivery WHERE state = 'failed'
                              AND settled_at > $1::timestamptz - interval '1 day' LIMIT 10000) f) AS failed,
       (SELECT count(*) FROM (SELECT FROM delivery WHERE state = 'pending' ORDER BY created_at LIMIT 10000) p)
           AS pending,
       coalesce((SELECT extract(epoch FROM $1 - created_at) FROM delivery WHERE state = 'pending'
                 ORDER BY created_at LIMIT 1), 0)::float8 AS oldest_seconds
"""
FINDINGS = """
SELECT kind, count(*) FROM (SELECT kind FROM violation WHERE gone_at IS NULL ORDER BY first_seen LIMIT 1000) v
GROUP BY kind ORDER BY count(*) DESC, kind
"""
AUDIT = """
SELECT extract(epoch FROM clock_timestamp() - max(coalesce(ended_at, began_at)))::float8 AS seconds,
       (SELECT problem FROM audit_pass WHERE problem IS NOT NULL ORDER BY began_at DESC LIMIT 1) AS problem
FROM audit_pass
"""


@dataclass(frozen=True, slots=True)
class Sagas:
    """`unanswered`: asked so often that it is no delay any more (LONG_UNANSWERED)."""

    waiting: int
    stuck: int
    unanswered: int


@dataclass(frozen=True, slots=True)
class Told:
    """Mails of the last day that failed and mails that wait; subscribers, and their webhooks that wait."""

    mails_failed: int
    mails_waiting: int
    mails_seconds: float
    subscribers_dead: int
    subscribers_disabled: int
    webhooks_waiting: int
    webhooks_seconds: float


@dataclass(frozen=True, slots=True)
class Audit:
    """Violations by kind, the most frequent first, of the oldest 1000; `seconds` since a check of the auditor began or
    ended, None before the first."""

    findings: Mapping[str, int]
    seconds: float | None
    problem: str | None


async def sagas(databases: Databases) -> Sagas:
    """Raises Away."""
    async with databases.reading("booking") as connection:
        open_ones = [status for status in Status if status is not Status.DONE]
        rows = await connection.fetch(SAGAS, open_ones, list(Step), LONG_UNANSWERED)
    by_status = {status: sum(row["total"] for row in rows if row["status"] == status) for status in open_ones}
    unanswered = sum(row["unanswered"] for row in rows if row["status"] == Status.WAITING)
    stuck = by_status.pop(Status.STUCK)
    return Sagas(sum(by_status.values()), stuck, unanswered)


async def money(databases: Databases) -> Mapping[tuple[str, str], float]:
    """By gauge and label, as payments' gauges name them; what is 0 is not there. Raises Away."""
    async with databases.reading("payments") as connection:
        rows = await connection.fetch(LOOK, OVERDUE_MINUTES)
    return {(row["gauge"], row["label"]): row["value"] for row in rows}


async def told(databases: Databases, now: datetime) -> Told:
    """Raises Away."""
    async with databases.reading("notifications") as connection:
        mails = await connection.fetchrow(MAILS, now)
        of = await connection.fetchrow(subscribers.LOOK, now - subscribers.DEAD_AFTER)
        waiting = await connection.fetchrow(subscribers.WAITING, now)
    assert mails is not None, "a row without FROM"
    assert of is not None, "an aggregate"
    assert waiting is not None, "an aggregate"
    return Told(
        mails["failed"],
        mails["pending"],
        mails["oldest_seconds"],
        of["dead"],
        of["disabled"],
        waiting["pending"],
        waiting["oldest_seconds"] or 0.0,
    )


async def audit(databases: Databases) -> Audit:
    """Raises Away."""
    async with databases.reading("operations") as connection:
        findings = await connection.fetch(FINDINGS)
        passes = await connection.fetchrow(AUDIT)
    assert passes is not None, "an aggregate"
    return Audit({row["kind"]: row["count"] for row in findings}, passes["seconds"], passes["problem"])
