"""Databases filled as if they had been in use for years, and emptied again."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from booking_contracts.rights import SERVICES

from services.payments.stripe_calls.api import StripeApi
from stripe_simulator.simulator import Settings, Simulator
from tests.bench.years import database_of, fill

SCALE = 20_000
KEPT = ("alembic_version", "booking_state", "legal_transition", "reconciled_until", "stripe_sweep", "comparison_state")


@pytest.fixture(scope="module")
def filled(databases: dict[str, str]) -> Iterator[dict[str, str]]:
    """The addresses of stack.env, with 20,000 bookings and what goes with them."""
    admin = databases["POSTGRES_ADMIN_URL"]
    asyncio.run(_each(admin, full=True))
    yield databases
    asyncio.run(_each(admin, full=False))


async def _each(admin: str, *, full: bool) -> None:
    await asyncio.gather(*(_empty(admin, service) for service in SERVICES))
    if full:
        await asyncio.gather(*(fill(admin, service, SCALE) for service in SERVICES))


async def _empty(admin: str, service: str) -> None:
    connection = await asyncpg.connect(database_of(admin, service))
    tables = await connection.fetch("SELECT relname FROM pg_stat_user_tables WHERE relname <> ALL($1)", KEPT)
    names = ", ".join(row["relname"] for row in tables)
    await connection.execute(f"SET session_replication_role = replica; TRUNCATE {names} RESTART IDENTITY CASCADE")
    await connection.close()


@pytest.fixture
async def stripe_api(tmp_path: Path) -> AsyncIterator[StripeApi]:
    """Stripe's simulator, to which nothing has happened."""
    offset_file = tmp_path / "offset"
    offset_file.write_bytes(struct.pack("<q", 0))
    simulator = Simulator(Settings(clock_offset_file=offset_file))
    await simulator.start()
    yield StripeApi(lambda: "sk_test_1", simulator.api_url)
    await simulator.stop()
