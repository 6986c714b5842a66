"""Nobody is offered, or waits for, hours that are not offered any more; offers that were made stay."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from booking_contracts.booking import (
    AcceptOffer,
    DatedException,
    OpenSlot,
    RegisterProvider,
    SetSchedule,
    WeeklyHours,
)
from booking_contracts.envelope import MessageBody

from services.booking.local_messages import LineClosing
from services.booking.model.waitlist import EntryState
from services.booking.store import heads, plan
from tests.booking.line import Line, cancel
from tests.booking.replicas import cancel as cancelled
from tests.booking.replicas import customer, join
from tests.booking.test_fresh_slots import all_done, edit, told
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import ADMIN, Scene

pytestmark = pytest.mark.requirement("waitlist-handling", "schedule")


def hours(scene: Scene, *exceptions: DatedException, days: range = range(1, 8), since: str = "08:00") -> SetSchedule:
    weekly = tuple(WeeklyHours(weekday=day, from_=since, to="20:00") for day in days)
    return SetSchedule(provider_id=scene.provider_id, weekly=weekly, exceptions=exceptions, actor=scene.teacher)


async def full(engine: Engine, *waiting: str, slot: int = 0, **offering: Any) -> tuple[Scene, UUID]:
    """Ann's booking at nine, on hours of the schedule, and who waits for it."""
    scene = await Scene(engine).open(slots=0, slot_step_minutes=60, **offering)
    await engine.tell(hours(scene))
    scene.starts_at = scene.starts_at.replace(hour=9, minute=0, second=0)
    booking = await scene.confirmed("ann", slot)
    await engine.tell(*(join(scene, name, slot) for name in waiting))
    return scene, booking


async def states(engine: Engine, scene: Scene) -> dict[str, str]:
    query = "SELECT customer_id, state FROM waitlist_entry WHERE offering_id = $1 ORDER BY starts_at, place"
    return {row["customer_id"]: row["state"] for row in await engine.fetch(query, scene.offering_id)}


def closed_date(scene: Scene) -> DatedException:
    return DatedException(date=scene.starts_at.date(), closed=True)


GONE: dict[str, Any] = {
    "hours removed": lambda scene: hours(scene, days=range(0)),
    "a closed date": lambda scene: hours(scene, closed_date(scene)),
    "another grid": lambda scene: hours(scene, since="08:30"),
    "longer sessions": lambda scene: edit(scene, duration_minutes=13 * 60),
    "longer notice": lambda scene: edit(scene, slot_step_minutes=60, minimum_notice_minutes=10 * 24 * 60),
    "nearer horizon": lambda scene: edit(scene, slot_step_minutes=60, horizon_days=1),
}


@pytest.mark.parametrize("looked_at_before", [False, True])
@pytest.mark.parametrize("way", GONE)
async def test_freed_seats_of_hours_that_are_gone_are_offered_to_nobody(
    engine: Engine, way: str, looked_at_before: bool
) -> None:
    scene, booking = await full(engine, "bob", "cyd")
    await engine.tell(GONE[way](scene))
    if looked_at_before:
        await all_done(engine)
    await engine.tell(cancelled(booking, "ann"))
    await all_done(engine)
    assert await states(engine, scene) == {"bob": "CLOSED", "cyd": "CLOSED"}
    types = [sent.type for sent in await engine.sent() if sent.topic == "booking.events" and "Waitlist" in sent.type]
    assert types[2:] == ["booking.WaitlistClosed.v1"] * 2
    (entry, _) = await engine.fetch("SELECT entry_id FROM waitlist_entry ORDER BY place")
    accept = AcceptOffer(entry_id=entry["entry_id"], booking_id=uuid4(), actor=customer("bob"))
    assert await told(engine, accept) == ["ILLEGAL_TRANSITION"]


@pytest.mark.parametrize("way", GONE)
async def test_an_offer_that_was_made_is_kept(engine: Engine, way: str) -> None:
    scene, booking = await full(engine, "bob", "cyd")
    await engine.tell(cancelled(booking, "ann"))
    await engine.tell(GONE[way](scene))
    await all_done(engine)
    (entry, _) = await engine.fetch("SELECT entry_id FROM waitlist_entry ORDER BY place")
    accept = AcceptOffer(entry_id=entry["entry_id"], booking_id=uuid4(), actor=customer("bob"))
    (result,) = await told(engine, accept)
    assert result["price"] == {"amount": 4500, "currency": "EUR"}
    await engine.tell(cancelled(accept.booking_id, "bob"))
    assert await states(engine, scene) == {"bob": "ACCEPTED", "cyd": "CLOSED"}


async def test_who_waits_for_hours_that_go_is_told_at_once_and_the_others_wait_on(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In slices, whatever they are: of slots, and of lines."""
    monkeypatch.setattr(plan, "WALKED", 2)
    monkeypatch.setattr(heads, "SLICE", 2)
    monkeypatch.setattr(heads, "MIN_SHARE", 1)
    scene, _ = await full(engine, "a1", "a2", "a3", "a4", "a5")
    opened = OpenSlot(offering_id=scene.offering_id, starts_at=scene.start(4), actor=scene.teacher)
    await told(engine, opened)
    for slot in range(1, 5):
        await scene.confirmed(f"x{slot}", slot)
        await engine.tell(join(scene, f"b{slot}", slot))
    await scene.confirmed("y", 24)
    await engine.tell(join(scene, "next-day", 24))
    await engine.tell(hours(scene, closed_date(scene)))
    await all_done(engine)
    found = await states(engine, scene)
    assert {name for name, state in found.items() if state == "WAITING"} == {"b4", "next-day"}
    assert set(found.values()) == {"WAITING", "CLOSED"}
    closed = [sent.key for sent in await engine.sent() if sent.type == "booking.WaitlistClosed.v1"]
    assert len(closed) == len(set(closed)) == 8


@pytest.mark.parametrize("way", ["hours removed", "another grid", "longer sessions"])
async def test_who_joined_by_the_hours_of_before_is_told_soon(engine: Engine, way: str) -> None:
    """Their batch on another replica had read them, and was written after the lines were looked at."""
    scene, _ = await full(engine)
    before = await _hours(engine, scene)
    await engine.tell(GONE[way](scene))
    await all_done(engine)
    after = await _hours(engine, scene)
    await _put(engine, scene, *before)
    await engine.tell(join(scene, "bob"))
    await _put(engine, scene, *after)
    await all_done(engine)
    assert await states(engine, scene) == {"bob": "WAITING"}
    engine.clock.advance(minutes=1)
    await all_done(engine)
    assert await states(engine, scene) == {"bob": "CLOSED"}


async def _hours(engine: Engine, scene: Scene) -> tuple[str, str]:
    query = "SELECT weekly, definition FROM schedule JOIN offering USING (provider_id) WHERE provider_id = $1"
    (row,) = await engine.fetch(query, scene.provider_id)
    return row["weekly"], row["definition"]


async def _put(engine: Engine, scene: Scene, weekly: str, definition: str) -> None:
    await engine.fetch("UPDATE schedule SET weekly = $2 WHERE provider_id = $1", scene.provider_id, weekly)
    await engine.fetch("UPDATE offering SET definition = $2 WHERE provider_id = $1", scene.provider_id, definition)


async def test_hours_move_with_the_providers_zone(engine: Engine) -> None:
    scene, _ = await full(engine, "bob")
    register = RegisterProvider(
        provider_id=scene.provider_id,
        name="Ann",
        email="ann@example.com",
        timezone="Asia/Kathmandu",
        refund_policy="flexible",
        actor=ADMIN,
    )
    await engine.tell(register)
    await all_done(engine)
    assert await states(engine, scene) == {"bob": "CLOSED"}


async def test_hours_that_are_set_again_as_they_were_close_nothing(engine: Engine) -> None:
    scene, booking = await full(engine, "bob")
    unchanged: list[MessageBody] = [hours(scene), edit(scene, slot_step_minutes=60, title="Violin lesson")]
    await engine.tell(*unchanged)
    await all_done(engine)
    await engine.tell(cancelled(booking, "ann"))
    assert await states(engine, scene) == {"bob": "OFFERED"}


def test_a_line_whose_hours_came_back_is_offered_what_is_free() -> None:
    world = Line()
    entry = world.joined()
    world.tell(LineClosing(slot_id=world.slot.slot_id))
    assert world.state(entry) is EntryState.WAITING
    world.work.now += timedelta(minutes=1)
    world.tell(cancel(world.sitting))
    world.tell(LineClosing(slot_id=world.slot.slot_id))
    assert world.state(entry) is EntryState.OFFERED
