"""SQL of subscriptions: made, listed, ended, switched on and off; their secrets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from booking_contracts.envelope import uuid7
from booking_contracts.http.notifications import Subscribe

from services.chassis.database import Connection, PooledConnection
from services.notifications.model.subscriptions import SECRET_OVERLAP
from services.notifications.subscriptions.signing import new_secret

MOST = 10_000
"""Subscriptions that are not deleted."""
COLUMNS = """
    number, subscription_id, url, event_types, provider_id, customer_id, owner_email, description, state, disabled_for,
    created_at, disabled_at, failing_since, last_error
"""
INSERT = f"""
INSERT INTO webhook_subscription
    (subscription_id, url, event_types, provider_id, customer_id, owner_email, description, created_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8
WHERE (SELECT count(*) FROM webhook_subscription WHERE state <> 'deleted') < {MOST}
RETURNING {COLUMNS}
"""
PAGE = f"""
SELECT {COLUMNS} FROM webhook_subscription WHERE number > $1 AND state <> 'deleted' ORDER BY number LIMIT $2
"""
DELETE = f"""
UPDATE webhook_subscription
SET state = 'deleted', disabled_for = NULL, owner_email = '', failures = 0, failing_since = NULL, rest_until = NULL
WHERE subscription_id = $1 AND state <> 'deleted' RETURNING {COLUMNS}
"""
DISABLE = f"""
UPDATE webhook_subscription SET state = 'disabled', disabled_for = 'operator', disabled_at = $2
WHERE subscription_id = $1 AND state <> 'deleted' RETURNING {COLUMNS}
"""
ENABLE = f"""
UPDATE webhook_subscription
SET state = 'active', disabled_for = NULL, disabled_at = NULL, failures = 0, failing_since = NULL, rest_until = NULL,
    busy_until = NULL
WHERE subscription_id = $1 AND state <> 'deleted' RETURNING {COLUMNS}
"""
ADD_SECRET = "INSERT INTO webhook_secret (subscription_id, secret) VALUES ($1, $2)"
END_SECRETS = """
UPDATE webhook_secret SET valid_until = $2
WHERE subscription_id = $1 AND (valid_until IS NULL OR valid_until > $2)
"""
FORGET_SECRETS = "DELETE FROM webhook_secret WHERE subscription_id = $1"
FORGET_OLD = "DELETE FROM webhook_secret WHERE subscription_id = $1 AND valid_until <= $2"

Open = Connection | PooledConnection


async def subscribe(connection: Open, asked: Subscribe, now: datetime) -> tuple[asyncpg.Record, bytes] | None:
    """A new subscription, and the secret that it is signed with; None where there are too many."""
    secret = new_secret()
    async with connection.transaction():
        row = await connection.fetchrow(
            INSERT,
            uuid7(),
            asked.url,
            list(dict.fromkeys(asked.event_types)),
            asked.provider_id,
            asked.customer_id,
            asked.owner_email,
            asked.description,
            now,
        )
        if row is not None:
            await connection.execute(ADD_SECRET, row["subscription_id"], secret)
    return None if row is None else (row, secret)


async def page(connection: Open, after: int, most: int) -> list[asyncpg.Record]:
    """Those that are not deleted, oldest first."""
    return await connection.fetch(PAGE, after, most)


async def unsubscribe(connection: Open, subscription_id: UUID) -> asyncpg.Record | None:
    """It is over: what waits for it is given up soon, its secrets and its owner's address are forgotten at once."""
    async with connection.transaction():
        row = await connection.fetchrow(DELETE, subscription_id)
        await connection.execute(FORGET_SECRETS, subscription_id)
    return row


async def disable(connection: Open, subscription_id: UUID, now: datetime) -> asyncpg.Record | None:
    """An operator switches it off."""
    return await connection.fetchrow(DISABLE, subscription_id, now)


async def enable(connection: Open, subscription_id: UUID) -> asyncpg.Record | None:
    """It is told of what happens from now on, and tried at once."""
    return await connection.fetchrow(ENABLE, subscription_id)


async def rotate(
    connection: Open, subscription_id: UUID, now: datetime, overlap: timedelta = SECRET_OVERLAP
) -> bytes | None:
    """A new secret; the one before it stays valid for `overlap`, and those before that end now. None: unknown."""
    secret = new_secret()
    async with connection.transaction():
        known = await connection.fetchval(
            "SELECT state FROM webhook_subscription WHERE subscription_id = $1 FOR NO KEY UPDATE", subscription_id
        )
        if known is None or known == "deleted":
            return None
        await connection.execute(FORGET_OLD, subscription_id, now)
        newest: Sequence[asyncpg.Record] = await connection.fetch(
            "SELECT number FROM webhook_secret WHERE subscription_id = $1 ORDER BY number DESC LIMIT 1", subscription_id
        )
        await connection.execute(
            "DELETE FROM webhook_secret WHERE subscription_id = $1 AND number <> ALL($2)",
            subscription_id,
            [row["number"] for row in newest],
        )
        await connection.execute(END_SECRETS, subscription_id, now + overlap)
        await connection.execute(ADD_SECRET, subscription_id, secret)
    return secret
