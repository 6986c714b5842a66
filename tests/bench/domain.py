"""`python -m tests.bench --domain`: booking's engine and reads on a PostgreSQL of their own, with few and many rows."""

from __future__ import annotations

import asyncio
import cProfile
import json
import pstats
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local import postgres
from deploy.local.catalog import run_setup_step
from deploy.local.layout import Layout
from deploy.local.stack import Stack
from services.chassis import logging
from services.chassis.process import calm_garbage_collector
from tests.bench.batches import hot_slot_seconds, place_ms
from tests.chassis.harness import Engine, SetClock


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


async def _measure(url: str, profile: bool) -> dict[str, float]:
    engine = Engine(url, SetClock())
    profiler = cProfile.Profile()
    try:
        await place_ms(engine, 2)
        if profile:
            profiler.enable()
        figures = {"place_500_ms": await place_ms(engine), "engine_hot_slot_seconds": await hot_slot_seconds(engine)}
    finally:
        profiler.disable()
        await engine.close()
    if profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
    return figures


def run(profile: bool = False) -> None:
    """Measure and print; the last line is JSON."""
    logging.configure("bench", "1", "WARNING")
    calm_garbage_collector()
    with database() as stack:
        figures = asyncio.run(_measure(stack.env["BOOKING_DATABASE_URL"], profile))
    print(json.dumps(figures))
