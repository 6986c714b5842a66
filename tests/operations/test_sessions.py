"""Sessions of a database: a statement without what somebody typed into it, and ending one that keeps others waiting."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from services.operations.sessions import SESSIONS, without_values
from tests.operations.conftest import Typed, typed

__all__ = ["typed"]
pytestmark = pytest.mark.requirement("operations-cli")


@asynccontextmanager
async def held(url: str, by: str, *, waits: bool = True) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Inside of the block a session by the address `by` holds a lock, for which another one of `url` waits."""
    holder, waiter = await asyncpg.connect(by), await asyncpg.connect(url)
    await holder.execute("BEGIN; SELECT pg_advisory_xact_lock(7)")
    waiting = asyncio.create_task(waiter.execute("SELECT pg_advisory_xact_lock(7)")) if waits else None
    try:
        while waiting is not None and not await holder.fetchval(
            "SELECT true FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        ):
            assert not waiting.done()
        yield holder
    finally:
        if waits:
            if not holder.is_closed():
                await holder.execute("COMMIT")
            assert waiting is not None
            await waiting
        for one in (holder, waiter):
            await one.close()


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("SELECT * FROM b WHERE name = 'Ann Smith' AND seats > 17", "SELECT * FROM b WHERE name = ? AND seats > ?"),
        ("SELECT 'it''s Ann', E'it\\'s Ann', e'\\\\' , 'c:\\', 'Ann'", "SELECT ?, ?, ? , ?, ?"),
        ("SELECT N'Ann', U&'Ann', x'AA', $$Ann$$, $a$Ann $$ Ann$a$", "SELECT ?, U&?, ?, ?, ?"),
        ("UPDATE t1 SET \"it's\" = $1, b2 = 'Ann' WHERE c = $12", "UPDATE t1 SET \"it's\" = $1, b2 = ? WHERE c = $12"),
        ("SELECT a -- of Ann\n, b /* Ann /* and */ Ann */ FROM c", "SELECT a , b FROM c"),
        ("SELECT 1.5e3, -2, 0xFF, 10_000 FROM t", "SELECT ?, -?, ?, ? FROM t"),
        ("INSERT INTO t VALUES ('Ann, cut off here", "INSERT INTO t VALUES (?"),
        ("SELECT $$Ann, cut", "SELECT ?"),
        ("SELECT /* Ann, cut", "SELECT"),
    ],
)  # fmt: skip
def test_a_statement_is_shown_without_its_values(typed: str, shown: str) -> None:
    assert without_values(typed) == shown


def test_our_own_statements_stay_readable() -> None:
    assert "pg_blocking_pids(pid) AS behind" in without_values(SESSIONS)


async def test_who_keeps_others_waiting_stands_first_and_is_ended(databases: dict[str, str], typed: Typed) -> None:
    url = databases["BOOKING_DATABASE_URL"]
    async with held(url, url) as holder:
        pid = holder.get_server_pid()
        found = json.loads(await typed("sessions list booking --json"))
        assert (found[0]["pid"], found[0]["blocks"]) == (pid, 1)
        (waits,) = (one for one in found if one["behind"])
        assert (waits["behind"], waits["statement"]) == ([pid], "SELECT pg_advisory_xact_lock(?)")
        assert f"session {pid} is ended" in await typed("sessions end booking", pid)
    assert f"session {pid} is over" in await typed("sessions end booking", pid, code=1)


async def test_who_waits_itself_is_no_cause(databases: dict[str, str], typed: Typed) -> None:
    """A queue: the second holds what the third wants, and wants what the first holds."""
    url = databases["BOOKING_DATABASE_URL"]
    second, third = await asyncpg.connect(url), await asyncpg.connect(url)
    await second.execute("BEGIN; SELECT pg_advisory_xact_lock(8)")
    async with held(url, url) as first:
        waiting = [asyncio.create_task(second.execute("SELECT pg_advisory_xact_lock(7)"))]
        waiting += [asyncio.create_task(third.execute("SELECT pg_advisory_xact_lock(8)"))]
        while await first.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") < 3:
            assert not any(one.done() for one in waiting)
        said = await typed("sessions end booking", second.get_server_pid(), code=1)
        assert f"waits itself, for {first.get_server_pid()}" in said
    await waiting[0]
    await second.execute("COMMIT")
    await waiting[1]
    for one in (second, third):
        await one.close()


async def test_who_keeps_nobody_waiting_is_left(databases: dict[str, str], typed: Typed) -> None:
    url = databases["BOOKING_DATABASE_URL"]
    async with held(url, url, waits=False) as holder:
        assert "keeps nobody waiting" in await typed("sessions end booking", holder.get_server_pid(), code=1)
        assert await holder.fetchval("SELECT 1") == 1


@pytest.mark.parametrize("who", ["BOOKING_MIGRATION_URL", "POSTGRES_ADMIN_URL"])
async def test_a_session_of_another_role_is_nobody_s_to_end(databases: dict[str, str], typed: Typed, who: str) -> None:
    """A migration, and a superuser by hand: what PostgreSQL itself refuses is said before."""
    by = databases[who].rsplit("/", 1)[0] + "/booking"
    async with held(databases["BOOKING_DATABASE_URL"], by) as holder:
        pid = holder.get_server_pid()
        found = json.loads(await typed("sessions list booking --json"))
        assert (found[0]["pid"], found[0]["blocks"]) == (pid, 1), "it is seen that it blocks"
        assert "A superuser ends it" in await typed("sessions end booking", pid, code=1)
        service = await asyncpg.connect(databases["BOOKING_DATABASE_URL"])
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await service.execute("SELECT pg_terminate_backend($1)", pid)
        await service.close()
        assert await holder.fetchval("SELECT 1") == 1


async def test_a_session_of_another_service_is_not_reached(databases: dict[str, str], typed: Typed) -> None:
    url = databases["PAYMENTS_DATABASE_URL"]
    async with held(url, url) as holder:
        assert "is over" in await typed("sessions end booking", holder.get_server_pid(), code=1)
        assert str(holder.get_server_pid()) not in await typed("sessions list booking --json")
