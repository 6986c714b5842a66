"""`python -m tests.bench --domain`: booking's engine and reads on a PostgreSQL of their own, with few and many rows."""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from deploy.local import postgres
from deploy.local.catalog import run_setup_step
from deploy.local.layout import Layout
from deploy.local.stack import Stack
from services.booking.store import reads_availability
from services.chassis import logging
from services.chassis.database import open_pool
from services.chassis.process import calm_garbage_collector
from tests.bench.batches import hot_slot_seconds, place_ms, scenes
from tests.bench.bulk import fill
from tests.bench.runs import percentile
from tests.chassis.harness import Engine, SetClock

FEW = 10_000
AT_ONCE = 1_000_000
"""Rows of one INSERT, so that it ends within the connection's time limit."""
QUERIES = 500


@contextmanager
def database() -> Iterator[Stack]:
    """PostgreSQL alone with the migrations applied; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        root = Path(directory)
        stack = Stack(root, parts=("postgres",))
        try:
            stack.up(progress=lambda _: None)
            run_setup_step(Layout.load(root), "postgres")
            yield stack
        finally:
            stack.down(progress=lambda _: None)
            postgres.remove(root)


async def _measure(env: Mapping[str, str], most: int, profile: bool) -> dict[str, float]:
    """What a batch of 500 PlaceBookings costs with few and with many bookings; availability with many."""
    engine = Engine(env["BOOKING_DATABASE_URL"], SetClock())
    profiler = cProfile.Profile()
    figures: dict[str, float] = {}
    try:
        await place_ms(engine, 2)
        (model,) = await scenes(engine, 1, 1, 1)
        there, offerings = 0, list[UUID]()
        for rows in (FEW, most):
            while there < rows:
                part = min(rows - there, AT_ONCE)
                offerings += await fill(env["POSTGRES_ADMIN_URL"], model, part, model.starts_at)
                there += part
            if profile:
                profiler.enable()
            figures[f"place_500_ms_with_{rows}"] = round(await place_ms(engine), 1)
            profiler.disable()
            print(figures, flush=True)
        figures["engine_hot_slot_seconds"] = round(await hot_slot_seconds(engine), 2)
        now = engine.clock.now()
        found = await _availability_ms(env["BOOKING_DATABASE_URL"], offerings, model.starts_at, now)
        figures[f"availability_p50_ms_with_{most}"] = percentile(found, 50)
        figures[f"availability_p99_ms_with_{most}"] = percentile(found, 99)
    finally:
        await engine.close()
    if profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
    return figures


async def _availability_ms(url: str, offerings: Sequence[UUID], start: datetime, now: datetime) -> list[float]:
    """A week of one offering, read again and again."""
    pool = await open_pool(url, "bench", size=1)
    took = []
    try:
        for offering_id in random.sample(offerings, min(QUERIES, len(offerings))):
            began = time.perf_counter()
            until = start + timedelta(days=7)
            slots = await reads_availability.availability(pool, offering_id, None, start, until, now)
            took.append((time.perf_counter() - began) * 1000)
            assert len(slots) > 80, f"only {len(slots)} slots in the week"
    finally:
        await pool.close()
    return took


def run(bookings: int, profile: bool = False) -> dict[str, float]:
    """Measure; returns the figures."""
    logging.configure("bench", "1", "WARNING")
    calm_garbage_collector()
    with database() as stack:
        return asyncio.run(_measure(stack.env, bookings, profile))
