"""What operators do about webhooks (bookingctl webhooks): see, send again, try, rotate, switch on and off."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from booking_contracts.envelope import rfc3339, uuid7

from services.chassis.clock import Clock
from services.chassis.database import Connection
from services.chassis.operator import NotPossible
from services.notifications.model.subscriptions import delivery_id
from services.notifications.subscriptions import store
from services.notifications.subscriptions.signing import content_of, shown

TEST_TYPE = "notifications.WebhookTest.v1"
"""Of the event that `bookingctl webhooks test` sends; Kafka has none like it."""
SLICE = 1_000
LOOKED_AT = 10_000
"""So many of a subscriber's newest deliveries are looked through for those of a state."""

ONE = """
SELECT subscription_id, url, state, disabled_for, provider_id, customer_id,
       array_to_string(event_types, ' ') AS event_types, failing_since, last_error
FROM webhook_subscription WHERE subscription_id = $1 AND state <> 'deleted'
"""
LIST = """
SELECT s.subscription_id, s.url, s.state, s.disabled_for, s.provider_id, s.customer_id,
       array_to_string(s.event_types, ' ') AS event_types, s.failing_since, s.last_error,
       (SELECT count(*) FROM (
           SELECT FROM webhook_delivery d WHERE d.subscription_id = s.subscription_id AND d.state = 'pending'
           LIMIT 1000) w) AS waiting
FROM webhook_subscription s WHERE s.state <> 'deleted' AND (NOT $1 OR s.state = 'disabled' OR s.failures > 0)
  AND ($3::uuid[] IS NULL OR s.subscription_id = ANY($3))
ORDER BY s.number LIMIT $2
"""
DELIVERIES = f"""
SELECT d.delivery_id, d.created_at, e.type, d.key, d.state, d.tries, d.try_at, d.status, d.reason, d.answer
FROM (SELECT delivery_id, event_id, number, created_at, key, state, tries, try_at, status, reason, answer
      FROM webhook_delivery WHERE subscription_id = $1 ORDER BY number DESC LIMIT {LOOKED_AT}) d
JOIN webhook_event e USING (event_id)
WHERE $2::text IS NULL OR d.state = $2 ORDER BY d.number DESC LIMIT $3
"""
REDELIVER = f"""
UPDATE webhook_delivery d
SET state = 'pending', opened_at = $1, try_at = $1, tries = 0, settled_at = NULL, reason = NULL
FROM (SELECT w.delivery_id, w.number FROM webhook_delivery w JOIN webhook_subscription s USING (subscription_id)
      WHERE s.state = 'active' AND w.state <> 'pending' AND w.number > $2 AND w.number < $8
        AND ($3::uuid IS NULL OR w.delivery_id = $3) AND ($4::uuid IS NULL OR w.subscription_id = $4)
        AND ($5::timestamptz IS NULL OR w.created_at >= $5) AND ($6::timestamptz IS NULL OR w.created_at < $6)
        AND (NOT $7 OR w.state = 'failed')
      ORDER BY w.number LIMIT {SLICE} FOR UPDATE OF w) o
WHERE d.delivery_id = o.delivery_id RETURNING d.number
"""
HERE = "SELECT nextval('delivery_number_seq')"
"""What is there has a lower number, whatever its clock says."""
TEST_EVENT = "INSERT INTO webhook_event (event_id, type, key, content, created_at) VALUES ($1, $2, $3, $4, $5)"
TEST_DELIVERY = """
INSERT INTO webhook_delivery (delivery_id, subscription_id, event_id, key, created_at, opened_at, try_at)
VALUES ($1, $2, $3, $4, $5, $5, $5)
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries are to be sent again: one, or those of a subscription, made in a span of time, or failed."""

    delivery: UUID | None = None
    subscription: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    failed: bool = False


async def listed(
    connection: Connection, *, ailing: bool, most: int, of: Sequence[UUID] | None = None
) -> Sequence[asyncpg.Record]:
    """Subscriptions, oldest first; `ailing`: those that fail or are switched off, `of`: of these alone."""
    return await connection.fetch(LIST, ailing, most, of)


async def one(connection: Connection, subscription_id: UUID) -> asyncpg.Record:
    """A subscription. Raises NotPossible."""
    row = await connection.fetchrow(ONE, subscription_id)
    if row is None:
        raise NotPossible(f"there is no subscription {subscription_id}")
    return row


async def deliveries(
    connection: Connection, subscription_id: UUID, state: str | None, most: int
) -> Sequence[asyncpg.Record]:
    """What one subscription was sent, the newest first; of a state, of its LOOKED_AT newest."""
    return await connection.fetch(DELIVERIES, subscription_id, state, most)


async def redeliver(connection: Connection, clock: Clock, wanted: Wanted) -> int:
    """Send again what has come to its end, to subscribers that are active; how many there were.

    The same webhook-id as before: who has it already leaves it. Slices, each by itself; what is made meanwhile is in
    none. Raises NotPossible.
    """
    if wanted == Wanted(until=wanted.until):
        raise NotPossible("name a delivery, a subscription, --since or --failed: not everything there ever was")
    now = clock.now()
    count, after, here = 0, 0, await connection.fetchval(HERE)
    while True:
        rows = await connection.fetch(
            REDELIVER,
            now,
            after,
            wanted.delivery,
            wanted.subscription,
            wanted.since,
            wanted.until,
            wanted.failed,
            here,
        )
        count += len(rows)
        if len(rows) < SLICE:
            break
        after = max(row["number"] for row in rows)
    if not count and wanted.delivery is not None:
        raise NotPossible(f"{wanted.delivery} is no delivery that has ended, of a subscription that is active")
    return count


async def test(connection: Connection, clock: Clock, subscription_id: UUID) -> UUID:
    """Send an event that means nothing; its delivery's id. Raises NotPossible."""
    now, event_id, key = clock.now(), uuid7(), str(uuid7())
    headers = [("ce_id", str(event_id)), ("ce_type", TEST_TYPE), ("ce_source", "/notifications")]
    headers.append(("ce_time", rfc3339(now)))
    body = json.dumps({"subscription_id": str(subscription_id), "text": "A test: nothing has happened."}).encode()
    delivery = delivery_id(event_id, subscription_id)
    async with connection.transaction():
        state = await connection.fetchval(
            "SELECT state FROM webhook_subscription WHERE subscription_id = $1 FOR KEY SHARE", subscription_id
        )
        if state != "active":
            raise NotPossible(f"{subscription_id} is no subscription that is active")
        await connection.execute(TEST_EVENT, event_id, TEST_TYPE, f"test:{key}", content_of(headers, key, body), now)
        await connection.execute(TEST_DELIVERY, delivery, subscription_id, event_id, f"test:{key}", now)
    return delivery


async def rotate(connection: Connection, clock: Clock, subscription_id: UUID, overlap: timedelta) -> str:
    """A new secret, as receivers take it; the one before it is signed with too, for `overlap`. Raises NotPossible."""
    secret = await store.rotate(connection, subscription_id, clock.now(), overlap)
    if secret is None:
        raise NotPossible(f"there is no subscription {subscription_id}")
    return shown(secret)


async def switch(connection: Connection, clock: Clock, subscription_id: UUID, *, on: bool) -> str:
    """Switch it on or off; what it is then. Raises NotPossible."""
    if on:
        row = await store.enable(connection, subscription_id)
    else:
        row = await store.disable(connection, subscription_id, clock.now())
    if row is None:
        raise NotPossible(f"there is no subscription {subscription_id}")
    return f"{row['url']} is {row['state']}"
