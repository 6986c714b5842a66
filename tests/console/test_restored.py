"""docs/operate/restore.md, done: the database of operations goes back to a point, while the services' stand at now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from booking_contracts.testkit.snapshots import keep_database, set_database_back
from booking_contracts.testkit.waiting import eventually

from services.operations.console import jobs
from services.operations.databases import OPERATIONS
from tests.console.acting import WHY, dialog, do, operations
from tests.console.conftest import Visit, hidden, named
from tests.console.test_acts_on_letters import booking, plant
from tests.console.test_jobs import begun, row_of, still_open, work

__all__ = ["booking", "operations"]
pytestmark = pytest.mark.requirement("console", "operations-cli")


@pytest.fixture
async def admin(databases: dict[str, str]) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Who restores; the copy is gone afterwards."""
    connection = await asyncpg.connect(databases["POSTGRES_ADMIN_URL"])
    yield connection
    await connection.execute(f"DROP DATABASE IF EXISTS {OPERATIONS}_snapshot")
    await connection.close()


async def test_a_job_that_was_under_way_then_treats_no_letter_by_itself(
    visit: Visit,
    databases: dict[str, str],
    booking: asyncpg.Connection[asyncpg.Record],
    operations: asyncpg.Connection[asyncpg.Record],
    admin: asyncpg.Connection[asyncpg.Record],
) -> None:
    """It had been stopped after the point. What it had done until then, and after it, is done once."""
    await plant(booking, "booking", 3 * jobs.PORTION)
    job = await begun(databases, 3 * jobs.PORTION, kind="discard")
    await work(databases)
    await keep_database(admin, OPERATIONS)

    await work(databases)
    opened = named(databases)
    async with opened.opened():
        await jobs.stop(opened, job)
    await set_database_back(admin, OPERATIONS)

    otto = await visit("otto", databases=named(databases))
    again = await asyncpg.connect(databases["OPERATIONS_DATABASE_URL"])

    async def ended() -> bool:
        return (await row_of(again, job))["ended_at"] is not None

    await eventually("it is left", ended, seconds=20)
    row = await row_of(again, job)
    assert (row["done"], row["stopped"]) == (jobs.PORTION, True)
    assert await still_open(booking) == jobs.PORTION, "as many as were left when it was stopped"
    page = await otto.shown(f"/jobs/{job}")
    assert jobs.LEFT in page

    of: dict[str, Any] = {"service": "booking", "error": "planted"}
    assert f"takes the {jobs.PORTION} letters" in await otto.shown(dialog("letters-discard", **of))
    await do(otto, "letters-discard", **of)

    async def treated() -> bool:
        return await still_open(booking) == 0

    await eventually("begun again, it takes what was left", treated, seconds=20)
    await again.close()


async def test_what_operators_did_after_the_point_is_forgotten_and_what_before_is_not(
    visit: Visit,
    databases: dict[str, str],
    booking: asyncpg.Connection[asyncpg.Record],
    operations: asyncpg.Connection[asyncpg.Record],
    admin: asyncpg.Connection[asyncpg.Record],
) -> None:
    """The letter stays redriven: it is a row of booking."""
    otto = await visit("otto", databases=named(databases))

    async def lives(when: str) -> object:
        (letter,) = await plant(booking, "booking", error=when)
        form = hidden(await otto.shown("/bookings"))
        answer = await otto.post("/views", {**form, "name": f"{when} the point", "path": "/bookings"})
        assert answer.status == 303
        ask = dialog("letter-redrive", service="booking", letter_id=letter)
        await otto.sent(ask, "/acts/letter-redrive", reason=f"{WHY}, {when}")
        return letter

    await lives("before")
    await keep_database(admin, OPERATIONS)
    await eventually("after the copy", lambda: otto.get("/jobs"), lambda answer: answer.status == 200)
    letter = await lives("after")
    assert [f"{when} the point" in await otto.shown("/views") for when in ("before", "after")] == [True, True]
    await set_database_back(admin, OPERATIONS)

    await eventually("after the restore", lambda: otto.get("/jobs"), lambda answer: answer.status == 200)
    views, log = await otto.shown("/views"), await otto.shown("/log")
    assert [f"{when} the point" in views for when in ("before", "after")] == [True, False]
    assert [f"{WHY}, {when}" in log for when in ("before", "after")] == [True, False]
    assert await booking.fetchval("SELECT status FROM dead_letter WHERE id = $1", letter) == "redriven"
