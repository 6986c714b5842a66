"""SQL of the worker: deliveries that are due are claimed, and what became of each try is recorded.

A delivery that is claimed is due again when its lease has ended: who claimed it is then gone. Only the head of a line,
the first pending delivery of a subscription and key, may be sent; one behind it is put off until its head is due.

Lock order: webhook_delivery ORDER BY number → webhook_subscription ORDER BY subscription_id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from services.chassis.database import Connection, PooledConnection
from services.notifications.model.subscriptions import GIVE_UP_AFTER

LEASE = timedelta(seconds=30)
"""Longer than a try takes (posting.py), with what a loop that stands still may add."""
SLICE = 500
LOOKED_AT = 16
"""Due deliveries of one subscription that one claim looks at: some of them may wait behind their heads."""

CLAIM = f"""
WITH RECURSIVE waiting AS (
    (SELECT subscription_id FROM webhook_delivery WHERE state = 'pending' ORDER BY subscription_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.subscription_id FROM webhook_delivery d
            WHERE d.state = 'pending' AND d.subscription_id > w.subscription_id ORDER BY d.subscription_id LIMIT 1)
    FROM waiting w WHERE w.subscription_id IS NOT NULL
), awake AS (
    SELECT s.subscription_id, s.failures > 0 AS doubtful, s.rest_until,
           CASE WHEN s.failures > 0 THEN 1 ELSE $3 END - coalesce(h.held, 0) AS room
    FROM waiting w JOIN webhook_subscription s ON s.subscription_id = w.subscription_id
    LEFT JOIN unnest($4::uuid[], $5::int[]) AS h (subscription_id, held) ON h.subscription_id = s.subscription_id
    WHERE s.state = 'active' AND (s.rest_until IS NULL OR s.rest_until <= $1)
), chosen AS (
    SELECT subscription_id, room FROM (
        SELECT subscription_id, room, doubtful, row_number() OVER (PARTITION BY doubtful ORDER BY rest_until) AS nth
        FROM awake WHERE room > 0) a
    WHERE NOT doubtful OR nth <= $6
), looked AS MATERIALIZED (
    SELECT d.delivery_id, d.subscription_id, d.try_at, d.number, c.room,
           (SELECT p.try_at FROM webhook_delivery p
            WHERE p.subscription_id = d.subscription_id AND p.key = d.key AND p.state = 'pending'
              AND p.number < d.number ORDER BY p.number LIMIT 1) AS head_at
    FROM chosen c CROSS JOIN LATERAL (
        SELECT delivery_id, subscription_id, key, number, try_at FROM webhook_delivery
        WHERE subscription_id = c.subscription_id AND state = 'pending' AND try_at <= $1
        ORDER BY try_at, number LIMIT {LOOKED_AT} FOR UPDATE SKIP LOCKED) d
), put_off AS (
    UPDATE webhook_delivery d SET try_at = greatest(l.head_at, $1::timestamptz + $2::interval)
    FROM looked l WHERE d.delivery_id = l.delivery_id AND l.head_at IS NOT NULL
), taken AS (
    SELECT delivery_id FROM (
        SELECT delivery_id, room, row_number() OVER (PARTITION BY subscription_id ORDER BY try_at, number) AS nth
        FROM looked WHERE head_at IS NULL) heads
    WHERE nth <= room ORDER BY nth LIMIT $7
)
UPDATE webhook_delivery d SET try_at = $1::timestamptz + $2::interval
FROM taken t, webhook_event e, webhook_subscription s
WHERE d.delivery_id = t.delivery_id AND e.event_id = d.event_id AND s.subscription_id = d.subscription_id
RETURNING d.delivery_id, d.subscription_id, d.event_id, d.key, d.created_at, d.tries, s.url, s.failures, e.content,
          ARRAY(SELECT k.secret FROM webhook_secret k WHERE k.subscription_id = d.subscription_id
                AND (k.valid_until IS NULL OR k.valid_until > $1) ORDER BY k.number DESC) AS secrets
"""
"""$1 now, $2 lease, $3 tries of one subscription at once, $4 and $5 those that are being made, $6 room for subscribers
whose last try failed, $7 for all. Subscriptions are walked by the index, those alone that something waits for."""

LOCK = """
SELECT delivery_id FROM webhook_delivery WHERE delivery_id = ANY($1) AND state = 'pending' ORDER BY number FOR UPDATE
"""
RECORD = """
UPDATE webhook_delivery d
SET state = t.state, try_at = t.try_at, tries = d.tries + 1, reason = t.reason, status = t.status, answer = t.answer,
    settled_at = CASE WHEN t.state <> 'pending' THEN $7::timestamptz END
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::int[], $6::text[])
    AS t (delivery_id, state, try_at, reason, status, answer)
WHERE d.delivery_id = t.delivery_id AND d.state = 'pending'
RETURNING d.delivery_id
"""
GO_ON = """
UPDATE webhook_delivery SET try_at = $3 WHERE try_at > $3 AND delivery_id = ANY(ARRAY(
    SELECT (SELECT d.delivery_id FROM webhook_delivery d
            WHERE d.subscription_id = l.subscription_id AND d.key = l.key AND d.state = 'pending'
            ORDER BY d.number LIMIT 1)
    FROM unnest($1::uuid[], $2::text[]) AS l (subscription_id, key)))
"""
"""The next of each line whose head has come to its end, once that can be seen."""
END = f"""
UPDATE webhook_delivery SET state = 'failed', settled_at = $1, reason = CASE
    WHEN o.live AND reason IS NULL THEN 'given up after 3 days: its turn did not come'
    WHEN o.live THEN 'given up after 3 days: ' || reason
    ELSE 'the subscription is switched off' END
FROM (SELECT d.delivery_id, s.state = 'active' AS live
      FROM webhook_delivery d JOIN webhook_subscription s USING (subscription_id)
      WHERE d.delivery_id = ANY(ARRAY(
          SELECT delivery_id FROM webhook_delivery WHERE state = 'pending' AND opened_at <= $2
          ORDER BY opened_at LIMIT {SLICE})) OR d.delivery_id = ANY(ARRAY(
          SELECT p.delivery_id FROM webhook_subscription o CROSS JOIN LATERAL (
              SELECT delivery_id FROM webhook_delivery WHERE subscription_id = o.subscription_id AND state = 'pending'
              LIMIT {SLICE}) p
          WHERE o.state <> 'active' LIMIT {SLICE}))
      ORDER BY d.number FOR UPDATE OF d SKIP LOCKED) o
WHERE webhook_delivery.delivery_id = o.delivery_id AND webhook_delivery.state = 'pending'
RETURNING webhook_delivery.delivery_id, subscription_id, event_id, key, reason
"""
"""Those that were tried for long enough ($2), and those of subscriptions that are not active any more."""


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery in this process's hands."""

    delivery_id: UUID
    subscription_id: UUID
    event_id: UUID
    key: str
    created_at: datetime
    tries: int
    url: str
    failures: int
    """Tries in a row of this subscriber that have failed."""
    content: str
    secrets: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Tried:
    """What a try comes to. While it is pending, `try_at` is when it is tried again."""

    due: Due
    state: str
    try_at: datetime
    reason: str | None
    status: int | None
    answer: str | None


async def claim(
    connection: Connection | PooledConnection,
    now: datetime,
    *,
    per_subscription: int,
    held: Mapping[UUID, int],
    most_doubtful: int,
    most: int,
) -> list[Due]:
    """Take up to `most` deliveries whose time has come; `held`: how many of each subscription are being tried here."""
    rows = await connection.fetch(
        CLAIM, now, LEASE, per_subscription, list(held), list(held.values()), most_doubtful, most
    )
    return [
        Due(
            row["delivery_id"],
            row["subscription_id"],
            row["event_id"],
            row["key"],
            row["created_at"],
            row["tries"],
            row["url"],
            row["failures"],
            row["content"],
            row["secrets"],
        )
        for row in rows
    ]


async def record(connection: Connection | PooledConnection, now: datetime, tried: Sequence[Tried]) -> set[UUID]:
    """Write what tries came to; returns those that counted: others were ended meanwhile. In the caller's transaction.

    What follows in their lines goes on with `go_on`.
    """
    await connection.fetch(LOCK, [one.due.delivery_id for one in tried])
    rows = await connection.fetch(
        RECORD,
        [one.due.delivery_id for one in tried],
        [one.state for one in tried],
        [one.try_at for one in tried],
        [one.reason for one in tried],
        [one.status for one in tried],
        [one.answer for one in tried],
        now,
    )
    return {row["delivery_id"] for row in rows}


async def go_on(connection: Connection | PooledConnection, now: datetime, lines: Sequence[tuple[UUID, str]]) -> None:
    """The next deliveries of these lines, (subscription, key), are due."""
    await connection.execute(GO_ON, [one for one, _ in lines], [key for _, key in lines], now)


async def end(connection: Connection | PooledConnection, now: datetime) -> list[asyncpg.Record]:
    """A slice of what is not tried any more, with what to tell of each."""
    return await connection.fetch(END, now, now - GIVE_UP_AFTER)


async def give_back(connection: Connection | PooledConnection, now: datetime, ids: Sequence[UUID]) -> None:
    """Claimed deliveries that were not tried are due again."""
    await connection.execute(
        "UPDATE webhook_delivery SET try_at = $2 WHERE delivery_id = ANY($1) AND state = 'pending'", ids, now
    )
