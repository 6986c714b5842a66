"""An act on all letters of a filter: a job in small portions, that outlives who works on it and can be stopped."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from booking_contracts.testkit.waiting import eventually

from services.chassis.clock import SystemClock
from services.chassis.database import Connection
from services.chassis.dead_letter_selection import Wanted
from services.operations.console import jobs
from services.operations.console.databases import Away, Databases
from tests.console.acting import WHY, Operations, dialog, do, operations, otto, told_by
from tests.console.conftest import Visit, Visitor, hidden, named
from tests.console.test_acts_on_letters import booking, emptied, plant

__all__ = ["booking", "operations", "otto"]
pytestmark = pytest.mark.requirement("console", "operations-cli")
WORKER = """
import asyncio, os
from services.chassis.clock import SystemClock
from services.operations.console import jobs
from services.operations.console.databases import Databases

async def main():
    databases = Databases.named()
    async with databases.opened("test-worker"):
        await jobs.run(databases, SystemClock())

jobs.PORTION = 5
asyncio.run(main())
"""


async def begun(
    databases: dict[str, str], total: int, *, kind: jobs.Kind = "redrive", service: str = "booking"
) -> UUID:
    """A job without a console that works on it."""
    opened = named(databases)
    async with opened.opened():
        asked = jobs.Asked.of(Wanted(kind="failed"), until=SystemClock().now(), for_good=False)
        return await jobs.begin(opened, "otto", kind, service, asked, WHY, total)


def without_payments(databases: dict[str, str]) -> Databases:
    """Payments is away: its jobs wait."""
    return named({**databases, "PAYMENTS_DATABASE_URL": "postgresql://payments:x@127.0.0.1:1/payments"})


async def work(databases: dict[str, str], *, portions: int = 1) -> None:
    opened = named(databases)
    async with opened.opened():
        for _ in range(portions):
            await jobs.work(opened, SystemClock())


async def row_of(operations: Operations[asyncpg.Record], job: UUID) -> asyncpg.Record:
    row = await operations.fetchrow(
        "SELECT total, done, failed, summary, ended_at, stopped FROM job WHERE job_id = $1", job
    )
    assert row is not None
    return row


async def still_open(booking: Connection) -> int:
    found: int = await booking.fetchval("SELECT count(*) FROM dead_letter WHERE status = 'open'")
    return found


async def test_all_of_a_list_are_redriven_while_a_page_shows_how_far(
    otto: Visitor, booking: Connection, operations: Operations[asyncpg.Record]
) -> None:
    many = await plant(booking, "booking", 60)
    (other,) = await plant(booking, "booking", error="of another kind")
    of: dict[str, Any] = {"service": "booking", "error": "planted"}
    assert "takes the 60 letters of booking: error planted" in await otto.shown(dialog("letters-redrive", **of))
    said = await do(otto, "letters-redrive", **of)
    (job,) = [UUID(one) for one in re.findall(r"job ([0-9a-f-]{36}) has begun", said)]

    async def ended() -> bool:
        return (await row_of(operations, job))["ended_at"] is not None

    await eventually("the job ends", ended, seconds=20)
    row = await row_of(operations, job)
    assert (row["total"], row["done"], row["failed"], row["stopped"]) == (60, 60, 0, False)
    assert [tuple(one) for one in await booking.fetch("SELECT id FROM dead_letter WHERE status = 'open'")] == [(other,)]
    of_letters = "SELECT operator, act, service, reason, outcome, asked FROM operator_log WHERE subject = ANY($1)"
    rows = await operations.fetch(of_letters, [str(letter) for letter in many])
    assert len(rows) == 60, "each letter's own history has who did it"
    assert {tuple(one) for one in rows} == {
        ("otto", "letters-redrive", "booking", WHY, "redriven", json.dumps({"job_id": str(job)}))
    }
    page = await otto.shown(f"/jobs/{job}")
    assert ("60 of 60" in page, 'hx-trigger="every 1s' in page) == (True, False)
    assert str(job) in await otto.shown("/jobs")


async def test_what_came_after_the_dialog_is_not_taken(
    otto: Visitor, booking: Connection, operations: Operations[asyncpg.Record]
) -> None:
    first, _ = await plant(booking, "booking", 2)
    ask = dialog("letters-redrive", service="booking", kind="failed")
    form = {**hidden(await otto.shown(ask)), "reason": WHY}
    (later,) = await plant(booking, "booking", error="later")
    await booking.execute("UPDATE dead_letter SET status = 'discarded' WHERE id = $1", first)
    answer = await otto.post("/acts/letters-redrive", form)
    text = await answer.text()
    assert answer.status == 200, "that there are fewer makes it no other plan"
    (job,) = [UUID(one) for one in re.findall(r"job ([0-9a-f-]{36}) has begun", text)]

    async def ended() -> bool:
        return (await row_of(operations, job))["ended_at"] is not None

    await eventually("the job ends", ended, seconds=20)
    row = await row_of(operations, job)
    assert (row["total"], row["done"]) == (1, 1)
    assert [tuple(one) for one in await booking.fetch("SELECT id FROM dead_letter WHERE status = 'open'")] == [(later,)]
    timeless = {name: value for name, value in form.items() if name != "until"}
    assert (await otto.post("/acts/letters-redrive", timeless)).status == 422


async def test_whom_a_filter_names_stands_in_no_log_and_in_no_job_that_has_ended(
    otto: Visitor, booking: Connection, operations: Operations[asyncpg.Record], databases: dict[str, str]
) -> None:
    (letter,) = await plant(booking, "booking", error="550 no box of mallory@example.com here")
    of: dict[str, Any] = {"service": "booking", "error": "550 no box of mallory@example.com"}
    ask = dialog("letters-redrive", **of)
    page = await otto.shown(ask)
    assert "takes the 1 letters of booking: error 550 no box of ••• the oldest first" in page
    form = {**hidden(page), "reason": "mallory@example.com asked for it"}
    assert "mallory" not in form["said"]
    text = await (await otto.post("/acts/letters-redrive", form)).text()
    (job,) = [UUID(one) for one in re.findall(r"job ([0-9a-f-]{36}) has begun", text)]

    async def ended() -> bool:
        return (await row_of(operations, job))["ended_at"] is not None

    await eventually("the job ends", ended, seconds=20)
    assert await still_open(booking) == 0, "the filter was the whole one"
    log = await operations.fetch("SELECT operator_log::text AS row FROM operator_log WHERE reason LIKE '%asked for it'")
    assert len(log) == 2, "the act, and the letter"
    of_job = await operations.fetchval("SELECT asked::text FROM job WHERE job_id = $1", job)
    for kept in (of_job, *(row["row"] for row in log)):
        assert "mallory" not in kept
    assert "550 no box of •••" in of_job
    page = await otto.shown(f"/jobs/{job}")
    assert "error 550 no box of •••" in page
    link = re.findall(r'href="([^"]+)">The list it works on', page)[0].replace("&amp;", "&")
    assert str(letter) in await otto.shown(f"{link}&every=1")


async def test_a_job_that_is_stopped_or_left_names_nobody_either(
    otto: Visitor, databases: dict[str, str], operations: Operations[asyncpg.Record]
) -> None:
    opened = without_payments(databases)
    asked = jobs.Asked.of(Wanted(error="of mallory@example.com"), until=SystemClock().now(), for_good=False)
    async with opened.opened():
        stopped, left = [
            await jobs.begin(opened, "otto", "redrive", "payments", asked, WHY, 1) for _ in ("stopped", "left")
        ]
        await jobs.stop(opened, stopped)
        await operations.execute("""UPDATE job SET summary = '{"life": "before"}' WHERE job_id = $1""", left)
        assert await jobs.work(opened, SystemClock())
    for job in (stopped, left):
        kept = await operations.fetchval("SELECT asked ->> 'error' FROM job WHERE job_id = $1", job)
        assert kept == "of •••"


async def test_a_page_asks_again_while_a_job_goes_on(
    visit: Visit, databases: dict[str, str], operations: Operations[asyncpg.Record]
) -> None:
    job = await begun(databases, 9, service="payments")
    otto = await visit("otto", databases=without_payments(databases))
    page = await otto.shown(f"/jobs/{job}")
    assert "every 1s" in page
    assert "0 of 9" in page
    assert "There is no such job" in await otto.shown("/jobs/none", status=404)


async def test_never_everything_there_is(otto: Visitor, booking: Connection) -> None:
    await plant(booking, "booking", 2)
    assert "narrow the list first" in await otto.shown(dialog("letters-discard", service="booking"), status=409)
    nothing = dialog("letters-discard", service="booking", error="unheard of")
    assert "no such letters any more" in await otto.shown(nothing, status=409)


async def test_what_comes_later_stays_and_what_cannot_be_done_is_said_once(
    booking: Connection,
    databases: dict[str, str],
    operations: Operations[asyncpg.Record],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "PORTION", 2)
    held, *_ = await plant(booking, "booking", 3)
    job = await begun(databases, 3, kind="discard")
    await plant(booking, "booking", error="later")
    batch = await asyncpg.connect(databases["BOOKING_DATABASE_URL"])
    async with batch.transaction():
        await batch.execute("SELECT FROM dead_letter WHERE id = $1 FOR UPDATE", held)
        await work(databases, portions=3)
    await batch.close()
    row = await row_of(operations, job)
    assert (row["done"], row["failed"], row["ended_at"] is not None) == (2, 1, True)
    said = json.loads(row["summary"])["outcomes"]
    assert said == {"put off by 1:00:00: something waits for it": 2, "not treated: a batch holds its key; try again": 1}
    assert await still_open(booking) == 2


async def test_a_job_whose_process_dies_is_taken_up_where_it_was(
    booking: Connection, databases: dict[str, str], operations: Operations[asyncpg.Record]
) -> None:
    await plant(booking, "booking", 400)
    job = await begun(databases, 400)
    environment = {**os.environ, **databases}
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", WORKER, env=environment)

    async def on_its_way() -> bool:
        return bool((await row_of(operations, job))["done"])

    await eventually("some are done", on_its_way, seconds=60)
    worker.send_signal(signal.SIGKILL)
    await worker.wait()
    left = await still_open(booking)
    before = (await row_of(operations, job))["done"]
    assert 0 < left < 400, "it died in between"

    await work(databases, portions=400 // jobs.PORTION + 1)
    row = await row_of(operations, job)
    assert await still_open(booking) == 0
    assert row["ended_at"] is not None
    assert row["done"] == before + left, "each is treated once"
    assert await booking.fetchval("SELECT count(*) FROM dead_letter WHERE status = 'redriven'") == 400


async def test_of_two_consoles_one_has_a_job_in_hand(
    booking: Connection, databases: dict[str, str], operations: Operations[asyncpg.Record]
) -> None:
    await plant(booking, "booking", 3)
    job = await begun(databases, 3)
    other = await asyncpg.connect(databases["OPERATIONS_DATABASE_URL"])
    async with other.transaction():
        assert await other.fetchrow(jobs.TAKE, []) is not None
        await asyncio.wait_for(work(databases), 2)
        assert (await row_of(operations, job))["done"] == 0
    await other.close()
    await work(databases, portions=2)
    assert (await row_of(operations, job))["done"] == 3


async def test_a_job_that_is_stopped_goes_no_further(
    visit: Visit, booking: Connection, databases: dict[str, str], operations: Operations[asyncpg.Record]
) -> None:
    payments = await emptied(databases, "payments")
    await plant(payments, "payments", 2)
    job = await begun(databases, 2, service="payments")
    otto = await visit("otto", databases=without_payments(databases))
    assert "stops after 0 of 2" in await otto.shown(dialog("job-stop", job_id=job))
    form = {**hidden(await otto.shown(dialog("job-stop", job_id=job))), "reason": WHY}
    await operations.execute("UPDATE job SET done = 1 WHERE job_id = $1", job)
    answer = await otto.post("/acts/job-stop", form)
    assert (answer.status, "stops after 1 of 2" in await answer.text()) == (200, True), "how far it is moves by itself"
    row = await row_of(operations, job)
    assert (row["stopped"], row["ended_at"] is not None) == (True, True)
    for path in (f"/jobs/{job}", "/jobs"):
        assert told_by(await otto.shown(path), "otto", "job-stop", WHY, "it stops after 1 of 2"), path
    await work(databases)
    assert await payments.fetchval("SELECT count(*) FROM dead_letter WHERE status = 'open'") == 2
    assert "the job has ended" in await otto.shown(dialog("job-stop", job_id=job), status=409)
    await payments.close()


async def test_a_service_that_is_away_keeps_its_own_jobs_waiting_alone(
    booking: Connection, databases: dict[str, str], operations: Operations[asyncpg.Record]
) -> None:
    payments = await emptied(databases, "payments")
    await payments.close()
    first = await begun(databases, 1, service="payments")
    await plant(booking, "booking", 2)
    second = await begun(databases, 2)
    half = without_payments(databases)
    async with half.opened():
        with pytest.raises(Away):
            await jobs.work(half, SystemClock())
        running = asyncio.create_task(jobs.run(half, SystemClock()))

        async def ended() -> bool:
            return (await row_of(operations, second))["ended_at"] is not None

        await eventually("the other job ends", ended, seconds=20)
        running.cancel()
    assert (await row_of(operations, first))["ended_at"] is None
    await work(databases)
    assert (await row_of(operations, first))["ended_at"] is not None


async def test_a_console_that_is_read_only_works_on_none(visit: Visit, databases: dict[str, str]) -> None:
    def working() -> bool:
        return any(task.get_name() == "jobs" for task in asyncio.all_tasks())

    await visit("otto", databases=named(databases), console_read_only=True)
    assert not working()
    await visit("otto", databases=named(databases))
    assert working()
