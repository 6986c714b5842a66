"""A slot on one page: seats by state, bookings, holds, offers, the line, and what the auditor says of it (console)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest
from booking_contracts.booking import CancelBooking
from booking_contracts.types import Actor, Customer

from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene
from tests.console.acting import Operations, operations
from tests.console.conftest import Visit, Visitor, named
from tests.console.test_queues import linked
from tests.operations.conftest import engine

__all__ = ["engine", "operations"]
pytestmark = pytest.mark.requirement("console")
VIOLATION = """
INSERT INTO violation (kind, subject, booking_id, detail, ids, gone_at) VALUES ($1, $2, $3, $4, $5, $6)
RETURNING violation_id
"""
GONE = datetime(2099, 1, 1, tzinfo=UTC)


@pytest.fixture
async def vera(visit: Visit, databases: dict[str, str]) -> Visitor:
    return await visit("vera", databases=named(databases))


@pytest.fixture
async def no_findings(databases: dict[str, str]) -> AsyncIterator[None]:
    yield
    admin = await asyncpg.connect(databases["POSTGRES_ADMIN_URL"].rsplit("/", 1)[0] + "/operations")
    await admin.execute("TRUNCATE violation")
    await admin.close()


async def slot_of(engine: Engine, booking_id: UUID) -> UUID:
    (row,) = await engine.fetch("SELECT slot_id FROM booking WHERE booking_id = $1", booking_id)
    found: UUID = row["slot_id"]
    return found


def cells(page: str, state: str) -> list[str]:
    """Of the table of seats by state: bookings, seats, seats taken."""
    row = re.search(rf'<tr>\s*<td><span class="tag[^"]*">{state}</span></td>(.*?)</tr>', page, re.DOTALL)
    assert row is not None, f"{state} is not on the page"
    return re.findall(r'<td class="number">(.*?)</td>', row[1])


def customer(name: str) -> Customer:
    return Customer(id=name, name="Wim", email=f"{name}@example.com")


async def test_a_slot_has_its_seats_by_state_its_holds_its_offers_and_its_line(vera: Visitor, engine: Engine) -> None:
    scene = await Scene(engine).open(capacity=6)
    held = scene.place("hal", seats=1)
    sits, goes = await scene.confirmed("bob", seats=2), await scene.confirmed("eve", seats=3)
    await engine.tell(held)
    offered, waits = scene.join(customer("ola"), None), scene.join(customer("wim"), None)
    await engine.tell(offered.model_copy(update={"seats": 3}))
    await engine.tell(waits.model_copy(update={"seats": 2}))
    await engine.tell(CancelBooking(booking_id=goes, actor=Actor(kind="customer", id="eve"), reason=None))
    page = await vera.shown(f"/slots/{await slot_of(engine, sits)}")
    assert "6 of 6 taken: bookings 3, offers 3" in page
    assert cells(page, "CONFIRMED") == ["1", "2", "2"]
    assert cells(page, "PENDING_PAYMENT") == ["1", "1", "1"]
    assert cells(page, "CANCELLED_BY_CUSTOMER") == ["1", "3", "–"]
    for entry in (offered, waits):
        assert str(entry.entry_id) in page
    until = page.index("Held until a deadline")
    assert str(held.booking_id) in page[until : page.index("<caption>Bookings")]
    assert all(f"/bookings/{one}" in page for one in (sits, goes, held.booking_id))
    assert 'class="notice' not in page, "nothing is amiss"


async def test_names_are_masked_and_who_sees_them_is_kept(
    visit: Visit, databases: dict[str, str], engine: Engine, operations: Operations[asyncpg.Record]
) -> None:
    path = f"/slots/{await slot_of(engine, await (await Scene(engine).open()).confirmed('bob'))}"
    pia = await visit("pia", databases=named(databases))
    page = await pia.shown(path)
    assert "B•••" in page
    assert "bob@example.com" not in page
    assert "bob@example.com" in await pia.shown(f"{path}?unmasked=1")
    looks = "SELECT operator FROM operator_log WHERE act = 'look' AND subject = $1"
    subject = f"slot {path.removeprefix('/slots/')}"
    assert [row["operator"] for row in await operations.fetch(looks, subject)] == ["pia"]
    otto = await visit("otto", databases=named(databases))
    assert "bob@example.com" not in await otto.shown(f"{path}?unmasked=1")


async def test_seats_that_do_not_add_up_are_said_before_the_auditor_says_it(
    vera: Visitor, databases: dict[str, str], engine: Engine
) -> None:
    slot = await slot_of(engine, await (await Scene(engine).open(capacity=4)).confirmed())
    admin = await asyncpg.connect(databases["POSTGRES_ADMIN_URL"].rsplit("/", 1)[0] + "/booking")
    await admin.execute("SET session_replication_role = replica; UPDATE slot SET taken = 3")
    await admin.close()
    assert "3 seats are taken, and bookings hold 1, offers 0." in await vera.shown(f"/slots/{slot}")


async def test_findings_about_the_slot_its_offers_and_its_bookings_lead_there_and_back(
    vera: Visitor, engine: Engine, operations: Operations[asyncpg.Record], no_findings: None
) -> None:
    scene = await Scene(engine).open(capacity=2)
    booked = await scene.confirmed("bob", seats=2)
    slot, entry = await slot_of(engine, booked), scene.join(customer("ola"), None)
    await engine.tell(entry)
    ids = f'{{"slot_id": "{slot}"}}'
    found = [
        await operations.fetchval(VIOLATION, "seats", str(slot), None, "seats are amiss", ids, None),
        await operations.fetchval(VIOLATION, "offer_overdue", str(entry.entry_id), None, "overdue", ids, None),
        await operations.fetchval(VIOLATION, "posting", "p", booked, "a cent is amiss", "{}", None),
    ]
    gone = await operations.fetchval(VIOLATION, "posting", "q", booked, "was amiss", "{}", GONE)
    other = await operations.fetchval(VIOLATION, "seats", str(uuid4()), None, "another", "{}", None)
    page = await vera.shown(f"/slots/{slot}")
    assert all(linked(page, f"/findings/{one}") for one in found)
    assert str(other) not in page
    assert str(gone) not in page
    assert linked(await vera.shown(f"/findings/{found[0]}"), f"/slots/{slot}")
    assert linked(await vera.shown(f"/bookings/{booked}"), f"/slots/{slot}")
    assert linked(await vera.shown(f"/bookings/{booked}"), f"/findings/{found[2]}")
    week = f"/week?provider={scene.provider_id}&day={scene.starts_at:%Y-%m-%d}"
    assert linked(await vera.shown(week), f"/slots/{slot}")
    assert linked(page, week)


async def test_a_slot_that_is_none_is_a_sentence_and_findings_that_are_away_hide_nothing(
    visit: Visit, databases: dict[str, str], vera: Visitor, engine: Engine
) -> None:
    assert "There is no slot" in await vera.shown(f"/slots/{uuid4()}", status=404)
    assert "named by a UUID" in await vera.shown("/slots/monday", status=404)
    slot = await slot_of(engine, await (await Scene(engine).open()).confirmed())
    of = named({**databases, "OPERATIONS_DATABASE_URL": "postgresql://operations:x@127.0.0.1:1/operations"})
    page = await (await visit("vera", databases=of)).shown(f"/slots/{slot}")
    assert "The database of operations does not answer" in page
    assert "1 of 1 taken" in page
