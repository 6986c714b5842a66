"""A database that says nothing any more, though nobody closed the connection, is given up (requirement health)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from deploy.local.ports import free_ports
from services.chassis import database
from services.chassis.database import Session
from services.chassis.failures import Failure, classify
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
