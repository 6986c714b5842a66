"""Lists of bookings, who waits for them, a provider's week: what is shown is what the tables have."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from booking_contracts.types import Customer

from services.booking.model.states import State
from services.booking.saga import Status
from services.chassis.database import READS, Connection, connect
from services.operations.console.reads import lists, waiting, week
from services.operations.console.reads.lists import Wanted
from services.operations.console.reads.paging import PAGE
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene
from tests.console.conftest import Visit, named
from tests.queries.test_lists import bookings

pytestmark = pytest.mark.requirement("console")


@pytest.fixture
async def reading(databases: dict[str, str]) -> AsyncIterator[Connection]:
    connection = await connect(databases["BOOKING_DATABASE_URL"], "console", READS)
    yield connection
    await connection.close()


async def listed(reading: Connection, wanted: Wanted) -> list[UUID]:
    return [one.booking_id for one in (await lists.bookings(reading, wanted)).items]


async def test_each_filter_finds_what_the_table_has_in_order(engine: Engine, reading: Connection) -> None:
    scene, _ = await bookings(engine)
    other = await Scene(engine).open()
    await other.confirmed("ann")
    beside = Scene(engine)
    beside.provider_id, beside.starts_at = other.provider_id, other.start(3)
    await (await beside.open()).confirmed("eve")
    await engine.fetch("UPDATE saga SET status = 'stuck' WHERE booking_id IN (SELECT booking_id FROM saga LIMIT 2)")
    rows = await engine.fetch(
        "SELECT * FROM booking b LEFT JOIN (SELECT booking_id, status FROM saga) s USING (booking_id)"
    )
    middle = scene.start(2)
    cases: Sequence[tuple[Wanted, Callable[[Any], bool]]] = (
        (Wanted(), lambda _: True),
        (Wanted(newest=True), lambda _: True),
        (Wanted(time="created_at"), lambda _: True),
        (Wanted(customer="bob"), lambda row: row["customer_id"] == "bob"),
        (Wanted(provider=scene.provider_id, newest=True), lambda row: row["provider_id"] == scene.provider_id),
        (Wanted(offering=other.offering_id), lambda row: row["offering_id"] == other.offering_id),
        (Wanted(customer="bob", provider=other.provider_id), lambda _: False),
        (Wanted(states=(State.EXPIRED, State.CONFIRMED)), lambda row: row["state"] in ("EXPIRED", "CONFIRMED")),
        (Wanted(since=middle), lambda row: row["starts_at"] >= middle),
        (Wanted(customer="bob", until=middle), lambda row: row["customer_id"] == "bob" and row["starts_at"] < middle),
        (Wanted(saga=Status.STUCK), lambda row: row["status"] == "stuck"),
        (
            Wanted(saga=Status.WAITING, customer="ann"),
            lambda row: (row["status"], row["customer_id"]) == ("waiting", "ann"),
        ),
        (Wanted(saga=Status.STUCK, time="created_at", newest=True), lambda row: row["status"] == "stuck"),
    )
    for wanted, fits in cases:
        ordered = sorted(filter(fits, rows), key=lambda row: (row[wanted.by], row["booking_id"]), reverse=wanted.newest)
        assert await listed(reading, wanted) == [row["booking_id"] for row in ordered], wanted
        counts = await lists.counts(reading, wanted)
        if not wanted.states:
            assert {state: count.count for state, count in counts.items()} == {
                State(state): sum(row["state"] == state for row in ordered)
                for state in {row["state"] for row in ordered}
            }, wanted
    due = {row.booking_id: row.state for row in (await lists.bookings(reading, Wanted())).items if row.due_at}
    assert set(due.values()) == {"PENDING_PAYMENT", "CONFIRMED"}, "what has ended waits for no time"
    slot = rows[0]["slot_id"]
    assert await listed(reading, Wanted(slot=slot)) == sorted(
        row["booking_id"] for row in rows if row["slot_id"] == slot
    )


async def test_a_long_list_comes_in_pages_and_its_counts_stop(engine: Engine, reading: Connection) -> None:
    scene = await Scene(engine).open(capacity=200)
    await engine.tell(*(scene.place(f"c{number}") for number in range(PAGE + 5)))
    wanted = Wanted(states=(State.PENDING_PAYMENT,), provider=scene.provider_id)
    first = await lists.bookings(reading, wanted)
    assert (len(first.items), first.previous) == (PAGE, None)
    second = await lists.bookings(reading, wanted, first.next)
    assert (len(second.items), second.next) == (5, None)
    back = await lists.bookings(reading, wanted, second.previous)
    assert back.items == first.items
    (count,) = (await lists.counts(reading, wanted)).values()
    assert str(count) == str(PAGE + 5)


async def test_who_waits_is_in_line_behind_offers_whatever_the_party(
    engine: Engine, reading: Connection, databases: dict[str, str], visit: Visit
) -> None:
    scene = await Scene(engine).open(capacity=2)
    booked = await scene.confirmed("bob", seats=2)
    people = [Customer(id=f"w{number}", name="W", email=f"w{number}@example.com") for number in range(3)]
    joins = [scene.join(person, None).model_copy(update={"seats": 2 - n % 2}) for n, person in enumerate(people)]
    for join in joins:
        await engine.tell(join)
    (slot,) = await engine.fetch("SELECT slot_id FROM booking WHERE booking_id = $1", booked)
    line = await waiting.of_slot(reading, slot["slot_id"])
    assert [(one.entry_id, one.state, one.seats) for one in line.entries] == [
        (join.entry_id, "WAITING", join.seats) for join in joins
    ]
    assert [one.entry_id for one in (await waiting.of_customer(reading, "w1")).entries] == [joins[1].entry_id]
    page = await (await visit("vera", databases=named(databases))).shown(f"/bookings?slot={slot['slot_id']}")
    assert all(str(join.entry_id) in page for join in joins)


async def test_a_week_has_the_days_of_its_provider_also_where_the_clock_changes(
    engine: Engine, reading: Connection
) -> None:
    engine.clock.instant = datetime(2030, 3, 27, tzinfo=UTC)
    scene = Scene(engine)
    scene.starts_at = datetime(2030, 3, 30, 21, 30, tzinfo=UTC)  # 22:30 in Berlin, on the evening before the change
    await scene.open(slots=5, capacity=3)
    await scene.confirmed("bob", 0, seats=2)
    gone = scene.place("ann", 0)
    await engine.tell(gone)
    engine.clock.advance(minutes=16)
    await engine.run_local()
    zone = await week.zone_of(reading, scene.provider_id)
    assert zone == ZoneInfo("Europe/Berlin")
    found = await week.week(reading, scene.provider_id, zone, date(2030, 3, 25))
    shown = [
        (day.day.day, day.hours, [f"{one.starts_at.astimezone(zone):%H:%M}" for one in day.slots]) for day in found.days
    ]
    assert shown[4:] == [(29, 24, []), (30, 24, ["22:30", "23:30"]), (31, 23, ["00:30", "01:30", "03:30"])]
    slot = found.days[5].slots[0]
    assert (slot.taken, slot.capacity, slot.full) == (2, 3, False)
    assert {state: count.count for state, count in slot.states.items()} == {State.CONFIRMED: 1, State.EXPIRED: 1}
    after = await week.week(reading, scene.provider_id, zone, date(2030, 4, 1))
    assert [day.slots for day in after.days] == [[]] * 7


async def test_lists_and_weeks_are_pages_with_their_filters_in_the_address(
    engine: Engine, databases: dict[str, str], visit: Visit
) -> None:
    scene, made = await bookings(engine)
    vera = await visit("vera", databases=named(databases), console_prefix="/console")
    page = await vera.shown("/bookings?customer=bob&state=EXPIRED")
    assert f"/console/bookings/{made[2]}" in page
    assert f"/console/bookings/{made[0]}" not in page
    assert "state=EXPIRED%2CCONFIRMED" in page, "another state may be added"
    assert "bob@example.com" not in page
    await vera.shown("/bookings?customer=bob&provider=x", status=400)
    await vera.shown("/bookings?after=x", status=400)
    day = f"{scene.starts_at:%Y-%m-%d}"
    calendar = await vera.shown(f"/week?provider={scene.provider_id}&day={day}")
    assert "Europe/Berlin" in calendar
    assert "1/1" in calendar
    monday = week.week_of(scene.starts_at.astimezone(ZoneInfo("Europe/Berlin")).date())
    assert f"day={monday + timedelta(days=7)}" in calendar
    await vera.shown(f"/week?provider={made[0]}", status=404)
    assert "Name a provider" in await vera.shown("/week")
