"""Whether a database has the revisions of this build, asked without Alembic and answered as Alembic would."""

from __future__ import annotations

import subprocess
import sys

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from booking_contracts.rights import SERVICES

from services.chassis.database import Pool, open_pool
from services.chassis.migration import configuration
from services.chassis.revisions import missing_revisions, revisions


@pytest.mark.parametrize("service", SERVICES)
def test_the_ids_are_those_of_alembic(service: str) -> None:
    walked = ScriptDirectory.from_config(configuration(service)).walk_revisions()
    assert [revision.revision for revision in walked][::-1] == list(revisions(service))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_starts_without_alembic(service: str) -> None:
    """Nor SQLAlchemy under it: a quarter of the time until a process hears anything."""
    loads = f"import sys, services.{service}.app; print({{'alembic', 'sqlalchemy'}} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True).stdout == "set()\n"


@pytest.mark.requirement("health")
@pytest.mark.parametrize(
    ("reached", "missing"),
    [
        ("booking_0001", True),
        (None, True),
        (revisions("booking")[-1], False),
        ("booking_9999", False),
    ],
)
async def test_what_is_missing(databases: dict[str, str], reached: str | None, missing: bool) -> None:
    """In a schema of the test's own; a revision that this build does not know is a newer build's."""
    connection = await asyncpg.connect(databases["POSTGRES_ADMIN_URL"])
    try:
        await connection.execute("CREATE TEMP TABLE alembic_version (version_num text)")
        if reached is not None:
            await connection.execute("INSERT INTO alembic_version VALUES ($1)", reached)
        assert (await missing_revisions(connection, "booking")) == (revisions("booking")[-1] if missing else None)
    finally:
        await connection.close()


async def test_a_database_without_any_table_lacks_the_newest(databases: dict[str, str]) -> None:
    pool: Pool = await open_pool(databases["POSTGRES_ADMIN_URL"], "revisions", size=1)
    try:
        assert await missing_revisions(pool, "payments") == revisions("payments")[-1]
    finally:
        await pool.close()
