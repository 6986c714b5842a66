"""What a batch of booking costs by its size, and how two replicas that want one slot get on with each other."""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from typing import Any
from unittest.mock import patch
from uuid import UUID

from booking_contracts import payments
from booking_contracts.envelope import MessageBody
from booking_contracts.types import Money

from services.booking.store.locks import Locks
from services.chassis import logging
from services.chassis.messages import Raw
from services.chassis.process import calm_garbage_collector
from tests.bench.domain import database
from tests.chassis.harness import Engine, SetClock
from tests.chassis.scenes import Scene

SIZES = (1, 10, 50, 250, 500)
CROWD = 5_000
PROVIDERS, SLOTS = 10, 10


def batch_costs() -> dict[str, float]:
    """Milliseconds by kind of message and size of batch, of them under the slots' locks; seconds for two replicas."""
    logging.configure("bench", "1", "WARNING")
    calm_garbage_collector()
    with database() as stack:
        url = stack.env["BOOKING_DATABASE_URL"]
        figures = asyncio.run(_by_size(url))
        partitions = itertools.count(100, 100)
        for one_slot in (True, False):
            for replicas in (1, 2):
                where = "on one slot" if one_slot else "each on its own slots"
                took = _crowd(url, next(partitions), replicas, one_slot=one_slot)
                figures[f"{CROWD} by {replicas}, {where}, s"] = round(took, 2)
    return figures


async def _by_size(url: str) -> dict[str, float]:
    engine, figures = Engine(url, SetClock()), dict[str, float]()
    try:
        await _lives(engine, 50, 2)  # warm
        for size in SIZES:
            for kind, times in (await _lives(engine, size, 6 if size > 100 else 20)).items():
                whole, locked = (min(one) * 1000 for one in zip(*times, strict=True))
                figures[f"{kind} × {size}, ms"] = round(whole, 2)
                figures[f"{kind} × {size}, slots locked, ms"] = round(locked, 2)
    finally:
        await engine.close()
    return figures


async def _lives(engine: Engine, size: int, batches: int) -> dict[str, list[tuple[float, float]]]:
    """Seconds of each batch, whole and locked, for the three messages that a card saga brings to booking."""
    rooms = [await Scene(engine).open(SLOTS, capacity=size * batches) for _ in range(PROVIDERS)]
    places = [
        rooms[number % PROVIDERS].place(f"customer-{number}", slot=number // PROVIDERS % SLOTS)
        for number in range(size * batches)
    ]
    found = {"PlaceBooking": await _timed(engine, places, size)}
    rows = await engine.fetch(
        "SELECT booking_id, payment_id, attempt, price_minor, currency FROM booking WHERE booking_id = ANY($1)",
        [place.booking_id for place in places],
    )
    paid = [
        {
            "booking_id": row["booking_id"],
            "payment_id": row["payment_id"],
            "attempt": row["attempt"],
            "amount": Money(amount=row["price_minor"], currency=row["currency"]),
        }
        for row in rows
    ]
    authorized = [payments.PaymentAuthorized(**fields) for fields in paid]
    found["PaymentAuthorized"] = await _timed(engine, authorized, size)
    found["PaymentCaptured"] = await _timed(engine, [payments.PaymentCaptured(**fields) for fields in paid], size)
    return found


async def _timed(engine: Engine, bodies: Sequence[MessageBody], size: int) -> list[tuple[float, float]]:
    records, times = [engine.record(body) for body in bodies], []
    with _locking() as locked_at:
        for start in range(0, len(records), size):
            began = time.perf_counter()
            await engine.runner.run(records[start : start + size])
            ended = time.perf_counter()
            times.append((ended - began, ended - locked_at[-1]))
    return times


@contextmanager
def _locking() -> Iterator[list[float]]:
    """Notes when batches begin to lock slots."""
    at, lock = list[float](), Locks.slots

    async def noting(locks: Locks) -> None:
        at.append(time.perf_counter())
        await lock(locks)

    with patch.object(Locks, "slots", noting):
        yield at


class Replica(Engine):
    """A replica with a partition of its own, which nobody has read before."""

    def __init__(self, url: str, partition: int) -> None:
        super().__init__(url, SetClock())
        self._partition = partition

    def record(self, *arguments: Any, **named: Any) -> Raw:
        """As the engine's, on this replica's partition."""
        return replace(super().record(*arguments, **named), partition=self._partition)


@dataclass(frozen=True)
class OneSlot:
    """What a replica in another process has to know of it."""

    provider_id: UUID
    offering_id: UUID
    starts_at: datetime
    now: datetime


def _crowd(url: str, first: int, replicas: int, *, one_slot: bool) -> float:
    """Seconds until so many replicas, each a process, have placed CROWD bookings; their partitions begin at `first`."""
    context = multiprocessing.get_context("spawn")
    ready, seconds = context.Barrier(replicas), context.Queue()
    slot = asyncio.run(_open(url, first)) if one_slot else None
    workers = [
        context.Process(target=_work, args=(url, first + 1 + number, CROWD // replicas, slot, ready, seconds))
        for number in range(replicas)
    ]
    for worker in workers:
        worker.start()
    took: list[float] = [seconds.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join()
    return max(took)


async def _open(url: str, partition: int) -> OneSlot:
    engine = Replica(url, partition)
    try:
        scene = await Scene(engine).open(1, capacity=CROWD + 1)
        await engine.tell(scene.place("first"))  # the slot is active now: no batch wants its provider's lock
        return OneSlot(scene.provider_id, scene.offering_id, scene.starts_at, engine.clock.now())
    finally:
        await engine.close()


def _work(url: str, partition: int, count: int, slot: OneSlot | None, ready: Barrier, seconds: Queue[float]) -> None:
    logging.configure("bench", "1", "ERROR")
    calm_garbage_collector()
    seconds.put(asyncio.run(_place(url, partition, count, slot, ready)))


async def _place(url: str, partition: int, count: int, slot: OneSlot | None, ready: Barrier) -> float:
    engine = Replica(url, partition)
    try:
        if slot is None:
            rooms, slots = [await Scene(engine).open(SLOTS, capacity=CROWD) for _ in range(PROVIDERS)], SLOTS
        else:
            scene, slots = Scene(engine), 1
            scene.provider_id, scene.offering_id, scene.starts_at = slot.provider_id, slot.offering_id, slot.starts_at
            engine.clock.instant, rooms = slot.now, [scene]
        records = [
            engine.record(rooms[one % len(rooms)].place(f"crowd-{partition}-{one}", slot=one // len(rooms) % slots))
            for one in range(count)
        ]
        ready.wait(60)
        began = time.perf_counter()
        await engine.run(*records)
        return time.perf_counter() - began
    finally:
        await engine.close()
