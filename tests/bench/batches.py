"""Booking alone, without Kafka: what a batch of commands costs the engine on a real PostgreSQL."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

from booking_contracts.envelope import MessageBody

from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene

BATCH = 500


async def scenes(engine: Engine, count: int, slots: int, capacity: int) -> list[Scene]:
    """So many providers, each with one offering and its slots."""
    return [await Scene(engine).open(slots, capacity=capacity) for _ in range(count)]


async def timed(engine: Engine, bodies: Sequence[MessageBody]) -> list[float]:
    """Seconds for each batch; the records are made before the clock starts."""
    records = [engine.record(body) for body in bodies]
    seconds = []
    for start in range(0, len(records), BATCH):
        began = time.perf_counter()
        await engine.runner.run(records[start : start + BATCH])
        seconds.append(time.perf_counter() - began)
    return seconds


async def place_ms(engine: Engine, batches: int = 6) -> float:
    """Median milliseconds for 500 PlaceBookings spread over 10 providers with 10 slots each."""
    rooms = await scenes(engine, 10, 10, batches * BATCH // 100)
    commands = [
        rooms[number % 10].place(f"customer-{number}", slot=number // 10 % 10) for number in range(batches * BATCH)
    ]
    seconds = await timed(engine, commands)
    held = await engine.fetch("SELECT count(*) FROM booking WHERE state = 'PENDING_PAYMENT'")
    assert held[0][0] >= len(commands), "not every booking was placed"
    return statistics.median(seconds) * 1000


async def hot_slot_seconds(engine: Engine, commands: int = 5000, seats: int = 100) -> float:
    """Seconds for so many customers who want one slot; exactly its seats are held."""
    (room,) = await scenes(engine, 1, 1, seats)
    seconds = await timed(engine, [room.place(f"crowd-{number}") for number in range(commands)])
    held = await engine.fetch("SELECT sum(seats) FROM booking WHERE offering_id = $1", room.offering_id)
    assert held[0][0] == seats, f"{held[0][0]} seats are held on a slot of {seats}"
    return sum(seconds)
