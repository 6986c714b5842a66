"""The engine's answers to a database that is wrong, locked, or shared with another replica that is as busy."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from booking_contracts.booking import CancelBooking
from booking_contracts.types import Actor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis.failures import Broken
from services.chassis.ladder import PutDown
from services.chassis.messages import Raw
from tests.chassis.conftest import engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene
from tests.faults.settings import LONG, rng

__all__ = ["engine"]
ROUNDS = 200 if LONG else 30


@pytest.fixture
async def owner(databases: dict[str, str]) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(databases["BOOKING_MIGRATION_URL"])
    yield connection
    await connection.close()


@pytest.mark.requirement("poison")
async def test_a_database_without_a_column_stops_the_service_and_sets_nothing_aside(engine: Engine, owner: Any) -> None:
    scene = await Scene(engine).open()
    await owner.execute("ALTER TABLE booking RENAME COLUMN payment_status TO gone")
    try:
        with pytest.raises(Broken):
            await engine.tell(scene.place())
    finally:
        await owner.execute("ALTER TABLE booking RENAME COLUMN gone TO payment_status")
    assert await engine.fetch("SELECT id FROM dead_letter") == []


def cancel(booking_id: UUID, who: str) -> CancelBooking:
    return CancelBooking(booking_id=booking_id, actor=Actor(kind="customer", id=who))


@pytest.mark.requirement("concurrent-request-handling", "overbooking-prevention", "pessimistic-locking")
@pytest.mark.timeout(600)
async def test_two_replicas_with_conflicting_batches_meet_no_deadlock_and_oversell_nothing(engine: Engine) -> None:
    dice = rng("two replicas")
    scene = await Scene(engine).open(slots=6, capacity=2)
    other = Engine(engine.session.url, engine.clock)
    before = await deadlocks(engine)
    placed: list[tuple[UUID, str]] = []
    for number in range(ROUNDS):
        if number % 10 == 9:
            engine.clock.advance(minutes=16)  # holds that are over are in everybody's way
        left, right = batch(engine, scene, dice, placed, 1), batch(other, scene, dice, placed, 2)
        await asyncio.gather(until_settled(engine, left), until_settled(other, right))
        await asyncio.gather(engine.run_local(set(range(6))), other.run_local(set(range(6, 12))))
    await asyncio.gather(engine.run_waiting(2), other.run_waiting(2))
    slots = await engine.fetch(
        """
        SELECT s.capacity, s.taken, coalesce(sum(b.seats) FILTER (WHERE t.occupies), 0)::int AS held
        FROM slot s LEFT JOIN booking b USING (slot_id) LEFT JOIN booking_state t USING (state)
        GROUP BY s.slot_id
        """
    )
    await other.close()
    await asyncio.sleep(1)  # statistics are reported after a second
    assert all(slot["held"] == slot["taken"] <= slot["capacity"] for slot in slots)
    assert any(slot["held"] for slot in slots)
    assert await deadlocks(engine) == before
    assert await engine.fetch("SELECT id, error FROM dead_letter") == []


def batch(engine: Engine, scene: Scene, dice: random.Random, placed: list[tuple[UUID, str]], lane: int) -> list[Raw]:
    """Places and cancellations on the same slots, in a partition of this replica's own."""
    commands: list[Any] = []
    for _ in range(dice.randint(5, 30)):
        if placed and dice.random() < 0.4:
            booking_id, who = dice.choice(placed[-40:])
            commands.append(cancel(booking_id, who))
        else:
            who, booking_id = f"c{dice.randint(1, 9)}", uuid4()
            placed.append((booking_id, who))
            commands.append(scene.place(who, dice.randint(0, 5), booking_id, seats=dice.randint(1, 2)))
    records = [engine.record(command) for command in commands]
    return [Raw(raw.topic, lane, raw.offset, raw.key, raw.headers, raw.body) for raw in records]


async def until_settled(engine: Engine, records: list[Raw]) -> None:
    """As the loop does: a batch that was put down is read again."""
    while True:
        try:
            await engine.run(*records)
        except PutDown:
            await engine.session.close()
        else:
            return


async def deadlocks(engine: Engine) -> int:
    (row,) = await engine.fetch("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    found: int = row["deadlocks"]
    return found


STEPS = st.lists(
    st.tuples(st.sampled_from(["place", "cancel", "cancel of another"]), st.integers(0, 5), st.integers(0, 2)),
    min_size=1,
    max_size=25,
)


@pytest.mark.requirement("transaction-atomicity", "ordering")
@settings(max_examples=60 if LONG else 12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_random_commands_give_the_same_result_in_batches_of_1_7_and_500(
    engine: Engine, steps: list[tuple[str, int, int]]
) -> None:
    alone = await fold(engine, steps, 1)
    assert await fold(engine, steps, 7) == alone
    assert await fold(engine, steps, 500) == alone


async def fold(engine: Engine, steps: list[tuple[str, int, int]], size: int) -> list[tuple[Any, ...]]:
    """What the commands on three slots of two seats lead to, by number instead of by id."""
    scene = await Scene(engine).open(slots=3, capacity=2)
    before = len(await engine.sent())
    ids = [uuid4() for _ in range(6)]
    commands = [
        scene.place(f"c{who}", slot, ids[who], seats=1 + who % 2)
        if what == "place"
        else cancel(ids[who], f"c{(who + slot) % 6}" if what == "cancel of another" else f"c{who}")
        for what, who, slot in steps
    ]
    await engine.run(*(engine.record(command) for command in commands), size=size)
    number_of = {str(booking_id): number for number, booking_id in enumerate(ids)}
    sent = [
        (sent.type, number_of[sent.key], sent.sequence, sent.body.get("state") or sent.body.get("code"))
        for sent in (await engine.sent())[before:]
    ]
    slots = await engine.fetch("SELECT taken FROM slot WHERE offering_id = $1 ORDER BY starts_at", scene.offering_id)
    return [*sent, tuple(slot["taken"] for slot in slots)]
