"""Calls to Stripe that do not end, for an operator: which, how often they were tried, and why (operations-cli)."""

from __future__ import annotations

import asyncpg

from services.chassis.database import Connection


async def calls(connection: Connection, *, minutes: int) -> list[asyncpg.Record]:
    """Calls that have been open for so long, the oldest first; they go on being tried, once a minute at least."""
    return await connection.fetch(
        """
        SELECT opened_at, operation, subject, tries, try_at, last_error FROM gateway_call
        WHERE state = 'open' AND opened_at < statement_timestamp() - make_interval(mins => $1)
        ORDER BY opened_at LIMIT 500
        """,
        minutes,
    )
