"""Migrations: Alembic runs each service's forward-only revisions.

A revision is one transaction, and what it locks stays locked to its end: it waits 2 s for a lock and is tried again.
What would hold a lock for long on a table with traffic has a way of its own: `index_concurrently`, `constraint`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import structlog
from alembic import command, op
from alembic.config import Config
from sqlalchemy.util import await_only

from services.chassis.database import Connection, Where
from services.chassis.failures import backoff_seconds
from services.chassis.migration_locks import Blocked

log = structlog.get_logger()
HERE = Path(__file__).parent
ENGINE_SQL = HERE / "migrations"
SERVICES = HERE.parent
TRIES = 20
"""For about four minutes: 2 s for the lock, then up to 10 s in which whoever queued behind it goes on."""
CONCURRENT_LOCK_TIMEOUT = "60s"
"""For transactions that began before a concurrent build; nobody queues behind it, and services' end within 30 s."""


def configuration(service: str, database: Where = "", revisions: Path | None = None) -> Config:
    """Alembic's configuration for one service; its `revisions` lie in services/<service>/migrations."""
    config = Config()
    config.set_main_option("script_location", str(HERE / "alembic"))
    config.set_main_option("version_locations", str(revisions or SERVICES / service / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["database"] = database
    return config


def migrate(service: str, database: Where, revisions: Path | None = None, tries: int = TRIES) -> None:
    """Bring a database, as its owner, to this build's newest revision.

    A revision that cannot have its locks is tried again, from where the database is by then. Raises Blocked when it
    could not have them for `tries` times; the text names who holds them.
    """
    for number in range(1, tries + 1):
        try:
            command.upgrade(configuration(service, database, revisions), "head")
            return
        except Blocked as blocked:
            if number == tries:
                raise
            wait = backoff_seconds(number, first=0.5, most=10)
            log.warning("migration is tried again", service=service, wait_seconds=round(wait, 1), reason=str(blocked))
            time.sleep(wait)


def run_sql(path: Path) -> None:
    """Run a file of many statements inside a revision; SQLAlchemy's own execute takes one at a time."""
    op.get_bind().exec_driver_sql("SELECT 1")  # SQLAlchemy begins the revision's transaction with its first statement
    _run(_driver().execute(path.read_text()))


def run_indexes(path: Path) -> None:
    """Inside a revision of its own: build and drop the indexes of a file of CREATE INDEX and DROP INDEX statements,
    none of which stops those who write. May be repeated."""
    text = re.sub(r"--[^\n]*", "", path.read_text())
    for statement in filter(None, (" ".join(part.split()) for part in text.split(";"))):
        if created := re.fullmatch(r"CREATE (UNIQUE )?INDEX (\w+) ON (.+)", statement):
            index_concurrently(created[2], created[3], unique=bool(created[1]))
        elif dropped := re.fullmatch(r"DROP INDEX (\w+)", statement):
            with op.get_context().autocommit_block():
                _run(_driver().execute(f"DROP INDEX CONCURRENTLY IF EXISTS {dropped[1]}"))
        else:
            raise ValueError(f"{path.name} may create and drop indexes, and do nothing else: {statement}")


def index_concurrently(name: str, on: str, *, unique: bool = False) -> None:
    """Inside a revision of its own: build an index without stopping those who write.

    `on` is what follows ON: "booking (slot_id) WHERE deadline IS NOT NULL". May be repeated: an index that a failed
    build has left behind is dropped, a finished one stays.
    """
    with op.get_context().autocommit_block():
        driver = _driver()
        built = _run(driver.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)", name))
        if built:
            return
        _run(driver.execute(f"SET lock_timeout = '{CONCURRENT_LOCK_TIMEOUT}'"))
        if built is False:
            _run(driver.execute(f"DROP INDEX CONCURRENTLY {name}"))
        _run(driver.execute(f"CREATE {'UNIQUE ' if unique else ''}INDEX CONCURRENTLY {name} ON {on}"))
        _run(driver.execute("RESET lock_timeout"))


def constraint(table: str, name: str, definition: str) -> None:
    """Inside a revision of its own: add or replace a CHECK or a foreign key, "CHECK (step IN ('settle'))".

    It holds for new rows at once, under a lock that lasts a moment; old rows are looked at while traffic goes on.
    May be repeated.
    """
    with op.get_context().autocommit_block():
        add = f"DROP CONSTRAINT IF EXISTS {name}, ADD CONSTRAINT {name} {definition} NOT VALID"
        _run(_driver().execute(f"ALTER TABLE {table} {add}"))
        _run(_driver().execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}"))


def _driver() -> Connection:
    connection: Connection | None = op.get_bind().connection.driver_connection
    assert connection is not None
    return connection


def _run(statement: Coroutine[Any, Any, Any]) -> Any:
    return await_only(statement)
