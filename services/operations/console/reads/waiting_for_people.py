"""What waits for a person, by the queries of the services' gauges: each number has a list behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from services.booking.gauges import LONG_UNANSWERED, SAGAS
from services.booking.saga import Status, Step
from services.chassis.database import Connection
from services.notifications.subscriptions import gauges as subscribers
from services.operations.console.databases import Databases
from services.payments.gauges import LOOK, OVERDUE_MINUTES

ON_THE_WAY = timedelta(minutes=1)
"""What was written, or is to be told, since then waits for nobody: it is being sent."""
THE_SAGA = "SELECT booking_id FROM saga WHERE status = 'stuck' LIMIT 1"
MAILS = """
SELECT (SELECT count(*) FROM (SELECT FROM delivery WHERE state = 'failed'
                              AND settled_at > $1::timestamptz - interval '1 day' LIMIT 10000) f) AS failed,
       (SELECT count(*) FROM (SELECT FROM delivery WHERE state = 'pending' AND created_at < $2 LIMIT 10000) p)
           AS waiting
"""
WEBHOOKS = """
SELECT subscription_id, count(*)
FROM (SELECT subscription_id FROM webhook_delivery WHERE state = 'pending' AND opened_at < $1 LIMIT 10000) w
GROUP BY subscription_id
"""
THE_DEAD = f"SELECT subscription_id FROM webhook_subscription WHERE state <> 'deleted' AND ({subscribers.DEAD}) LIMIT 1"
FAILING_FOR = timedelta(minutes=5)
"""A subscriber that has taken nothing for so long is no hiccup of its network."""
SUBSCRIBERS = 20
"""More than a person on call reads; the list has all."""
AILING = f"""
SELECT subscription_id, url, coalesce(state = 'disabled' OR failing_since <= $2, true) AS dead,
       state = 'disabled' AS off, extract(epoch FROM $3::timestamptz - failing_since)::float8 AS seconds, last_error
FROM webhook_subscription WHERE state <> 'deleted' AND ({subscribers.DEAD})
ORDER BY state, failing_since LIMIT {SUBSCRIBERS}
"""
PARKED = """
(SELECT 'refunds' AS kind, failure FROM refund WHERE status = 'failed' AND parked LIMIT 1) UNION ALL
(SELECT 'payouts', failure FROM payout WHERE status = 'parked' LIMIT 1)
"""
FINDINGS = """
SELECT kind, count(*), min(violation_id::text)::uuid AS first
FROM (SELECT kind, violation_id FROM violation WHERE gone_at IS NULL ORDER BY first_seen LIMIT 1000) v
GROUP BY kind ORDER BY count(*) DESC, kind
"""
AUDIT = """
SELECT extract(epoch FROM clock_timestamp() - max(coalesce(ended_at, began_at)))::float8 AS seconds,
       (SELECT problem FROM audit_pass WHERE problem IS NOT NULL ORDER BY began_at DESC LIMIT 1) AS problem
FROM audit_pass
"""


@dataclass(frozen=True, slots=True)
class Sagas:
    """`unanswered`: asked so often that it is no delay any more (LONG_UNANSWERED). `the_stuck`: the booking of the
    stuck one, where there is one alone."""

    waiting: int
    stuck: int
    unanswered: int
    the_stuck: UUID | None = None


@dataclass(frozen=True, slots=True)
class Money:
    """`gauges`: by gauge and label, as payments' gauges name them; what is 0 is not there. `why_parked`: what one of
    the parked refunds and of the parked payouts failed for."""

    gauges: Mapping[tuple[str, str], float]
    why_parked: Mapping[str, str | None] = field(default_factory=dict)

    def total(self, gauge: str, only: str | None = None) -> int:
        """Of all labels, or of one."""
        found = (value for (name, label), value in self.gauges.items() if name == gauge and only in (None, label))
        return int(sum(found))


@dataclass(frozen=True, slots=True)
class Ailing:
    """A subscriber that has taken nothing for FAILING_FOR, or was switched off for that (`off`). `dead`: so long that
    nobody waits for it any more."""

    subscription_id: UUID
    url: str
    dead: bool
    off: bool
    seconds: float | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """Mails of the last day that failed; mails and webhooks that wait for longer than they are ON_THE_WAY. `the_dead`:
    the subscriber, where one alone is; `the_awaited`: whom all of the webhooks that wait are for."""

    mails_failed: int = 0
    mails_waiting: int = 0
    subscribers_dead: int = 0
    webhooks_waiting: int = 0
    the_dead: UUID | None = None
    the_awaited: UUID | None = None
    ailing: Sequence[Ailing] = ()


@dataclass(frozen=True, slots=True)
class Audit:
    """Violations by kind, the most frequent first, of the oldest 1000; `seconds` since a check of the auditor began or
    ended, None before the first. `the_finding`: where there is one alone."""

    findings: Mapping[str, int]
    seconds: float | None
    problem: str | None
    the_finding: UUID | None = None


async def sagas(databases: Databases) -> Sagas:
    """Raises Away."""
    async with databases.reading("booking") as connection:
        open_ones = [status for status in Status if status is not Status.DONE]
        rows = await connection.fetch(SAGAS, open_ones, list(Step), LONG_UNANSWERED)
        by_status = {status: sum(row["total"] for row in rows if row["status"] == status) for status in open_ones}
        stuck = by_status.pop(Status.STUCK)
        the_stuck = await connection.fetchval(THE_SAGA) if stuck == 1 else None
    unanswered = sum(row["unanswered"] for row in rows if row["status"] == Status.WAITING)
    return Sagas(sum(by_status.values()), stuck, unanswered, the_stuck)


async def money(databases: Databases) -> Money:
    """Raises Away."""
    async with databases.reading("payments") as connection:
        rows = await connection.fetch(LOOK, OVERDUE_MINUTES)
        parked = await connection.fetch(PARKED)
    return Money(
        {(row["gauge"], row["label"]): row["value"] for row in rows}, {row["kind"]: row["failure"] for row in parked}
    )


async def told(databases: Databases, now: datetime) -> Told:
    """Raises Away."""
    async with databases.reading("notifications") as connection:
        mails = await connection.fetchrow(MAILS, now, now - ON_THE_WAY)
        dead_since = now - subscribers.DEAD_AFTER
        of = await connection.fetchrow(subscribers.LOOK, dead_since)
        webhooks = await connection.fetch(WEBHOOKS, now - ON_THE_WAY)
        assert mails is not None, "a row without FROM"
        assert of is not None, "an aggregate"
        the_dead = await connection.fetchval(THE_DEAD, dead_since) if of["dead"] == 1 else None
        ailing = await connection.fetch(AILING, now - FAILING_FOR, dead_since, now)
    the_awaited = webhooks[0]["subscription_id"] if len(webhooks) == 1 else None
    waiting = sum(row["count"] for row in webhooks)
    return Told(
        mails_failed=mails["failed"],
        mails_waiting=mails["waiting"],
        subscribers_dead=of["dead"],
        webhooks_waiting=waiting,
        the_dead=the_dead,
        the_awaited=the_awaited,
        ailing=[Ailing(**row) for row in ailing],
    )


async def awaited(connection: Connection, now: datetime) -> Sequence[UUID]:
    """For whom webhooks wait, of notifications' subscribers."""
    return [row["subscription_id"] for row in await connection.fetch(WEBHOOKS, now - ON_THE_WAY)]


async def audit(databases: Databases) -> Audit:
    """Raises Away."""
    async with databases.reading("operations") as connection:
        findings = await connection.fetch(FINDINGS)
        passes = await connection.fetchrow(AUDIT)
    assert passes is not None, "an aggregate"
    kinds = {row["kind"]: row["count"] for row in findings}
    the_finding = findings[0]["first"] if sum(kinds.values()) == 1 else None
    return Audit(kinds, passes["seconds"], passes["problem"], the_finding)
