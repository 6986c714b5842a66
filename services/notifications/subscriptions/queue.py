"""SQL of the worker: deliveries that are due are claimed.

A delivery that is claimed is due again when its lease has ended: who claimed it is then gone. Only the head of a line,
the first pending delivery of a subscription and key, may be sent; one behind it is put off until its head is due.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.chassis.database import Connection, PooledConnection

LEASE = timedelta(seconds=30)
"""Longer than a try takes (posting.py), with what a loop that stands still may add."""
LOOKED_AT = 64
"""Due deliveries of one subscription that one claim looks at: some of them may wait behind their heads."""

WAITING = """
RECURSIVE waiting AS (
    (SELECT subscription_id FROM webhook_delivery WHERE state = 'pending' ORDER BY subscription_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.subscription_id FROM webhook_delivery d
            WHERE d.state = 'pending' AND d.subscription_id > w.subscription_id ORDER BY d.subscription_id LIMIT 1)
    FROM waiting w WHERE w.subscription_id IS NOT NULL)
"""
"""Subscriptions that something waits for: walked by the index, one step each, however much waits."""
CLAIM = f"""
WITH {WAITING}, awake AS (
    SELECT s.subscription_id, s.failures > 0 AS doubtful, s.rest_until,
           CASE WHEN s.failures > 0 THEN 1 ELSE $3 END - coalesce(h.held, 0) AS room
    FROM waiting w JOIN webhook_subscription s ON s.subscription_id = w.subscription_id
    LEFT JOIN unnest($4::uuid[], $5::int[]) AS h (subscription_id, held) ON h.subscription_id = s.subscription_id
    WHERE s.state = 'active' AND (s.rest_until IS NULL OR s.rest_until <= $1)
      AND (s.busy_until IS NULL OR s.busy_until <= $1)
), chosen AS (
    SELECT subscription_id, room FROM (
        SELECT subscription_id, room, doubtful, row_number() OVER (PARTITION BY doubtful ORDER BY rest_until) AS nth
        FROM awake WHERE room > 0) a
    WHERE NOT doubtful OR nth <= $6
), looked AS MATERIALIZED (
    SELECT d.delivery_id, d.subscription_id, d.try_at, d.number, c.room,
           (SELECT p.delivery_id FROM webhook_delivery p
            WHERE p.subscription_id = d.subscription_id AND p.key = d.key AND p.state = 'pending'
              AND p.number < d.number ORDER BY p.number LIMIT 1) AS head_id
    FROM chosen c CROSS JOIN LATERAL (
        SELECT delivery_id, subscription_id, key, number, try_at FROM webhook_delivery
        WHERE subscription_id = c.subscription_id AND state = 'pending' AND try_at <= $1
        ORDER BY try_at, number LIMIT {LOOKED_AT} FOR UPDATE SKIP LOCKED) d
), heads AS (
    SELECT delivery_id FROM (
        SELECT delivery_id, room, row_number() OVER (PARTITION BY subscription_id ORDER BY try_at, number) AS nth
        FROM looked WHERE head_id IS NULL) h
    WHERE nth <= room ORDER BY nth LIMIT $7
), taken AS (
    UPDATE webhook_delivery d SET try_at = $1::timestamptz + $2::interval
    FROM heads h, webhook_event e, webhook_subscription s
    WHERE d.delivery_id = h.delivery_id AND e.event_id = d.event_id AND s.subscription_id = d.subscription_id
    RETURNING d.delivery_id, d.subscription_id, d.event_id, d.key, d.created_at, d.tries, s.url, s.failures, e.type,
              e.content
)
SELECT delivery_id, subscription_id, event_id, key, created_at, tries, url, failures, type, content,
       ARRAY(SELECT k.secret FROM webhook_secret k WHERE k.subscription_id = t.subscription_id
             AND (k.valid_until IS NULL OR k.valid_until > $1) ORDER BY k.number DESC) AS secrets,
       NULL::uuid AS head_id
FROM taken t
UNION ALL
SELECT delivery_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, head_id
FROM looked WHERE head_id IS NOT NULL
"""
"""$1 now, $2 lease, $3 tries of one subscription at once, $4 and $5 those that are being made, $6 room for subscribers
whose last try failed, $7 for all. With what is taken comes what waits behind its head, without its content."""
PUT_OFF = """
WITH heads AS MATERIALIZED (
    SELECT delivery_id, try_at FROM webhook_delivery WHERE delivery_id = ANY($2) AND state = 'pending'
    ORDER BY number FOR NO KEY UPDATE SKIP LOCKED)
UPDATE webhook_delivery d SET try_at = greatest(b.try_at, $3::timestamptz + interval '1 second')
FROM (SELECT w.delivery_id, h.try_at
      FROM unnest($1::uuid[], $2::uuid[]) AS b (delivery_id, head_id) JOIN heads h ON h.delivery_id = b.head_id
      JOIN webhook_delivery w ON w.delivery_id = b.delivery_id
      WHERE w.state = 'pending' AND w.try_at <= $3 ORDER BY w.number FOR NO KEY UPDATE OF w SKIP LOCKED) b
WHERE d.delivery_id = b.delivery_id
"""
"""Under the lock of the head: its outcome is not recorded meanwhile, so that what follows is not put off after it."""


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
    type: str
    content: str
    secrets: Sequence[bytes]


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
    if behind := [row for row in rows if row["head_id"] is not None]:
        await connection.execute(
            PUT_OFF, [row["delivery_id"] for row in behind], [row["head_id"] for row in behind], now
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
            row["type"],
            row["content"],
            row["secrets"],
        )
        for row in rows
        if row["head_id"] is None
    ]


async def give_back(connection: Connection | PooledConnection, now: datetime, ids: Sequence[UUID]) -> None:
    """Claimed deliveries that were not tried are due again."""
    await connection.execute(
        "UPDATE webhook_delivery SET try_at = $2 WHERE delivery_id = ANY($1) AND state = 'pending'", ids, now
    )
