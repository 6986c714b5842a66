"""The handler of a batch: what it gives up, puts down, hands on, and what stops it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
from aiokafka import TopicPartition

from services.chassis.batch import Committed
from services.chassis.clock import SystemClock
from services.chassis.database import Session as RealSession
from services.chassis.failures import Broken
from services.chassis.gateway_calls import call_id
from services.chassis.gateway_worker import GatewayWorker
from services.chassis.local import Local
from services.chassis.messages import Raw
from services.chassis.offsets import Fenced, Partition
from services.chassis.positions import Positions as RealPositions
from services.chassis.progress import Progress
from services.chassis.settling import Settling

PARTITION: Partition = ("booking.commands", 0)


def record(offset: int) -> Raw:
    return Raw(*PARTITION, offset, b"k", [], b"{}")


RESULT = Raw("local.Answered", 0, 1, b"k", [("call_id", "01a21488-c48a-78e3-a404-bda71b106152")], b"{}")


class Positions:
    """Notes what it is told."""

    give_up: Any

    def __init__(self) -> None:
        self.progress = Progress()
        self.following: dict[Partition, int] = {}
        self.went_back = 0

    def done(self, following: dict[Partition, int]) -> None:
        self.following.update(following)

    def go_back(self) -> None:
        self.went_back += 1


class Runner:
    """Fails as told, then succeeds; remembers the batches that committed."""

    def __init__(self, *outcomes: Exception | Callable[[], Any]) -> None:
        self._outcomes = list(outcomes)
        self.batches: list[list[Raw]] = []
        self.began = asyncio.Event()

    committed = Committed()

    async def run(self, batch: list[Raw], **_: object) -> Committed:
        self.began.set()
        if self._outcomes:
            outcome = self._outcomes.pop(0)
            if isinstance(outcome, Exception):
                raise outcome
            await outcome()
        self.batches.append(list(batch))
        return self.committed


class Session:
    """A database that is away."""

    closed = 0

    async def connection(self) -> None:
        raise ConnectionRefusedError

    async def close(self) -> None:
        self.closed += 1


def settling(
    runner: Runner, worker: GatewayWorker | None = None, local: Local | None = None
) -> tuple[Settling, Positions]:
    positions: Any = Positions()
    return Settling(runner, Session(), positions, None, local, worker), positions  # type: ignore[arg-type]


async def test_what_is_committed_is_handed_on() -> None:
    worker: Any = GatewayWorker(None, None, lambda: None)  # type: ignore[arg-type]
    worker.results = dict.fromkeys([call_id(RESULT)], RESULT)
    handler, positions = settling(Runner(), worker)
    await handler.settle([RESULT, record(7)])
    assert (positions.following, worker.results) == ({PARTITION: 8}, {})


async def test_what_is_to_come_back_at_once_is_looked_for_at_once() -> None:
    local, runner = Local(RealSession("", "none"), SystemClock(), [], {}), Runner()
    handler, _ = settling(runner, local=local)
    for runner.committed in (Committed(), Committed(due=True)):
        await handler.settle([record(7)])
        assert local.woken.is_set() == runner.committed.due


@pytest.mark.requirement("poison")
async def test_a_database_that_does_not_fit_ends_the_service() -> None:
    handler, positions = settling(Runner(asyncpg.UndefinedColumnError("no such column")))
    with pytest.raises(Broken):
        await handler.settle([record(7)])
    assert positions.following == {}


@pytest.mark.requirement("ordering")
async def test_a_fenced_batch_is_dropped() -> None:
    handler, positions = settling(Runner(Fenced("another owns it")))
    await handler.settle([record(7)])
    assert (positions.went_back, positions.following) == (1, {})


@pytest.mark.requirement("ordering")
async def test_fenced_again_and_again_is_no_rebalance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.chassis.settling.backoff_seconds", lambda *_, **__: 0.0)
    handler, _ = settling(Runner(*[Fenced("of 12 partitions") for _ in range(21)]))
    for _ in range(20):
        await handler.settle([record(7)])
    with pytest.raises(Broken, match="bookingctl positions"):
        await handler.settle([record(7)])


async def test_without_a_database_a_batch_is_read_again() -> None:
    handler, positions = settling(Runner(ConnectionRefusedError()))
    await handler.settle([record(7)])
    assert (positions.went_back, positions.following) == (1, {})
    await handler.settle([record(7)])
    assert positions.following == {PARTITION: 8}


@pytest.mark.requirement("ordering")
async def test_a_batch_that_hangs_is_cancelled_when_its_partitions_are_revoked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.chassis.settling.GIVE_UP_SECONDS", 0.1)
    runner = Runner(lambda: asyncio.sleep(3600))
    handler, positions = settling(runner)
    task = asyncio.create_task(handler.settle([record(7)]))
    await runner.began.wait()
    assert handler.busy
    await positions.give_up()
    await asyncio.wait_for(task, 5)
    assert (runner.batches, positions.following, positions.went_back) == ([], {}, 1)


async def test_a_revocation_waits_for_the_batch_in_hand() -> None:
    runner = Runner(lambda: asyncio.sleep(0.3))
    handler, positions = settling(runner)
    task = asyncio.create_task(handler.settle([record(7)]))
    await runner.began.wait()
    await positions.give_up()
    assert positions.following == {PARTITION: 8}
    await task


@pytest.mark.requirement("health")
async def test_due_rows_that_come_to_nothing_are_told_to_health() -> None:
    row = Raw("local.DeadlineReached", 0, 1, b"k", [], b"{}", row=call_id(RESULT))
    handler, positions = settling(Runner(ConnectionRefusedError()))
    await handler.settle([row])
    await asyncio.sleep(0.01)
    assert positions.progress.stalled_seconds() > 0
    await handler.settle([row])
    assert positions.progress.stalled_seconds() == 0


class CutOff:
    """A consumer whose connection was cut while it wrote: uvloop says so with a RuntimeError."""

    def assignment(self) -> set[TopicPartition]:
        return {TopicPartition(*PARTITION)}

    async def commit(self, _: object) -> None:
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")


@pytest.mark.requirement("poison")
async def test_a_connection_that_is_cut_while_offsets_are_committed_ends_nothing() -> None:
    positions = RealPositions(_no_positions)
    positions.consumer = CutOff()
    positions.done({PARTITION: 8})
    await positions.commit()
    assert positions._done == {PARTITION: 8}, "committed later"


async def _no_positions(_: object) -> dict[Partition, int]:
    return {}
