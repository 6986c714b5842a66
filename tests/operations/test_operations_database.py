"""The database of auditor and console: who may do what there, and what its tables hold to by themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from booking_contracts.rights import SERVICES

from services.chassis.database import Connection
from services.chassis.revisions import missing_revisions
from services.operations.databases import DATABASES, OPERATIONS

REFUSED = (asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError)
LOGGED = """
INSERT INTO operator_log (operator, act, subject, reason) VALUES ('ada', 'saga retry', 'a saga', 'it was stuck')
RETURNING entry_id
"""
FOUND = "INSERT INTO violation (kind, subject, detail) VALUES ('seat without a booking', $1, 'planted') RETURNING kind"


@pytest.fixture
async def operations(databases: dict[str, str]) -> AsyncIterator[Connection]:
    """As auditor and console are there; what a test writes is gone after it."""
    connection = await asyncpg.connect(databases["OPERATIONS_DATABASE_URL"])
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


async def test_it_is_migrated_beside_the_services_and_has_nothing_of_the_engine(operations: Connection) -> None:
    assert {*DATABASES} - {*SERVICES} == {OPERATIONS}
    assert await missing_revisions(operations, OPERATIONS) is None
    tables = await operations.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    assert {row["relname"] for row in tables} == {
        *("alembic_version", "violation", "audit_pass", "operator_log", "saved_view", "job", "ended_session")
    }


async def test_the_auditors_role_reads_it_and_writes_nothing(databases: dict[str, str]) -> None:
    auditor = await asyncpg.connect(databases["AUDITOR_OPERATIONS_DATABASE_URL"])
    try:
        assert await auditor.fetch("SELECT kind FROM violation WHERE subject = 'nobody'") == []
        for statement in ("DELETE FROM job", "UPDATE violation SET gone_at = now()", LOGGED):
            with pytest.raises(REFUSED):
                await auditor.execute(statement)
    finally:
        await auditor.close()


@pytest.mark.parametrize("elsewhere", SERVICES)
async def test_its_role_reaches_no_service_and_no_services_role_reaches_it(
    databases: dict[str, str], elsewhere: str
) -> None:
    ours, theirs = databases["OPERATIONS_DATABASE_URL"], databases[f"{elsewhere.upper()}_DATABASE_URL"]
    for url in (f"{ours.rpartition('/')[0]}/{elsewhere}", f"{theirs.rpartition('/')[0]}/{OPERATIONS}"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(url)


async def test_its_role_writes_rows_and_changes_no_table(operations: Connection) -> None:
    assert await operations.fetchval(FOUND, "one")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await operations.execute("ALTER TABLE operator_log DISABLE TRIGGER ALL")


async def test_a_violation_is_open_once_and_again_when_it_is_gone(operations: Connection) -> None:
    await operations.execute(FOUND, "one")
    async with operations.transaction():
        await operations.execute("UPDATE violation SET gone_at = now() WHERE subject = 'one'")
    await operations.execute(FOUND, "one")
    with pytest.raises(asyncpg.UniqueViolationError):
        await operations.execute(FOUND, "one")


async def test_what_an_operator_did_gets_its_outcome_once_and_stays(operations: Connection) -> None:
    entry = await operations.fetchval(LOGGED)
    end = "UPDATE operator_log SET outcome = $2, ended_at = now() WHERE entry_id = $1"
    await operations.execute(end, entry, "it goes on")
    with pytest.raises(asyncpg.CheckViolationError, match="kept as it was written"):
        await operations.execute(end, entry, "it never happened")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE operator_log SET operator = 'bob'",
        "UPDATE operator_log SET reason = 'none', outcome = 'done', ended_at = now()",
        "UPDATE operator_log SET at = at - interval '1 day'",
        "DELETE FROM operator_log",
    ],
)
async def test_what_an_operator_did_is_neither_changed_nor_deleted(operations: Connection, change: str) -> None:
    await operations.execute(LOGGED)
    with pytest.raises(asyncpg.CheckViolationError, match="kept as it was written"):
        await operations.execute(change)


async def test_what_was_done_to_a_filter_in_words_may_be_longer_than_an_index_takes(operations: Connection) -> None:
    words = "SELECT string_agg(md5(n::text), ' ') FROM generate_series(1, 200) n"
    insert = (
        f"INSERT INTO operator_log (operator, act, subject, reason) VALUES ('ada', 'letters-redrive', ({words}), '')"
    )
    assert await operations.fetchval(f"{insert} RETURNING length(subject)") > 6000


async def test_nor_emptied_by_its_owner(databases: dict[str, str]) -> None:
    owner = await asyncpg.connect(databases["OPERATIONS_MIGRATION_URL"])
    try:
        with pytest.raises(asyncpg.CheckViolationError, match="TRUNCATE is refused"):
            await owner.execute("TRUNCATE operator_log")
    finally:
        await owner.close()
