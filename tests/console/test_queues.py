"""What waits in a service: each cell of Now leads to its list, and to the one object where there is one (console)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from booking_contracts.rights import SERVICES

from services.operations.console.reads.queues import SHOWN, Queue
from tests.chassis.harness import Engine, SetClock
from tests.chassis.scenes import Scene
from tests.console.conftest import Visit, Visitor, named
from tests.operations.conftest import engine
from tests.operations.test_bookingctl import letter

__all__ = ["engine"]
pytestmark = pytest.mark.requirement("console")
CALL = """
INSERT INTO gateway_call (id, subject, key, operation, parameters, idempotency_key, headers, try_at, tries, last_error)
VALUES ($1, $2, $2, $3, '{}', '', '[]', now() + interval '1 hour', $4, $5)
"""


def of(queue: str) -> str:
    return f"/queues?service=booking&of={queue}"


def linked(page: str, path: str) -> bool:
    return f'href="{path.replace("&", "&amp;")}"' in page


@pytest.fixture
async def vera(visit: Visit, databases: dict[str, str]) -> Visitor:
    return await visit("vera", databases=named(databases))


async def test_each_cell_of_now_leads_to_what_waits_there(vera: Visitor, engine: Engine) -> None:
    command = (await Scene(engine).open()).place()
    await engine.tell(command)
    page = await vera.shown("/")
    assert [queue for queue in Queue if linked(page, of(queue))] == ["outbox"]
    await engine.fetch("UPDATE local_message SET due_at = now() - interval '1 minute'")
    await engine.fetch(CALL, uuid4(), "subject-asked", "ask", 0, None)
    await engine.fetch(CALL, uuid4(), "subject-failing", "ask", 3, "no answer to ann@example.com")
    page = await vera.shown("/")
    assert all(linked(page, of(queue)) for queue in Queue)
    assert "<td>booking.BookingPlaced.v1</td>" in await vera.shown(of("outbox"))
    assert str(command.booking_id) in await vera.shown(of("timers"))
    calls, failing = await vera.shown(of("calls")), await vera.shown(of("failing"))
    assert "subject-asked" in calls
    assert "subject-failing" in calls
    assert "subject-failing" in failing
    assert "subject-asked" not in failing, "just those"
    assert "no answer to" in failing
    assert "ann@example.com" not in failing


async def test_what_is_due_goes_by_the_clock_of_the_services(
    visit: Visit, databases: dict[str, str], engine: Engine
) -> None:
    command = (await Scene(engine).open()).place()
    await engine.tell(command)
    later = SetClock(engine.clock.now() + timedelta(days=30))
    assert not linked(await (await visit("vera", databases=named(databases))).shown("/"), of("timers"))
    moved = await visit("vera", databases=named(databases), clock=later)
    assert linked(await moved.shown("/"), of("timers"))
    assert str(command.booking_id) in await moved.shown(of("timers"))


async def test_a_list_of_what_waits_ends_and_says_so(vera: Visitor, engine: Engine) -> None:
    for _ in range(SHOWN + 1):
        await engine.fetch(CALL, uuid4(), str(uuid4()), "ask", 0, None)
    page = await vera.shown(of("calls"))
    assert f"These are the oldest {SHOWN}." in page
    assert page.count("<td>ask</td>") == SHOWN


@pytest.mark.parametrize("service", SERVICES)
async def test_what_each_service_has_is_its_own(vera: Visitor, service: str) -> None:
    for queue in Queue:
        assert f"of {service}</h1>" in await vera.shown(f"/queues?service={service}&of={queue}")
    refused = await vera.shown(f"/queues?service={service}&of=all", status=400)
    assert "must be one or more of outbox, timers, calls, failing" in refused
    assert "There is no service" in await vera.shown("/queues?service=mail", status=404)


async def test_where_one_letter_or_one_key_is_the_cause_now_leads_to_it(
    vera: Visitor, databases: dict[str, str], engine: Engine
) -> None:
    key = str(uuid4())
    found = await letter(databases["BOOKING_DATABASE_URL"], "booking", key=key)
    page = await vera.shown("/")
    assert page.count(f'href="/letters/booking/{found}"') == 3, "of the verdict, in its cell, for somebody to do"
    assert linked(page, f"/letters?service=booking&key={key}#blocked")
    await engine.fetch(
        """
        INSERT INTO dead_letter (id, topic, partition, "offset", kind, key, type, error, headers, body)
        SELECT $1, topic, partition, "offset" + 1, kind, key, type, error, headers, body FROM dead_letter
        """,
        uuid4(),
    )
    await engine.fetch("INSERT INTO blocked_key (key) VALUES ('another')")
    page = await vera.shown("/")
    assert str(found) not in page
    assert linked(page, "/letters?service=booking")
    assert linked(page, "/letters?service=booking#blocked")


async def test_where_one_saga_is_stuck_now_leads_to_its_booking(vera: Visitor, engine: Engine) -> None:
    scene = await Scene(engine).open(capacity=2)
    first: UUID = await scene.confirmed("ann")
    await engine.fetch("UPDATE saga SET status = 'stuck'")
    assert linked(await vera.shown("/"), f"/bookings/{first}")
    await scene.confirmed("bob")
    await engine.fetch("UPDATE saga SET status = 'stuck'")
    page = await vera.shown("/")
    assert linked(page, "/sagas?status=stuck")
    assert not linked(page, f"/bookings/{first}")


async def test_sagas_without_an_answer_are_a_list_of_their_own(vera: Visitor, engine: Engine) -> None:
    scene = await Scene(engine).open(capacity=2)
    asked, other = scene.place("ann"), scene.place("bob")
    await engine.tell(asked, other)
    await engine.fetch("UPDATE saga SET asked = 4 WHERE booking_id = $1", asked.booking_id)
    page = await vera.shown("/")
    assert linked(page, "/sagas?unanswered=1")
    rows = await vera.shown("/sagas?unanswered=1")
    assert f"/bookings/{asked.booking_id}" in rows
    assert f"/bookings/{other.booking_id}" not in rows


async def test_where_one_finding_is_open_now_leads_to_it(vera: Visitor, databases: dict[str, str]) -> None:
    admin = await asyncpg.connect(databases["POSTGRES_ADMIN_URL"].rsplit("/", 1)[0] + "/operations")
    await admin.execute("SET session_replication_role = replica; TRUNCATE violation")
    insert = "INSERT INTO violation (kind, subject, detail, ids) VALUES ('seats', $1, 'x', '{}') RETURNING violation_id"
    one = await admin.fetchval(insert, "a slot")
    first = await vera.shown("/")
    await admin.fetchval(insert, "another")
    second = await vera.shown("/")
    await admin.execute("TRUNCATE violation")
    await admin.close()
    assert linked(first, f"/findings/{one}")
    assert not linked(second, f"/findings/{one}")
    assert linked(second, "/findings")
