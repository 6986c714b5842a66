"""A slot is what its offering is today, until somebody has a seat there, and from when nobody has any more."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from booking_contracts.booking import (
    AcceptOffer,
    CloseSlot,
    DefineOffering,
    OpenSlot,
    SetSchedule,
    WeeklyHours,
)
from booking_contracts.envelope import MessageBody
from booking_contracts.types import Price

from services.booking.model.catalogue import Offering
from services.booking.model.provider_busy import provider_free
from services.booking.model.slots import Slot, as_of_today
from services.booking.store import heads, reads_availability, rows
from services.booking.store.tables import OFFERING, SLOT
from tests.booking.replicas import at_once, cancel, consistent, customer, join, move
from tests.booking.test_interleaving import Dice
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene

pytestmark = pytest.mark.requirement("conflict-check", "provider-overlap")
LONGER = {"duration_minutes": 90, "buffer_after_minutes": 30, "slot_step_minutes": 60}


def edit(scene: Scene, **changes: Any) -> DefineOffering:
    fields: dict[str, Any] = {
        "offering_id": scene.offering_id,
        "provider_id": scene.provider_id,
        "title": "Piano lesson",
        "duration_minutes": 60,
        "price": Price(amount=4500, currency="EUR"),
        "capacity": 1,
        "approval": False,
        "actor": scene.teacher,
    }
    return DefineOffering(**{**fields, **changes})


async def told(engine: Engine, *bodies: MessageBody) -> list[Any]:
    """Codes of refusals, or results, of commands in one batch; catalogue commands carry the provider's id as key."""
    before = len(await engine.sent())
    keys = [body.actor.id if isinstance(body, OpenSlot | CloseSlot) else "" for body in bodies]
    await engine.run(*(engine.record(body, key=key) for body, key in zip(bodies, keys, strict=True)))
    replies = [sent.body for sent in (await engine.sent())[before:] if sent.topic == "booking.replies"]
    return [reply.get("code", reply.get("result")) for reply in replies]


async def all_done(engine: Engine) -> None:
    while await engine.run_local():
        pass


async def slot_of(engine: Engine, scene: Scene, number: int = 0) -> Slot:
    (row,) = await engine.fetch(
        SLOT.select("WHERE offering_id = $1 AND starts_at = $2"), scene.offering_id, scene.start(number)
    )
    return rows.slot(row)


def minutes(slot: Slot) -> tuple[int, int]:
    """How long it is, and how long its provider is busy."""
    length, busy = slot.ends_at - slot.starts_at, slot.busy_until - slot.busy_from
    return length // timedelta(minutes=1), busy // timedelta(minutes=1)


async def shown(engine: Engine, scene: Scene, start: datetime) -> tuple[int, int, str | None]:
    """Length in minutes, seats left and reason, in availability."""
    day = timedelta(days=1)
    session = await engine.session.connection()
    views = await reads_availability.availability(
        session, scene.offering_id, None, start - day, start + day, engine.clock.now()
    )
    (view,) = [view for view in views if view["starts_at"] == start]
    return (view["ends_at"] - start) // timedelta(minutes=1), view["seats_left"], view["reason"]


async def test_a_slot_that_was_booked_and_cancelled_is_as_the_offering_is_now(engine: Engine) -> None:
    scene = await Scene(engine).open(slots=0)
    weekly = tuple(WeeklyHours(weekday=day, from_="08:00", to="20:00") for day in range(1, 8))
    await engine.tell(SetSchedule(provider_id=scene.provider_id, weekly=weekly, actor=scene.teacher))
    scene.starts_at = scene.starts_at.replace(hour=9, minute=0, second=0)
    booking = await scene.confirmed()
    await engine.tell(edit(scene, **LONGER))
    assert await shown(engine, scene, scene.starts_at) == (60, 0, "full")
    await engine.tell(cancel(booking, "bob"))
    assert await shown(engine, scene, scene.starts_at) == (90, 1, None)
    again = scene.place("ann")
    await told(engine, again)
    (row,) = await engine.fetch("SELECT * FROM booking WHERE booking_id = $1", again.booking_id)
    assert row["ends_at"] - row["starts_at"] == timedelta(minutes=90)
    assert minutes(await slot_of(engine, scene)) == (90, 120)
    assert await told(engine, scene.place("cyd", slot=1)) == ["PROVIDER_BUSY"], "the buffer counts"
    assert (await shown(engine, scene, scene.start(1)))[2] == "provider_busy"


async def test_living_bookings_and_offers_keep_what_they_have(engine: Engine) -> None:
    scene = await Scene(engine).open(capacity=2)
    first = await scene.confirmed("ann")
    await engine.tell(edit(scene, capacity=1, **LONGER))
    second = await scene.confirmed("bob")
    await engine.tell(join(scene, "cyd"), cancel(first, "ann"))
    slot = await slot_of(engine, scene)
    assert (minutes(slot), slot.capacity, slot.taken) == ((60, 60), 2, 2), "cyd has an offer of one of two seats"
    await engine.tell(cancel(second, "bob"))
    assert (await slot_of(engine, scene)).taken == 1
    (entry,) = await engine.fetch("SELECT entry_id FROM waitlist_entry")
    accept = AcceptOffer(entry_id=entry["entry_id"], booking_id=uuid4(), actor=customer("cyd"))
    await engine.tell(accept)
    slot = await slot_of(engine, scene)
    assert (minutes(slot), slot.capacity) == ((60, 60), 2), "a hold that passes to its booking was never gone"
    (row,) = await engine.fetch("SELECT * FROM booking WHERE booking_id = $1", accept.booking_id)
    assert row["ends_at"] == slot.ends_at
    await engine.tell(cancel(accept.booking_id, "cyd"))
    assert await shown(engine, scene, scene.starts_at) == (90, 1, None)


async def test_an_own_try_that_is_replaced_keeps_the_slot(engine: Engine) -> None:
    scene = await Scene(engine).open()
    await engine.tell(scene.place("ann"))
    await engine.tell(edit(scene, **LONGER))
    again = scene.place("ann")
    await engine.tell(again)
    (row,) = await engine.fetch("SELECT * FROM booking WHERE booking_id = $1", again.booking_id)
    assert row["ends_at"] == (await slot_of(engine, scene)).ends_at == scene.start(1)


async def test_a_capacity_that_was_named_stays_and_another_is_the_offerings(engine: Engine) -> None:
    scene = await Scene(engine).open()
    named = OpenSlot(offering_id=scene.offering_id, starts_at=scene.start(5), capacity=4, actor=scene.teacher)
    await told(engine, named)
    await engine.tell(edit(scene, capacity=3, **LONGER))
    assert await shown(engine, scene, scene.start(0)) == (90, 3, None)
    assert await shown(engine, scene, scene.start(5)) == (90, 4, None)
    assert await told(engine, scene.place("ann", seats=4)) == ["INVALID_COMMAND"]
    (placed,) = await told(engine, scene.place("ann", seats=3))
    assert placed["price"]["amount"] == 3 * 4500
    again = replace_capacity(named, None)
    assert await told(engine, again) == [{"capacity": 4}]


def replace_capacity(command: OpenSlot, capacity: int | None) -> OpenSlot:
    return command.model_copy(update={"capacity": capacity})


async def test_closing_and_opening_again_takes_the_offering_of_today(engine: Engine) -> None:
    scene = await Scene(engine).open()
    slot: dict[str, Any] = {
        "offering_id": scene.offering_id,
        "starts_at": scene.start(0),
        "actor": scene.teacher,
    }
    await scene.confirmed()
    await engine.tell(edit(scene, capacity=2, **LONGER))
    assert await told(engine, CloseSlot(**slot), OpenSlot(**slot)) == [{"cancelled": 1}, {"capacity": 2}]
    assert minutes(await slot_of(engine, scene)) == (90, 120)
    (opened,) = [sent.body for sent in (await engine.sent())[-3:] if sent.type.endswith("SlotOpened.v1")]
    assert datetime.fromisoformat(opened["ends_at"]) == scene.start(0) + timedelta(minutes=90)


async def test_a_slot_that_grows_looks_at_its_neighbours_when_all_are_where_they_belong(engine: Engine) -> None:
    """Without the ladder, which would try again: what is in the way is freed in the same transaction, but later."""
    scene = await Scene(engine).open(slots=2)
    first, second = await scene.confirmed("ann", 0), await scene.confirmed("bob", 1)
    await engine.tell(edit(scene, duration_minutes=120))
    bodies: list[MessageBody] = [cancel(first, "ann"), cancel(second, "bob"), scene.place("cyd", 0)]
    await engine.runner.run([engine.record(body) for body in bodies])
    assert minutes(await slot_of(engine, scene)) == (120, 120)


@pytest.mark.parametrize("size", [1, 10])
async def test_one_batch_answers_as_many_do(engine: Engine, size: int) -> None:
    """Freed and taken anew: whether or not a commit lies in between."""
    scene = await Scene(engine).open(slots=3)
    booking = await scene.confirmed("ann", 0)
    await scene.confirmed("bob", 2)
    await engine.tell(edit(scene, duration_minutes=120))
    taken, busy = scene.place("cyd", 0), scene.place("dan", 1)
    await engine.tell(cancel(booking, "ann"), taken, busy, size=size)
    states = await scene.states()
    assert states[taken.booking_id] == "PENDING_PAYMENT"
    assert busy.booking_id not in states
    assert minutes(await slot_of(engine, scene)) == (120, 120)
    await consistent(engine)


async def test_a_move_takes_the_offering_of_today_and_leaves_the_old_slot_so(engine: Engine) -> None:
    scene = await Scene(engine).open(slots=3)
    moved, gone = await scene.confirmed("ann", 0), await scene.confirmed("bob", 2)
    await engine.tell(cancel(gone, "bob"), edit(scene, **LONGER))
    (result,) = await told(engine, move(scene, moved, "ann", 2))
    assert datetime.fromisoformat(result["ends_at"]) == scene.start(2) + timedelta(minutes=90)
    assert minutes(await slot_of(engine, scene, 2)) == (90, 120)
    assert await shown(engine, scene, scene.start(0)) == (90, 1, None)


async def test_an_offer_is_of_the_slot_as_it_is_now_and_waits_for_room(engine: Engine) -> None:
    """Emptied, the slot would reach into the next: its line waits until that is free, and is told the new end."""
    scene = await Scene(engine).open(slots=2)
    first, second = await scene.confirmed("ann", 0), await scene.confirmed("bob", 1)
    await engine.tell(join(scene, "cyd"), edit(scene, **LONGER))
    await engine.tell(cancel(first, "ann"))
    await all_done(engine)
    offers = "SELECT customer_id, ends_at FROM waitlist_entry WHERE state = 'OFFERED'"
    assert await engine.fetch(offers) == []
    await engine.tell(cancel(second, "bob"))
    await all_done(engine)
    (offer,) = await engine.fetch(offers)
    assert (offer["customer_id"], offer["ends_at"]) == ("cyd", scene.start(0) + timedelta(minutes=90))
    (event,) = [sent.body for sent in await engine.sent() if sent.type == "booking.WaitlistOffered.v1"]
    assert datetime.fromisoformat(event["ends_at"]) == offer["ends_at"]
    assert minutes(await slot_of(engine, scene)) == (90, 120)


async def test_more_seats_are_offered_down_the_line(engine: Engine) -> None:
    scene = await Scene(engine).open()
    booking = await scene.confirmed("ann")
    names = ["bob", "cyd", "dan", "eve"]
    await engine.tell(*(join(scene, name) for name in names), edit(scene, capacity=3))
    await all_done(engine)
    await engine.tell(cancel(booking, "ann"))
    await all_done(engine)
    found = await engine.fetch("SELECT customer_id FROM waitlist_entry WHERE state = 'OFFERED' ORDER BY place")
    assert [row["customer_id"] for row in found] == names[:3]


async def test_room_that_an_edit_makes_is_offered(engine: Engine) -> None:
    """The line waits because its provider is busy beside it; a shorter buffer makes both possible."""
    scene = await Scene(engine).open(slots=2, buffer_after_minutes=30)
    booking = await scene.confirmed("ann", 1)
    other = await Scene(engine).open(slots=0)
    assert other.provider_id != scene.provider_id
    assert await told(engine, join(scene, "bob", 0)) == ["PROVIDER_BUSY"], "nobody waits for a busy provider"
    await told(engine, cancel(booking, "ann"))
    first = await scene.confirmed("ann", 0)
    await engine.tell(join(scene, "bob", 0))
    half_past = OpenSlot(
        offering_id=scene.offering_id, starts_at=scene.start(1) + timedelta(minutes=15), actor=scene.teacher
    )
    await told(engine, half_past)
    moving = move(scene, first, "ann", 0).model_copy(update={"starts_at": half_past.starts_at})
    await told(engine, moving)
    waiting = "SELECT state FROM waitlist_entry"
    assert [row["state"] for row in await engine.fetch(waiting)] == ["WAITING"]
    await engine.tell(edit(scene))
    await all_done(engine)
    assert [row["state"] for row in await engine.fetch(waiting)] == ["OFFERED"]
    await consistent(engine)


@pytest.mark.requirement("concurrent-request-handling")
async def test_an_edit_beside_placements_on_another_replica(engine: Engine) -> None:
    """Whichever comes first, what is booked never overlaps, buffers included, and a booking ends when its slot does."""
    twin = Engine(engine.session.url, engine.clock)
    for _ in range(8):
        scene = await Scene(engine).open(slots=3)
        booking = await scene.confirmed("ann", 0)
        placing: list[MessageBody] = [cancel(booking, "ann"), *(scene.place(f"c{slot}", slot) for slot in range(3))]
        await at_once(engine, twin, [edit(scene, **LONGER)], placing)
        await consistent(engine)
        lengths = {minutes(await slot_of(engine, scene, number)) for number in range(3)}
        assert lengths <= {(60, 60), (90, 120)}
        apart = "SELECT FROM booking b JOIN slot s USING (slot_id) WHERE b.ends_at <> s.ends_at AND b.state LIKE 'P%'"
        assert await engine.fetch(apart) == []
    await twin.close()


@pytest.mark.requirement("overbooking-prevention", "waitlist-handling")
@pytest.mark.parametrize("seed", range(6))
async def test_edits_among_everything_else(engine: Engine, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Commands by chance in batches of any size, the offering edited in between; nothing overlaps or is forgotten."""
    if seed % 2:
        for name, most in {"HEAD": 1, "HEADS": 1, "SLICE": 1, "MIN_SHARE": 1, "OVER": 1}.items():
            monkeypatch.setattr(heads, name, most)
    chance = random.Random(seed)
    scene = await Scene(engine).open(slots=0, capacity=2)
    starts = [scene.starts_at + timedelta(minutes=30 * number) for number in range(4)]
    key = str(scene.provider_id)
    for start in starts:
        opened = OpenSlot(offering_id=scene.offering_id, starts_at=start, actor=scene.teacher)
        await engine.run(engine.record(opened, key=key))
    dice = Dice(lambda sides: chance.randrange(sides), starts, scene.offering_id, scene.teacher, 2000 + seed)
    for _ in range(12):
        commands = [
            any_edit(scene, chance) if chance.random() < 0.15 else plain(dice.command(), chance) for _ in range(30)
        ]
        records = [engine.record(c, key=key if isinstance(c, OpenSlot | CloseSlot) else "") for c in commands]
        await engine.run(*records, size=chance.choice([1, 7, 30]))
        await all_done(engine)
        await sound(engine, scene)
    assert await engine.fetch("SELECT * FROM dead_letter") == []


def any_edit(scene: Scene, chance: random.Random) -> DefineOffering:
    lengths = {"duration_minutes": chance.choice([30, 60, 90]), "buffer_after_minutes": chance.choice([0, 15])}
    return edit(scene, capacity=chance.choice([1, 2, 3]), buffer_before_minutes=chance.choice([0, 15]), **lengths)


def plain(command: MessageBody, chance: random.Random) -> MessageBody:
    """Opened with the offering's capacity, more often than not."""
    if isinstance(command, OpenSlot) and chance.random() < 0.7:
        return replace_capacity(command, None)
    return command


async def sound(engine: Engine, scene: Scene) -> None:
    """Seats add up, nothing overlaps, a booking ends when its slot does, and nobody waits beside room of today."""
    (row,) = await engine.fetch(OFFERING.select("WHERE offering_id = $1"), scene.offering_id)
    offering: Offering = rows.offering(row)
    slots = [rows.slot(row) for row in await engine.fetch(SLOT.select("WHERE offering_id = $1"), scene.offering_id)]
    active = [slot for slot in slots if slot.active]
    assert not any(a.overlaps(b) for a in active for b in active if a.slot_id != b.slot_id)
    bookings = await engine.fetch(
        "SELECT b.ends_at, b.slot_id FROM booking b JOIN booking_state USING (state) "
        "WHERE occupies AND offering_id = $1",
        scene.offering_id,
    )
    known: dict[UUID, Slot] = {slot.slot_id: slot for slot in slots}
    assert all(row["ends_at"] == known[row["slot_id"]].ends_at for row in bookings)
    waiting = await engine.fetch(
        "SELECT slot_id, seats FROM waitlist_entry WHERE state = 'WAITING' AND offering_id = $1", scene.offering_id
    )
    for row in waiting:
        slot = as_of_today(known[row["slot_id"]], offering)
        usable = not slot.closed and (slot.active or provider_free(slot, slots))
        assert not (usable and row["seats"] <= slot.seats_left), "somebody waits beside seats that could be had"
