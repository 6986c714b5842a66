"""The worker of durable calls: many at once, and the next one as soon as one ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from booking_contracts.envelope import uuid7
from booking_contracts.testkit.waiting import eventually

from services.chassis.database import Session
from services.chassis.gateway_calls import OpenCall, TryAgain, save
from services.chassis.gateway_worker import GatewayWorker
from services.chassis.messages import LocalBody
from services.chassis.statements import Statements
from services.chassis.unit_of_work import Call
from tests.chassis.harness import Engine


class Answered(LocalBody):
    """Any answer."""


class SlowWorld:
    """Answers when told; remembers how many calls were open at once."""

    def __init__(self) -> None:
        self.open = self.most = self.made = 0

    async def call(self, call: OpenCall) -> LocalBody | TryAgain:
        self.open += 1
        self.made += 1
        self.most = max(self.most, self.open)
        await asyncio.sleep(0)
        self.open -= 1
        return Answered()


class BusyWorld(SlowWorld):
    """Busy when it is first asked."""

    async def call(self, call: OpenCall) -> LocalBody | TryAgain:
        answer = await super().call(call)
        return TryAgain("busy", 0.3) if self.made == 1 else answer


def calls(count: int) -> list[Call]:
    return [Call(uuid7(), str(number), str(number), "send", "{}", str(number), None) for number in range(count)]


async def until(condition: Callable[[], bool]) -> None:
    async def look() -> bool:
        return condition()

    await eventually("the worker gets there", look)


async def intended(engine: Engine, count: int) -> list[Call]:
    """Calls as a batch stores them."""
    made = calls(count)
    async with Statements(await engine.session.connection()) as writes:
        save(writes, made)
    return made


@pytest.fixture
async def session(engine: Engine) -> AsyncIterator[Session]:
    session = Session(engine.session.url, "worker")
    yield session
    await session.close()


@pytest.mark.requirement("retry-mechanism")
async def test_more_calls_than_there_is_room_for_are_made_one_after_the_other(engine: Engine, session: Session) -> None:
    world = SlowWorld()
    worker = GatewayWorker(world, session, lambda: None, in_flight=16)
    running = asyncio.create_task(worker.run())
    worker.submit(await intended(engine, 100))
    await until(lambda: len(worker.results) == 100)
    running.cancel()
    assert world.most == 16


async def test_results_that_nobody_takes_are_bounded_and_keep_their_lease(
    engine: Engine, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody makes a call a second time while the loop stands still (found: 800 calls for 200 in 96 s)."""
    monkeypatch.setattr("services.chassis.gateway_worker.MOST_HELD", 20)
    monkeypatch.setattr("services.chassis.gateway_worker.RENEW_SECONDS", 0.1)
    world = SlowWorld()
    worker = GatewayWorker(world, session, lambda: None, in_flight=16)
    worker._renew_at = 0.0
    running = asyncio.create_task(worker.run())
    worker.submit(await intended(engine, 60))
    await until(lambda: len(worker.results) == 20)
    await engine.fetch("UPDATE gateway_call SET try_at = clock_timestamp() WHERE id = ANY($1)", list(worker.results))
    await asyncio.sleep(1)
    assert (len(worker.results), world.made) == (20, 20)
    worker.settled(list(worker.results.values()))
    await until(lambda: world.made == 40)
    running.cancel()


@pytest.mark.requirement("retry-mechanism")
async def test_while_a_call_has_to_be_tried_again_it_is_looked_for(
    engine: Engine, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.gateway_worker.IDLE_SECONDS", 3600)
    world = BusyWorld()
    worker = GatewayWorker(world, session, lambda: None)
    running = asyncio.create_task(worker.run())
    worker.submit(await intended(engine, 1))
    await until(lambda: len(worker.results) == 1)
    running.cancel()
    assert world.made == 2


@pytest.mark.requirement("retry-mechanism")
async def test_calls_that_others_left_are_looked_for_seldom(
    engine: Engine, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.gateway_worker.LOOK_SECONDS", 3600)
    monkeypatch.setattr("services.chassis.gateway_worker.IDLE_SECONDS", 0.2)
    worker = GatewayWorker(SlowWorld(), session, lambda: None)
    running = asyncio.create_task(worker.run())
    await intended(engine, 1)
    await engine.fetch("UPDATE gateway_call SET try_at = clock_timestamp()")
    await until(lambda: len(worker.results) == 1)
    running.cancel()


@pytest.mark.requirement("retry-mechanism")
async def test_what_finds_no_room_is_everybodys_at_once(
    engine: Engine, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.gateway_worker.MOST_HELD", 20)
    monkeypatch.setattr("services.chassis.gateway_worker.LOOK_SECONDS", 3600)
    monkeypatch.setattr("services.chassis.gateway_worker.IDLE_SECONDS", 3600)
    worker = GatewayWorker(SlowWorld(), session, lambda: None, in_flight=16)
    running = asyncio.create_task(worker.run())
    worker.submit(await intended(engine, 60))

    async def given_back() -> bool:
        return len(await engine.fetch("SELECT FROM gateway_call WHERE try_at <= clock_timestamp()")) == 40

    await eventually("what found no room is given back", given_back)
    running.cancel()


async def test_a_draining_worker_begins_nothing_new(engine: Engine, session: Session) -> None:
    worker = GatewayWorker(SlowWorld(), session, lambda: None, in_flight=16)
    worker.submit(await intended(engine, 40))
    await asyncio.sleep(0)  # the first ones begin
    await worker.drain(5)
    assert len(worker.results) == 16
