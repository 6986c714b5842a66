"""Two replicas, and slots that exclude each other because they are one provider's: the line of the one is asked in the
transaction that frees the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from booking_contracts.booking import JoinWaitlist, LeaveWaitlist, OpenSlot, PlaceBooking, RescheduleBooking
from booking_contracts.testkit.waiting import eventually

from services.booking.model.slots import slot_id
from tests.booking.replicas import cancel, consistent, customer, join
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene

EARLY, LATE = timedelta(minutes=-30), timedelta(minutes=30)
"""These slots overlap the scene's first; they touch each other."""


@pytest.fixture
async def twin(engine: Engine) -> AsyncIterator[Engine]:
    """A second replica; it owns partition 1."""
    other = Engine(engine.session.url, engine.clock)
    yield other
    await other.close()


@pytest.fixture
async def owner(databases: dict[str, str]) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(databases["BOOKING_MIGRATION_URL"])
    yield connection
    await connection.close()


class Displaced:
    """Eve waits for the scene's first slot; Bob has moved from there to LATE, where one seat is left for others."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.scene = engine, Scene(engine)

    async def begin(self) -> Displaced:
        await self.scene.open()
        key = str(self.scene.provider_id)
        for shift in (EARLY, LATE):
            opened = OpenSlot(**self.slot(shift), capacity=2, actor=self.scene.teacher)
            await self.engine.run(self.engine.record(opened, key=key))
        self.bob = await self.scene.confirmed("bob")
        self.eve = join(self.scene, "eve")
        await self.engine.tell(self.eve)
        await self.engine.tell(self.moved(LATE))
        assert await self.state(self.eve) == "WAITING"
        return self

    def slot(self, shift: timedelta) -> dict[str, Any]:
        return {"offering_id": self.scene.offering_id, "starts_at": self.scene.start(0) + shift}

    def moved(self, shift: timedelta) -> RescheduleBooking:
        starts_at = self.scene.start(0) + shift
        return RescheduleBooking(booking_id=self.bob, starts_at=starts_at, actor=customer("bob"))

    def placed(self, name: str, shift: timedelta) -> PlaceBooking:
        return self.scene.place(name, **self.slot(shift))

    async def state(self, entry: JoinWaitlist) -> str:
        query = "SELECT state FROM waitlist_entry WHERE entry_id = $1"
        return str((await self.engine.fetch(query, entry.entry_id))[0]["state"])


@pytest.mark.requirement("waitlist-handling", "provider-overlap", "transaction-atomicity")
async def test_the_line_is_asked_in_the_batch_that_frees_the_provider(engine: Engine) -> None:
    displaced = await Displaced(engine).begin()
    await engine.tell(cancel(displaced.bob, "bob"))
    assert await displaced.state(displaced.eve) == "OFFERED"
    await consistent(engine)


@pytest.mark.requirement("waitlist-handling", "provider-overlap", "time-slot-lock")
async def test_the_line_is_asked_when_a_hold_in_the_way_expires(engine: Engine) -> None:
    displaced = await Displaced(engine).begin()
    await engine.tell(displaced.placed("fay", LATE), cancel(displaced.bob, "bob"))
    assert await displaced.state(displaced.eve) == "WAITING"
    engine.clock.advance(minutes=16)
    await engine.run_local()
    assert await displaced.state(displaced.eve) == "OFFERED"
    await consistent(engine)


@pytest.mark.requirement("waitlist-handling", "provider-overlap", "pessimistic-locking")
async def test_a_line_that_begins_to_wait_for_the_provider_meanwhile_is_not_forgotten(
    engine: Engine, twin: Engine, owner: Any
) -> None:
    """While Eve gives up, a replica moves Bob from Dan's slot to hers and ends his booking: Eve's offer, which she
    leaves, is what Dan's slot waits for. Her batch was planned when Bob still sat at Dan's."""
    displaced = await Displaced(engine).begin()
    dan = join(displaced.scene, "dan", seats=2).model_copy(update=displaced.slot(LATE))
    await engine.tell(dan)
    left = LeaveWaitlist(entry_id=displaced.eve.entry_id, actor=customer("eve"))
    back = [twin.record(displaced.moved(timedelta())), twin.record(cancel(displaced.bob, "bob"))]
    async with owner.transaction():
        await owner.execute(SLOT, slot_id(displaced.scene.offering_id, displaced.scene.start(0) + LATE))
        moving = asyncio.create_task(twin.run(*(replace(record, partition=1) for record in back)))
        await waiting(engine, 1)
        leaving = asyncio.create_task(engine.tell(left))
        await waiting(engine, 2)
    await asyncio.gather(moving, leaving)
    await engine.run_waiting(1)
    assert (await displaced.state(displaced.eve), await displaced.state(dan)) == ("LEFT", "OFFERED")
    await consistent(engine)


async def waiting(engine: Engine, replicas: int) -> None:
    """Until so many replicas stand at somebody's lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'test' AND wait_event_type = 'Lock'"
    watcher = await asyncpg.connect(engine.session.url)

    async def look() -> bool:
        return bool(await watcher.fetchval(query) >= replicas)

    await eventually(f"{replicas} replicas wait for a lock", look)
    await watcher.close()


PROVIDER = "SELECT FROM provider WHERE provider_id = $1 FOR NO KEY UPDATE"
SLOT = "SELECT FROM slot WHERE slot_id = $1 FOR NO KEY UPDATE"


@pytest.mark.requirement("waitlist-handling", "pessimistic-locking", "one-reply")
@pytest.mark.parametrize("locked", ["the provider", "the line's slot", "a slot beside it"])
async def test_what_cannot_be_offered_on_for_now_is_not_freed(engine: Engine, owner: Any, locked: str) -> None:
    displaced = await Displaced(engine).begin()
    await engine.tell(displaced.placed("fay", EARLY))
    scene, shift = displaced.scene, EARLY if locked == "a slot beside it" else timedelta()
    async with owner.transaction():
        if locked == "the provider":
            await owner.execute(PROVIDER, scene.provider_id)
        else:
            await owner.execute(SLOT, slot_id(scene.offering_id, scene.start(0) + shift))
        await engine.tell(cancel(displaced.bob, "bob"))
        await engine.run_waiting()
    reply = [sent.body for sent in await engine.sent() if sent.topic == "booking.replies"][-1]
    assert reply.get("code") == "TOO_BUSY"
    assert (await scene.states())[displaced.bob] == "CONFIRMED"
    await consistent(engine)
