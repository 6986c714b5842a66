"""The revisions of a service's schema that this build brings, and whether the database has them.

A service asks at its start and for its health; it migrates nothing, and does not load Alembic for the question.
"""

from __future__ import annotations

from pathlib import Path

import asyncpg

from services.chassis.database import Connection, Pool

SERVICES = Path(__file__).parents[1]


def revisions(service: str) -> tuple[str, ...]:
    """Ids, oldest first: services/booking/migrations/0017_wanted_by.py is `booking_0017`."""
    numbers = {path.name.partition("_")[0] for path in (SERVICES / service / "migrations").glob("[0-9]*_*.py")}
    return tuple(f"{service}_{number}" for number in sorted(numbers))


async def missing_revisions(pool: Pool | Connection, service: str) -> str | None:
    """The revision that this build needs and the database has not reached, or None."""
    brought = revisions(service)
    needed = brought[-1]
    try:
        reached = await pool.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return needed
    if reached == needed:
        return None
    return needed if reached in brought or reached is None else None  # a newer database is fine
