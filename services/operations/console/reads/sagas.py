"""Sagas that are not done, those that are stuck first."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from services.chassis.database import Connection
from services.chassis.operator import NotPossible

LOOKED_AT, COUNTED = 5_000, 10_000
"""After an outage there may be more than anybody reads: so many are sorted, and counted."""
NOT_DONE = f"""
SELECT s.booking_id, s.step, s.attempt, s.status, s.asked, s.ask_again_at, s.problem, s.disputes, b.state, l.since
FROM (SELECT booking_id, step, attempt, status, asked, ask_again_at, problem, disputes
      FROM ((SELECT booking_id, step, attempt, status, asked, ask_again_at, problem, disputes FROM saga
             WHERE status = 'stuck' AND ($1::text IS NULL OR status = $1) AND ($2::text IS NULL OR step = $2)
               AND asked >= $4 LIMIT {LOOKED_AT})
            UNION ALL
            (SELECT booking_id, step, attempt, status, asked, ask_again_at, problem, disputes FROM saga
             WHERE status <> 'done' AND status <> 'stuck'
               AND ($1::text IS NULL OR status = $1) AND ($2::text IS NULL OR step = $2)
               AND asked >= $4 LIMIT {LOOKED_AT})) found
      ORDER BY status = 'stuck' DESC, ask_again_at LIMIT $3) s
JOIN booking b USING (booking_id)
LEFT JOIN LATERAL (SELECT min(at) AS since FROM saga_log g
                   WHERE g.booking_id = s.booking_id AND g.step = s.step AND g.attempt = s.attempt) l ON true
ORDER BY s.status = 'stuck' DESC, s.ask_again_at
"""
COUNTS = f"""
SELECT status, step, count(*)::int AS sagas
FROM (SELECT status, step FROM saga WHERE status <> 'done' LIMIT {COUNTED}) open
GROUP BY status, step ORDER BY status = 'stuck' DESC, status, step
"""


async def not_done(
    connection: Connection, *, status: str | None, step: str | None, most: int, asked: int = 0
) -> list[asyncpg.Record]:
    """The stuck ones, then those that wait the longest. `since`: when its step was first asked; `asked`: so often at
    least."""
    return await connection.fetch(NOT_DONE, status, step, most, asked)


async def counts(connection: Connection) -> list[asyncpg.Record]:
    """How many there are by status and step, up to COUNTED together."""
    return await connection.fetch(COUNTS)


async def state_of(connection: Connection, booking_id: UUID) -> str:
    """A booking's state. Raises NotPossible."""
    state: str | None = await connection.fetchval("SELECT state FROM booking WHERE booking_id = $1", booking_id)
    if state is None:
        raise NotPossible(f"there is no booking {booking_id}")
    return state
