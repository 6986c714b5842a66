"""Now: verdicts with their reasons, numbers with their lists, and what is said where a part is away (console)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import asyncpg
import pytest
from booking_contracts.rights import SERVICES

from services.chassis.clock import SystemClock
from services.operations.console.reads import last_hour
from services.operations.console.reads.engine import engine_of
from tests.chassis.harness import Engine as Replica
from tests.chassis.scenes import Scene
from tests.console.conftest import Visit, named
from tests.operations.conftest import engine

__all__ = ["engine"]
pytestmark = pytest.mark.requirement("console")


async def test_the_page_shows_what_it_can_where_nothing_answers(visit: Visit) -> None:
    page = await (await visit("vera")).shown("/")
    for service in (*SERVICES, "operations"):
        assert f"the database of {service} was not named to the console" in page
    assert "Kafka" in page


async def test_one_database_that_is_away_hides_nothing_of_the_others(
    visit: Visit, databases: dict[str, str], engine: Replica
) -> None:
    of = named({**databases, "PAYMENTS_DATABASE_URL": "postgresql://payments:x@127.0.0.1:1/payments"})
    await (await Scene(engine).open()).confirmed()
    page = await (await visit("vera", databases=of)).shown("/")
    assert "the database of payments does not answer" in page
    assert "the database of booking" not in page
    assert "Bookings a minute" in page
    assert "Calls to Stripe a minute" not in page


@pytest.fixture
async def owner(databases: dict[str, str]) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(databases["BOOKING_DATABASE_URL"])
    yield connection
    await connection.close()


async def test_the_last_hour_is_what_history_says(
    databases: dict[str, str], engine: Replica, owner: asyncpg.Connection[asyncpg.Record]
) -> None:
    scene = await Scene(engine).open(slots=3)
    await scene.confirmed()
    await engine.tell(scene.place("mia", slot=1))
    of = named(databases)
    async with of.opened():
        found = await last_hour.bookings(of, engine.clock.now())
    for series, total in ((found.placed, 2), (found.confirmed, 1), (found.failed, 0)):
        assert len(series) == last_hour.MINUTES
        assert sum(one or 0 for one in series) == total
    assert [one for one in found.half_seconds if one is not None] != []


async def test_who_holds_rows_is_named(databases: dict[str, str], engine: Replica) -> None:
    """As a person does whose session was left open, or a migration."""
    await (await Scene(engine).open()).confirmed()
    of, holder = named(databases), await asyncpg.connect(databases["BOOKING_MIGRATION_URL"])
    async with of.opened():
        async with holder.transaction():
            await holder.execute("SELECT FROM slot FOR UPDATE")
            seen = await engine_of(of, "booking", engine.clock.now())
        after = await engine_of(of, "booking", engine.clock.now())
    pid = holder.get_server_pid()
    await holder.close()
    assert seen.holders == (f"session {pid} of booking_owner has locks on slot",)
    assert after.holders == ()


async def test_of_history_no_more_is_read_than_its_end(
    databases: dict[str, str], engine: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await Scene(engine).open()).confirmed()
    of = named(databases)
    async with of.opened():
        async with of.reading("booking") as connection:
            blocks = await connection.fetchval(last_hour.END)
            plan = await connection.fetch("EXPLAIN " + last_hour.BOOKINGS, (10**6, 0), engine.clock.now())
        monkeypatch.setattr(last_hour, "END_BLOCKS", 0)
        cut = await last_hour.bookings(of, engine.clock.now())
    assert "Tid Range Scan on booking_history" in "\n".join(line[0] for line in plan)
    assert blocks > 0
    assert sum(one or 0 for one in cut.placed) == 0


async def test_what_waits_in_a_database_is_seen(
    databases: dict[str, str], engine: Replica, owner: asyncpg.Connection[asyncpg.Record]
) -> None:
    await engine.tell((await Scene(engine).open()).place())
    batch = await asyncpg.connect(
        databases["BOOKING_DATABASE_URL"], server_settings={"application_name": "booking-7-batch"}
    )
    await owner.execute("SELECT pg_advisory_lock(7)")
    waiting = asyncio.create_task(batch.execute("SELECT pg_advisory_lock(7)"))
    of = named(databases)
    async with of.opened():
        while not (seen := await engine_of(of, "booking", SystemClock().now())).waiting_for_locks:
            assert not waiting.done()
    await owner.execute("SELECT pg_advisory_unlock(7)")
    await waiting
    await batch.close()
    assert "booking-7" in seen.replicas
    assert seen.outbox_rows > 0
    assert (seen.letters, seen.blocked) == (0, 0)


async def test_the_page_of_now_is_drawn_with_everything_there(
    visit: Visit, databases: dict[str, str], engine: Replica
) -> None:
    scene = await Scene(engine).open(capacity=2)
    await scene.confirmed("ann")
    await scene.confirmed("bob")
    await engine.fetch("UPDATE saga SET status = 'stuck'")
    page = await (await visit("vera", databases=named(databases))).shown("/")
    assert "sagas are stuck: 2" in page
    assert "/sagas?status=stuck" in page
    assert len(re.findall("<polyline", page)) >= 5
