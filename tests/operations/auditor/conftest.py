"""Forty bookings that agree in everything, and who writes by hand what no service would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from booking_contracts.rights import SERVICES

from services.chassis.database import Connection
from services.operations.auditor import looking
from services.operations.auditor.databases import Databases
from services.operations.databases import DATABASES
from tests.bench.agreeing import agree
from tests.bench.years import database_of
from tests.queries.conftest import empty

SCALE = 40


class Hand:
    """A superuser at psql, whom no trigger and no foreign key stops."""

    def __init__(self, admin: str) -> None:
        self._admin = admin

    async def __call__(self, service: str, statement: str) -> None:
        connection = await asyncpg.connect(database_of(self._admin, service))
        try:
            await connection.execute(f"SET session_replication_role = replica; {statement}")
        finally:
            await connection.close()


@pytest.fixture(scope="module")
def agreeing(databases: dict[str, str]) -> Iterator[dict[str, str]]:
    """The addresses of stack.env; everything in these databases agrees."""
    admin = databases["POSTGRES_ADMIN_URL"]

    async def each(*, full: bool) -> None:
        await asyncio.gather(*(empty(admin, database) for database in DATABASES))
        if full:
            await asyncio.gather(*(agree(admin, service, SCALE) for service in SERVICES))

    asyncio.run(each(full=True))
    yield databases
    asyncio.run(each(full=False))


@pytest.fixture
def hand(agreeing: dict[str, str]) -> Hand:
    return Hand(agreeing["POSTGRES_ADMIN_URL"])


@pytest.fixture
async def read(agreeing: dict[str, str]) -> AsyncIterator[Databases]:
    """As the auditor reads."""
    databases = Databases({service: agreeing[f"AUDITOR_{service.upper()}_DATABASE_URL"] for service in SERVICES})
    yield databases
    await databases.close()


@pytest.fixture
async def operations(agreeing: dict[str, str]) -> AsyncIterator[Connection]:
    """Where violations are kept."""
    connection = await asyncpg.connect(agreeing["OPERATIONS_DATABASE_URL"])
    yield connection
    await connection.close()


@pytest.fixture
def without_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is in motion here."""
    monkeypatch.setattr(looking, "PAUSE_SECONDS", 0.0)
