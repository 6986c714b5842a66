"""What a batch decided is what the database has: every kind of row, written and read back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from booking_contracts.booking import (
    CancelBooking,
    DatedException,
    OpenSlot,
    QuoteCancellation,
    RescheduleBooking,
    SetSchedule,
    WeeklyHours,
)
from booking_contracts.types import Actor, Tier

from services.booking.model.booking import Booking
from services.booking.model.catalogue import Offering, Provider
from services.booking.model.quotes import Quote
from services.booking.model.schedule import Schedule
from services.booking.model.slots import Slot
from services.booking.model.waitlist import Entry
from services.booking.saga import Saga
from services.booking.store import rows, tables
from services.booking.store.save import save
from services.booking.work import HistoryItem
from services.chassis.statements import Statements
from services.chassis.unit_of_work import Changed, Record, Row
from tests.booking.builders import (
    OFFERING,
    PROVIDER,
    START,
    TEACHER,
    World,
    a_child,
    a_provider,
    a_slot,
    acting,
    an_offering,
)
from tests.booking.line import Line, cancel
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene

BOOKINGS = f"""
    SELECT {tables.BOOKING.columns("b")}, customer, attendee FROM booking b JOIN booking_contact USING (booking_id)
"""
READ: dict[type[Any], tuple[str, Callable[[Any], Any]]] = {
    Provider: (tables.PROVIDER.select(""), rows.provider),
    Offering: (tables.OFFERING.select(""), rows.offering),
    Schedule: (tables.SCHEDULE.select(""), rows.schedule),
    Slot: (tables.SLOT.select(""), rows.slot),
    Booking: (
        BOOKINGS,
        lambda row: rows.booking(row, row),
    ),
    Saga: (tables.SAGA.select(""), rows.saga),
    Quote: (tables.QUOTE.select(""), rows.quote),
}
WEEKLY = tuple(WeeklyHours.model_validate({"weekday": day, "from": "09:00", "to": "12:30"}) for day in (1, 3))
EXCEPTIONS = (
    DatedException(date=date(2030, 5, 1), closed=True),
    DatedException.model_validate({"date": date(2030, 5, 2), "from": "08:00", "to": "24:00"}),
)


@pytest.mark.requirement("transaction-atomicity", "history-tracking")
async def test_every_row_is_as_it_was_decided(engine: Engine) -> None:
    """In two batches: the first makes the rows, the second changes them."""
    world = Line(2, buffer_before_minutes=10)
    far = a_slot(world.offering, START + timedelta(days=1), capacity=3)
    begun: list[Row] = [a_provider(), world.offering, world.slot, far]
    world.work.load(far)
    eve = world.joined("eve", attendee=a_child())
    world.place("ann", starts_at=far.starts_at, attendee=a_child())
    world.tell(SetSchedule(provider_id=PROVIDER, weekly=WEEKLY, exceptions=EXCEPTIONS, actor=TEACHER))
    world.tell(QuoteCancellation(booking_id=world.sitting.booking_id, actor=acting("bob")))
    world.work.journal[:0] = [Changed(None, row) for row in begun]
    await _saved(engine, world)

    world.work.put(a_provider(name="Bea", payout_account="acct_1", tiers=(Tier(hours_before=48, percent=70),)))
    world.work.put(an_offering(title="Violin lesson", buffer_before_minutes=5))
    world.tell(SetSchedule(provider_id=PROVIDER, weekly=WEEKLY[:1], exceptions=EXCEPTIONS[1:], actor=TEACHER))
    world.tell(RescheduleBooking(booking_id=world.sitting.booking_id, starts_at=far.starts_at, actor=TEACHER))
    world.tell(cancel(world.booking(world.sitting.booking_id)))
    world.tell(OpenSlot(offering_id=OFFERING, starts_at=START, capacity=5, actor=TEACHER))
    for saga in list(world.work.all(Saga)):
        world.work.put(replace(saga, asked=saga.asked + 1, problem="the account is closed"))
    assert world.entry(eve).holds
    await _saved(engine, world)


@pytest.mark.requirement("transaction-atomicity", "overbooking-prevention")
async def test_a_batch_frees_seats_and_makes_their_slot_smaller(engine: Engine) -> None:
    """Straight to the database: the ladder would halve what the constraint refuses, and nobody would see it."""
    scene = await Scene(engine).open(capacity=2)
    ann, bob = scene.place("ann"), scene.place("bob")
    await engine.tell(ann, bob)
    gone = CancelBooking(booking_id=ann.booking_id, actor=acting("ann"))
    smaller = OpenSlot(offering_id=scene.offering_id, starts_at=scene.start(0), capacity=1, actor=scene.teacher)
    await engine.runner.run([engine.record(gone), engine.record(smaller, key=str(scene.provider_id))])
    (slot,) = await engine.fetch("SELECT capacity, taken FROM slot")
    assert tuple(slot) == (1, 1)


async def _saved(engine: Engine, world: World) -> None:
    """Write what was decided since the last time, and compare all that there is."""
    async with engine.session.transaction() as connection, Statements(connection) as writes:
        await save(writes, world.work)
    for kind, (query, read) in READ.items():
        held = {row.row_key: row for row in world.work.all(kind)}
        assert held, kind.__name__
        expected = {key: row for key, row in held.items() if not getattr(row, "dead", False) or kind is not Quote}
        assert {row.row_key: row for row in map(read, await engine.fetch(query))} == expected
    assert await _entries(engine) == {entry.entry_id: entry for entry in world.work.all(Entry)}
    records = [effect.row for effect in world.work.journal if isinstance(effect, Record)]
    stored = [_item(row) for row in await engine.fetch(tables.HISTORY.select(""))]
    assert all(item in stored for item in records if isinstance(item, HistoryItem))
    world.work.journal.clear()


async def _entries(engine: Engine) -> dict[UUID, Entry]:
    contacts = {row["entry_id"]: row for row in await engine.fetch(tables.WAITING_CONTACT.select(""))}
    found = await engine.fetch(tables.ENTRY.select(""))
    return {row["entry_id"]: rows.entry(row, contacts[row["entry_id"]]) for row in found}


def _item(row: Any) -> HistoryItem:
    fields = {name: value for name, value in row.items() if not name.startswith("actor_")}
    return HistoryItem(**fields, actor=Actor(kind=row["actor_kind"], id=row["actor_id"]))
