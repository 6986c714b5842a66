"""The databases of the console, as it stands between them and their faults (requirement console)."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.console.conftest import named

pytestmark = pytest.mark.requirement("console")


async def test_who_is_cancelled_while_a_database_dies_ends(databases: dict[str, str]) -> None:
    """Its transaction cannot be ended any more, and that is no reason to go on."""
    of, held = named(databases), asyncio.Event()

    async def look() -> None:
        async with of.reading("booking") as connection:
            await end(connection.get_server_pid())
            held.set()
            await asyncio.sleep(60)

    async def end(pid: int) -> None:
        admin = await asyncpg.connect(databases["POSTGRES_ADMIN_URL"])
        await admin.execute("SELECT pg_terminate_backend($1, 5000)", pid)
        await admin.close()

    async with of.opened():
        looking = asyncio.create_task(look())
        await held.wait()
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking
