"""What is free, what is not, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from booking_contracts.booking import CloseSlot, SetSchedule, WeeklyHours
from hypothesis import given
from hypothesis import strategies as st

from services.booking.model.availability import Calendar, Holds
from services.booking.model.provider_busy import provider_free
from services.booking.model.schedule import Hours, Schedule
from services.booking.model.slots import Slot
from services.booking.store import reads, reads_availability
from tests.booking.builders import NOW, PROVIDER, START, a_slot, an_offering
from tests.booking.replicas import cancel, join, move
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene

UTC_ZONE = ZoneInfo("UTC")
DAY = timedelta(days=1)


def view(
    *slots: Slot, holds: dict[UUID, Holds] | None = None, schedule: Schedule | None = None, **offering: Any
) -> Any:
    calendar = Calendar(UTC_ZONE, schedule, slots, holds or {})
    return calendar.view([an_offering(**offering)], NOW, NOW + 10 * DAY, NOW)


def reason(slot: Slot, *others: Slot, holds: dict[UUID, Holds] | None = None, **offering: Any) -> tuple[Any, int]:
    (found,) = [shown for shown in view(slot, *others, holds=holds, **offering) if shown["starts_at"] == slot.starts_at]
    assert found["free"] == (found["reason"] is None)
    return found["reason"], found["seats_left"]


@pytest.mark.requirement("availability-query")
def test_the_reasons_and_their_priority() -> None:
    offering = an_offering(capacity=2)
    slot, half_past = a_slot(offering), a_slot(offering, START + timedelta(minutes=30), taken=1)
    live, over = {slot.slot_id: Holds(live=1)}, {slot.slot_id: Holds(over=1)}
    full = replace(slot, taken=2)
    assert reason(slot, capacity=2) == (None, 2)
    assert reason(full) == ("full", 0)
    assert reason(full, holds=live) == ("held", 0)
    assert reason(full, holds=over) == (None, 1)
    assert reason(replace(slot, taken=1), holds=live) == (None, 1)
    assert reason(slot, half_past, capacity=2) == ("provider_busy", 2)
    assert reason(slot, half_past, holds={half_past.slot_id: Holds(over=1)}, capacity=2) == (None, 2)
    assert reason(slot, half_past, horizon_days=2)[0] == "too_far"
    assert reason(slot, half_past, minimum_notice_minutes=4 * 1440)[0] == "too_soon"
    assert reason(replace(full, closed=True), minimum_notice_minutes=4 * 1440)[0] == "closed"


@pytest.mark.requirement("availability-query", "schedule")
def test_slots_of_the_schedule_and_rows_of_their_own_are_shown_once() -> None:
    schedule = Schedule(PROVIDER, weekly=((START.isoweekday(), Hours(12 * 60, 14 * 60)),))
    booked = replace(a_slot(an_offering(), START, taken=1), opened=False)
    dropped = replace(a_slot(an_offering(), START + DAY, taken=1), opened=False)
    single = a_slot(an_offering(), START + 2 * DAY)
    closed = replace(a_slot(an_offering(), START + timedelta(hours=1)), opened=False, closed=True)
    past = a_slot(an_offering(), NOW)
    found = view(booked, dropped, single, closed, past, schedule=schedule)
    assert [(shown["starts_at"], shown["reason"]) for shown in found] == [
        (START, "full"),
        (START + timedelta(hours=1), "closed"),
        (START + 2 * DAY, None),
    ]


@pytest.mark.requirement("availability-query", "provider-overlap")
@given(st.sets(st.integers(0, 40), max_size=8), st.integers(0, 60), st.integers(0, 60))
def test_busy_is_what_a_booking_would_be_told(quarters: set[int], before: int, after: int) -> None:
    """Against the check that placements make, with buffers."""
    offering = an_offering(buffer_before_minutes=before, buffer_after_minutes=after)
    slots: list[Slot] = []
    for quarter in sorted(quarters):
        slot = a_slot(offering, START + timedelta(minutes=15 * quarter))
        active = quarter % 2 == 0 and provider_free(slot, slots)
        slots.append(replace(slot, taken=int(active)))
    shown = view(*slots, buffer_before_minutes=before, buffer_after_minutes=after)
    for slot, found in zip(slots, shown, strict=True):
        busy = not slot.active and not provider_free(slot, slots)
        assert (found["reason"] == "provider_busy") == busy


async def shown(engine: Engine, scene: Scene) -> list[tuple[bool, str | None, int]]:
    now = engine.clock.now()
    pool: Any = await engine.session.connection()
    found = await reads_availability.availability(pool, scene.offering_id, None, now, now + 9 * DAY, now)
    return [(slot["free"], slot["reason"], slot["seats_left"]) for slot in found]


@pytest.mark.requirement("availability-query", "time-slot-lock")
async def test_availability_is_right_at_once_when_a_hold_or_an_offer_is_over(engine: Engine) -> None:
    scene = await Scene(engine).open(slots=2)
    await engine.tell(scene.place("ann"))
    assert await shown(engine, scene) == [(False, "held", 0), (True, None, 1)]
    engine.clock.advance(minutes=15)
    assert (await shown(engine, scene))[0] == (True, None, 1)
    bob = await scene.confirmed("bob")
    assert (await shown(engine, scene))[0] == (False, "full", 0)
    await engine.tell(join(scene, "eve"))
    await engine.tell(cancel(bob, "bob"))
    assert (await shown(engine, scene))[0] == (False, "held", 0)
    engine.clock.advance(minutes=60)
    assert (await shown(engine, scene))[0] == (True, None, 1)
    closed = CloseSlot(offering_id=scene.offering_id, starts_at=scene.start(0), actor=scene.teacher)
    await engine.run(engine.record(closed, key=str(scene.provider_id)))
    assert (await shown(engine, scene))[0] == (False, "closed", 1)


@pytest.mark.requirement("availability-query", "schedule", "conflict-check")
async def test_what_is_shown_as_free_can_be_booked_and_nothing_else(engine: Engine) -> None:
    scene = await Scene(engine).open(slots=1, slot_step_minutes=30, horizon_days=3, minimum_notice_minutes=600)
    weekly = tuple(WeeklyHours(weekday=day, from_="08:00", to="11:00") for day in range(1, 8))
    await engine.tell(SetSchedule(provider_id=scene.provider_id, weekly=weekly, actor=scene.teacher))
    now = engine.clock.now()
    pool: Any = await engine.session.connection()
    found = await reads_availability.availability(pool, None, scene.provider_id, now, now + 5 * DAY, now)
    assert {slot["reason"] for slot in found} >= {None, "too_far"}
    await engine.tell(scene.place("ann", starts_at=[slot["starts_at"] for slot in found if slot["free"]][1]))
    found = await reads_availability.availability(pool, None, scene.provider_id, now, now + 5 * DAY, now)
    assert "provider_busy" in {slot["reason"] for slot in found}
    codes = {"too_soon": "NOTICE_TOO_SHORT", "too_far": "BEYOND_HORIZON", "provider_busy": "PROVIDER_BUSY"}
    for slot in found:
        want = codes.get(slot["reason"], "SLOT_FULL") if slot["reason"] else ""
        assert await _code_of(engine, scene, slot["starts_at"]) == want


async def _code_of(engine: Engine, scene: Scene, starts_at: datetime) -> str:
    """The refusal of a booking there, or nothing; what was accepted is cancelled again."""
    command = scene.place("eve", starts_at=starts_at)
    await engine.tell(command)
    replies = [sent.body for sent in await engine.sent() if sent.body.get("booking_id") == str(command.booking_id)]
    code = next((str(body["code"]) for body in replies if "code" in body), "")
    if not code:
        await engine.tell(cancel(command.booking_id, "eve"))
    return code


@pytest.mark.requirement("refund-policy")
async def test_a_quote_is_previewed_without_an_id(engine: Engine) -> None:
    scene = await Scene(engine).open(slots=2)
    booking_id = await scene.confirmed()
    pool: Any = await engine.session.connection()
    found = await reads.quote_preview(pool, booking_id, engine.clock.now())
    assert found == {
        "refund": {"amount": 4500, "currency": "EUR"},
        "kept": {"amount": 0, "currency": "EUR"},
        "policy_version": "flexible-1",
        "valid_until": engine.clock.now() + timedelta(minutes=15),
    }
    assert await reads.quote_preview(pool, booking_id, scene.start(0) - timedelta(minutes=60)) == {}
    assert await reads.quote_preview(pool, scene.offering_id, engine.clock.now()) is None
    late = scene.start(0) - timedelta(hours=3)
    await engine.tell(move(scene, booking_id, "bob", 1))
    found = await reads.quote_preview(pool, booking_id, late)
    assert found is not None
    assert found["refund"]["amount"] == 2250
