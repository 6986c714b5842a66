"""A database that says nothing any more, though nobody closed the connection, is given up (requirement health)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from deploy.local.ports import free_ports
from services.chassis import database
from services.chassis.database import Session
from services.chassis.failures import Failure, classify
from services.chassis.local import Local
from tests.chassis.harness import Engine
from tests.faults.proxy import Link

pytestmark = pytest.mark.requirement("health")


@pytest.fixture
async def link(engine: Engine) -> AsyncIterator[Link]:
    """Between us and PostgreSQL."""
    link = Link(free_ports(1, taken=set())[0], urlsplit(engine.session.url).port or 0)
    await link.do("pass", 0.0)
    yield link
    await link.do("refuse", 0.0)


def through(link: Link, url: str) -> str:
    parts = urlsplit(url)
    return url.replace(f"{parts.hostname}:{parts.port}", f"127.0.0.1:{link.port}")


@pytest.mark.timeout(30)
async def test_a_batch_does_not_wait_for_a_database_that_is_silent(
    engine: Engine, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "SILENT_SECONDS", 1.0)
    session = Session(through(link, engine.session.url), "silent")
    async with session.transaction() as connection:
        assert await connection.fetchval("SELECT 1") == 1
    await link.do("hole", 0.0)
    began = time.monotonic()
    with pytest.raises((OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError)) as raised:
        async with session.transaction() as connection:
            await connection.fetchval("SELECT 2")
    assert time.monotonic() - began < 5
    assert classify(raised.value) is Failure.AWAY, "it is waited for"
    await link.do("pass", 0.0)
    async with session.transaction() as connection:
        assert await connection.fetchval("SELECT 3") == 3
    await session.close()


async def test_a_connection_that_was_lost_between_two_batches_is_told_to_whoever_looks_for_rows(engine: Engine) -> None:
    """Another database may stand behind the next, without the end: it goes back to its positions (decisions/0037)."""
    local = Local(engine.session, engine.clock, engine.service.local_types, {})
    connection, ended = await engine.session.connection(), asyncio.Event()
    connection.add_termination_listener(lambda _: ended.set())
    assert await local.due(1, [0]) == []
    other = await asyncpg.connect(engine.session.url)
    await other.execute("SELECT pg_terminate_backend($1)", connection.get_server_pid())
    await other.close()
    await ended.wait()
    with pytest.raises(OSError, match="was lost"):
        await local.due(1, [0])
    assert await local.due(1, [0]) == [], "once"
