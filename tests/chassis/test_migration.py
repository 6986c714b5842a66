"""Migrations under traffic: who waits for whom, for how long, and what is left when one fails."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

ROOT = Path(__file__).resolve().parents[2]
MIGRATE = """
import sys
from pathlib import Path
from services.chassis.migration import migrate
migrate("test", sys.argv[1], Path(sys.argv[2]), tries=int(sys.argv[3]))
"""
TABLE = "op.execute('CREATE TABLE chair (number int, colour text)')"


@dataclass
class Place:
    """A database of a test's own, its revisions, and migrators as processes."""

    url: str
    folder: Path
    admin: Any
    admin_url: str
    running: list[asyncio.subprocess.Process] = field(default_factory=list)
    revisions: int = 0

    def revision(self, *body: str) -> None:
        """Write the next revision."""
        self.revisions += 1
        before = f"'r{self.revisions - 1}'" if self.revisions > 1 else "None"
        lines = [
            "from alembic import op",
            "from services.chassis.migration import constraint, index_concurrently, run_sql",
            "from pathlib import Path",
            f"revision, down_revision = 'r{self.revisions}', {before}",
            "def upgrade() -> None:",
            *(f"    {line}" for line in body),
        ]
        (self.folder / f"r{self.revisions}.py").write_text("\n".join(lines) + "\n")

    def sql(self, *files: str) -> None:
        """Write the next revision, from files of SQL as the services have them."""
        paths = [self.folder / f"r{self.revisions + 1}_{number}.sql" for number, _ in enumerate(files, 1)]
        for path, statements in zip(paths, files, strict=True):
            path.write_text(statements)
        self.revision(*(f"run_sql(Path({str(path)!r}))" for path in paths))

    async def start(self, tries: int = 20) -> asyncio.subprocess.Process:
        """A migrator at work."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", MIGRATE, self.url, str(self.folder), str(tries)),
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'contracts'}"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self.running.append(process)
        return process

    async def migrate(self, tries: int = 20) -> tuple[int | None, str]:
        """Exit code and what it said."""
        process = await self.start(tries)
        said, _ = await process.communicate()
        return process.returncode, said.decode()

    async def reached(self) -> str | None:
        return await self.admin.fetchval("SELECT version_num FROM alembic_version")  # type: ignore[no-any-return]

    async def session(self, name: str) -> Any:
        """Somebody else's session."""
        return await asyncpg.connect(self.admin_url, server_settings={"application_name": name})

    async def until_waiting(self, process: asyncio.subprocess.Process) -> None:
        """The migrator waits for a lock. Fails where it ends instead."""
        waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'"
        async with asyncio.timeout(20):
            while not await self.admin.fetchval(waits, "migration"):
                assert process.returncode is None, "the migrator waited for nobody"
                await asyncio.sleep(0.05)


@pytest.fixture
async def place(databases: dict[str, str], tmp_path: Path) -> AsyncIterator[Place]:
    name = f"migrations_{uuid4().hex[:8]}"
    superuser = await asyncpg.connect(databases["POSTGRES_ADMIN_URL"])
    await superuser.execute(f"CREATE DATABASE {name} OWNER booking_owner")
    url = databases["BOOKING_MIGRATION_URL"].rsplit("/", 1)[0] + f"/{name}"
    admin_url = databases["POSTGRES_ADMIN_URL"].rsplit("/", 1)[0] + f"/{name}"
    admin = await asyncpg.connect(admin_url)
    place = Place(url, tmp_path, admin, admin_url)
    yield place
    for process in place.running:
        if process.returncode is None:
            process.kill()
            await process.wait()
    await admin.close()
    await superuser.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await superuser.close()


async def test_a_revision_that_fails_is_undone_and_the_earlier_ones_stay(place: Place) -> None:
    place.revision(TABLE)
    place.sql("CREATE TABLE table_of_two (a int)", "INSERT INTO table_of_two VALUES ('not a number')")
    place.sql("CREATE TABLE table_of_three (a int);")
    code, said = await place.migrate()
    assert code != 0
    assert "not a number" in said
    assert await place.reached() == "r1"
    assert await place.admin.fetchval("SELECT to_regclass('table_of_two')") is None
    (place.folder / "r2_2.sql").write_text("INSERT INTO table_of_two VALUES (2)")
    assert (await place.migrate())[0] == 0
    assert await place.reached() == "r3"


async def test_a_migration_that_waits_for_a_lock_lets_traffic_pass_and_tries_again(place: Place) -> None:
    place.revision(TABLE)
    assert (await place.migrate())[0] == 0
    place.sql("ALTER TABLE chair ADD COLUMN way text")
    holder, client = await place.session("psql of bob"), await place.session("booking-1")
    begun = holder.transaction()
    await begun.start()
    await holder.execute("SELECT FROM chair")
    migrator = await place.start()
    longest = 0.0
    for _ in range(2):
        await place.until_waiting(migrator)
        started = time.monotonic()
        await client.execute(
            "INSERT INTO chair VALUES (1, 'red')", timeout=10
        )  # queues behind the migration, and passes
        longest = max(longest, time.monotonic() - started)
    assert migrator.returncode is None
    await begun.rollback()
    said, _ = await migrator.communicate()
    assert migrator.returncode == 0, said.decode()
    assert longest < 5, "a client waited for as long as the holder wanted"
    assert "psql of bob" in said.decode()
    assert await place.reached() == "r2"
    await holder.close()
    await client.close()


async def test_a_migration_that_cannot_have_its_lock_names_who_holds_it_and_for_how_long(place: Place) -> None:
    place.revision(TABLE)
    assert (await place.migrate())[0] == 0
    place.sql("ALTER TABLE chair ADD COLUMN way text")
    holder = await place.session("psql of bob")
    async with holder.transaction():
        await holder.execute("SELECT FROM chair")
        code, said = await place.migrate(tries=1)
    await holder.close()
    assert code != 0
    assert "It waited for psql of bob of role postgres (process " in said
    assert "in a transaction for " in said
    assert await place.reached() == "r1"


async def test_an_index_is_built_while_others_write_also_where_a_build_has_failed(place: Place) -> None:
    place.revision(TABLE)
    assert (await place.migrate())[0] == 0
    await place.admin.execute("INSERT INTO chair VALUES (1, 'red'), (1, 'red')")
    with pytest.raises(asyncpg.UniqueViolationError):
        await place.admin.execute("CREATE UNIQUE INDEX CONCURRENTLY chair_number ON chair (number)")
    await place.admin.execute("ALTER INDEX chair_number OWNER TO booking_owner")
    await place.admin.execute("DELETE FROM chair")
    place.revision("index_concurrently('chair_number', 'chair (number)', unique=True)")
    writer, client = await place.session("writer"), await place.session("client")
    begun = writer.transaction()
    await begun.start()
    await writer.execute("INSERT INTO chair VALUES (1, 'red')")
    migrator = await place.start(tries=1)
    await place.until_waiting(migrator)
    await client.execute("INSERT INTO chair VALUES (2, 'blue')", timeout=1)
    await asyncio.sleep(2.5)  # longer than a revision waits for an ordinary lock
    await begun.commit()
    said, _ = await migrator.communicate()
    assert migrator.returncode == 0, said.decode()
    assert await place.reached() == "r2"
    assert await place.admin.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = 'chair_number'::regclass")
    await writer.close()
    await client.close()


async def test_two_migrators_at_once_do_everything_once(place: Place) -> None:
    place.revision(TABLE, "op.execute('SELECT pg_sleep(1.5)')")
    place.revision("index_concurrently('chair_number', 'chair (number)')")
    place.sql("CREATE TABLE log (line int); INSERT INTO log VALUES (1); SELECT pg_sleep(1)")
    results = await asyncio.gather(place.migrate(tries=1), place.migrate(tries=1))
    assert [code for code, _ in results] == [0, 0], results
    assert await place.reached() == "r3"
    assert await place.admin.fetchval("SELECT count(*) FROM log") == 1
    assert any("this one waits for it" in said for _, said in results)


async def test_a_constraint_is_replaced_and_old_rows_are_looked_at_without_a_strong_lock(place: Place) -> None:
    place.revision(TABLE, "op.execute(\"ALTER TABLE chair ADD CONSTRAINT known CHECK (colour IN ('red'))\")")
    assert (await place.migrate())[0] == 0
    place.revision("constraint('chair', 'known', \"CHECK (colour IN ('red', 'blue'))\")")
    assert (await place.migrate())[0] == 0
    await place.admin.execute("INSERT INTO chair VALUES (1, 'blue')")
    assert await place.admin.fetchval("SELECT convalidated FROM pg_constraint WHERE conname = 'known'")
    place.revision("constraint('chair', 'known', \"CHECK (colour IN ('red'))\")")
    code, said = await place.migrate()
    assert code != 0
    assert "is violated by some row" in said
    assert await place.reached() == "r2"
    with pytest.raises(asyncpg.CheckViolationError):
        await place.admin.execute("INSERT INTO chair VALUES (2, 'blue')")
