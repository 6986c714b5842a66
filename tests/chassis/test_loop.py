"""The loop between Kafka and the batch: what it gives up, puts back, finishes, and what stops it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest

from services.chassis.batch import Committed
from services.chassis.failures import Broken
from services.chassis.loop import Loop
from services.chassis.messages import Raw
from services.chassis.offsets import Fenced, Partition
from tests.chassis.harness import SetClock


def record(offset: int) -> Raw:
    return Raw("booking.commands", 0, offset, b"k", [], b"{}")


RESULT = Raw("local.Answered", 0, 1, b"k", [("call_id", "x")], b"{}")


@dataclass
class Consumer:
    """Hands out records once, notes what it is told."""

    records: list[Raw] = field(default_factory=list)
    following: dict[Partition, int] = field(default_factory=dict)
    rewound: dict[Partition, int] = field(default_factory=dict)
    sought: int = 0

    async def events(self, most: int) -> list[Raw]:
        return []

    async def commands(self, most: int) -> list[Raw]:
        taken, self.records = self.records, []
        return taken

    async def wait(self, most: int, seconds: float) -> list[Raw]:
        await asyncio.sleep(seconds)
        return []

    def done(self, following: dict[Partition, int]) -> None:
        self.following.update(following)

    async def rewind(self, first: dict[Partition, int]) -> None:
        self.rewound.update(first)

    def seek_to_database(self) -> None:
        self.sought += 1


class Runner:
    """Fails as told, then succeeds; remembers the batches that committed."""

    local_types: tuple[str, ...] = ()

    def __init__(self, *outcomes: Exception | Callable[[], Any]) -> None:
        self._outcomes = list(outcomes)
        self.batches: list[list[Raw]] = []
        self.began, self.committed = asyncio.Event(), asyncio.Event()

    async def run(self, batch: list[Raw]) -> Committed:
        self.began.set()
        if self._outcomes:
            outcome = self._outcomes.pop(0)
            if isinstance(outcome, Exception):
                raise outcome
            await outcome()
        self.batches.append(batch)
        self.committed.set()
        return Committed()


class Database:
    """A session whose only question, which local messages are due, has no answer."""

    url = ""

    async def connection(self) -> Database:
        return self

    async def fetch(self, *_: Any) -> list[Any]:
        return []

    async def close(self) -> None:
        return None


def loop_of(runner: Runner, *records: Raw) -> tuple[Loop, Consumer]:
    loop = Loop(runner, Database(), SetClock(), relay=None)  # type: ignore[arg-type]
    consumer = Consumer(list(records))
    loop.consumer = consumer  # type: ignore[assignment]
    return loop, consumer


async def committed(runner: Runner) -> None:
    await asyncio.wait_for(runner.committed.wait(), 10)


@pytest.mark.requirement("poison")
async def test_a_database_that_does_not_fit_ends_the_loop() -> None:
    loop, consumer = loop_of(Runner(asyncpg.UndefinedColumnError("no such column")), record(7))
    with pytest.raises(Broken):
        await loop.run()
    assert consumer.following == {}


@pytest.mark.requirement("ordering")
async def test_a_fenced_batch_is_dropped_and_its_gateway_results_are_kept() -> None:
    runner = Runner(Fenced("another owns it"))
    loop, consumer = loop_of(runner, record(7))
    loop.deliver(RESULT)
    task = asyncio.create_task(loop.run())
    await committed(runner)
    await loop.stop()
    await task
    assert (runner.batches, consumer.sought, consumer.following) == ([[RESULT]], 1, {})


@pytest.mark.requirement("ordering")
async def test_a_batch_that_hangs_is_cancelled_when_its_partitions_are_revoked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.chassis.loop.GIVE_UP_SECONDS", 0.1)
    runner = Runner(lambda: asyncio.sleep(3600))
    loop, consumer = loop_of(runner, record(7))
    loop.deliver(RESULT)
    task = asyncio.create_task(loop.run())
    await runner.began.wait()
    await loop.give_up()
    await committed(runner)
    await loop.stop()
    await task
    assert (runner.batches, consumer.following) == ([[RESULT]], {})


@pytest.mark.requirement("ordering")
async def test_a_batch_that_waits_to_be_tried_again_is_given_up_with_its_partitions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.chassis.loop.GIVE_UP_SECONDS", 0.05)
    monkeypatch.setattr("services.chassis.loop.backoff_seconds", lambda _: 0.5)
    runner = Runner(ConnectionRefusedError())
    loop, consumer = loop_of(runner, record(7))
    task = asyncio.create_task(loop.run())
    await runner.began.wait()
    await loop.give_up()
    await asyncio.sleep(0.7)
    await loop.stop()
    await task
    assert (runner.batches, consumer.following) == ([], {})


async def test_a_batch_that_cannot_be_finished_while_stopping_is_left_for_who_follows() -> None:
    runner = Runner(*[ConnectionRefusedError() for _ in range(100)])
    loop, consumer = loop_of(runner, record(7))
    task = asyncio.create_task(loop.run())
    await runner.began.wait()
    await loop.stop()
    await asyncio.wait_for(task, 2)
    assert consumer.rewound == {("booking.commands", 0): 7}


async def test_results_of_calls_that_end_after_the_last_batch_are_still_recorded() -> None:
    runner = Runner()
    loop, _ = loop_of(runner)
    await loop.stop()
    await loop.run()
    loop.deliver(RESULT)
    await loop.finish()
    assert runner.batches == [[RESULT]]
