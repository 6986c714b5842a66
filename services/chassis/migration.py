"""Migrations: Alembic runs each service's forward-only SQL files; the process checks that it has what it needs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from services.chassis.database import Pool

HERE = Path(__file__).parent
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


async def run_file(path: Path, url: str) -> None:
    """Run a file of SQL; for tests."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(await asyncio.to_thread(path.read_text))
    finally:
        await connection.close()
