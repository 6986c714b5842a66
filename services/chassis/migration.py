"""Migrations: Alembic runs each service's forward-only SQL files; the process checks that it has what it needs."""

from __future__ import annotations

from pathlib import Path

import asyncpg
from alembic import command, op
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.util import await_only

from services.chassis.database import Pool

HERE = Path(__file__).parent
ENGINE_SQL = HERE / "migrations"
SERVICES = HERE.parent


def configuration(service: str, url: str = "") -> Config:
    """Alembic's configuration for one service; its revisions lie in services/<service>/migrations."""
    config = Config()
    config.set_main_option("script_location", str(HERE / "alembic"))
    config.set_main_option("version_locations", str(SERVICES / service / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url.replace("postgresql://", "postgresql+asyncpg://", 1)
    return config


def migrate(service: str, url: str) -> None:
    """Bring a database to this build's newest revision. `url` is the owner's role."""
    command.upgrade(configuration(service, url), "head")


async def missing_revisions(pool: Pool, service: str) -> str | None:
    """The revision that this build needs and the database has not reached, or None."""
    script = ScriptDirectory.from_config(configuration(service))
    needed = script.get_current_head()
    try:
        reached = await pool.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return needed
    if reached == needed:
        return None
    known = {revision.revision for revision in script.walk_revisions()}
    return needed if reached in known or reached is None else None  # a newer database is fine


def run_sql(path: Path) -> None:
    """Run a file of many statements inside a revision; SQLAlchemy's own execute takes one at a time."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    await_only(connection.execute(path.read_text()))
