"""`python -m tests.bench`: the whole system on a stack of its own, row by row."""

from __future__ import annotations

import asyncio
import tempfile
import time
from argparse import Namespace
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.local import postgres
from deploy.local.catalog import SYSTEM
from deploy.local.stack import Stack
from tests.bench import changes, cpu, machine, memory, rows, runs, statements, tables
from tests.bench.checks import check
from tests.bench.ground import PROVIDERS, SLOTS, Ground, rest, seats
from tests.bench.rooms import open_rooms
from tests.bench.wire import wired

Figures = dict[str, object]
ROWS: Mapping[str, Callable[[Ground], Awaitable[Figures]]] = {
    "statements": statements.of_one_saga,
    "card": rows.card,
    "rates": rows.rates,
    "hot": rows.hot,
    "changes": changes.moved_and_cancelled,
    "memory": memory.memory,
    "queued": rows.queued,
    "timers": changes.due_timers,
    "tables": tables.after,
}
"""In their order: `timers` moves the clock and leaves mails behind, and `tables` shows what all have left."""
IDLE = "idle"
"""Measured apart from ROWS: while nobody but the services is connected to Kafka."""


@contextmanager
def own_stack(parts: Collection[str] = SYSTEM) -> Iterator[Stack]:
    """A stack of these parts in a temporary directory; services log warnings alone."""
    quiet = {"LOG_LEVEL": "WARNING"}
    extra = dict.fromkeys(("booking", "payments", "notifications"), quiet)
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        root = Path(directory)
        stack = Stack(root, parts=parts, extra_env=extra)
        try:
            stack.up(progress=lambda line: print(line, flush=True))
            yield stack
        finally:
            stack.down(progress=lambda _: None)
            postgres.remove(root)


def chosen(names: str) -> list[str]:
    """The rows of `--only`, in the order of ROWS; all without it. Raises SystemExit for a name that is none."""
    every = [IDLE, *ROWS]
    asked = names.split(",") if names else every
    if unknown := set(asked) - set(every):
        raise SystemExit(f"there is no row {sorted(unknown)}; there are {every}")
    return [name for name in every if name in asked]


def run(options: Namespace) -> Figures:
    """Measure, and print each row as it comes; returns the figures."""
    names = chosen(options.only)
    with own_stack() as stack:
        return asyncio.run(_measure(stack, options, names))


async def _measure(stack: Stack, options: Namespace, names: list[str]) -> Figures:
    speed = await machine.speed(stack)
    async with wired(stack.env["KAFKA_BOOTSTRAP_SERVERS"]) as wire:
        rooms = await open_rooms(wire, providers=PROVIDERS, slots=SLOTS, capacity=seats(options))
        ground = Ground(stack, wire, options, rooms)
        warm = ground.load(options.warm_up, "warm")
        rate = len(warm.keys) / await runs.saturate(wire, warm, options.in_flight)
        print(f"warm-up: {rate:.0f} sagas/s", flush=True)
        await rest(stack)
    idle = await cpu.idle_ms_per_s(stack, options.idle_seconds) if IDLE in names else {}
    figures: Figures = {}
    async with wired(stack.env["KAFKA_BOOTSTRAP_SERVERS"]) as ground.wire:
        for name in names:
            if name != IDLE:
                figures |= await _row(name, ground)
        await check(stack, ground.charged, ground.by_wallet)
    if idle:
        figures |= await _idle(stack, idle, options.idle_seconds)
    return machine.mean(speed, await machine.speed(stack)) | figures


async def _row(name: str, ground: Ground) -> Figures:
    began = time.monotonic()
    found = await ROWS[name](ground)
    print(f"{name}: {found} ({time.monotonic() - began:.0f} s)", flush=True)
    return found


async def _idle(stack: Stack, idle: Mapping[str, float], seconds: float) -> Figures:
    """What services use while nothing is asked, and what they cause: PostgreSQL and Kafka idle without them, too."""
    for name in cpu.SERVICES:
        stack.stop_process(name)
    alone = await cpu.idle_ms_per_s(stack, seconds)
    caused = sum(idle[name] for name in (*cpu.SERVICES, *cpu.SHARED)) - sum(alone[name] for name in cpu.SHARED)
    figures: Figures = {
        "idle_cpu_ms_per_s": dict(idle),
        "idle_cpu_ms_per_s_without_services": alone,
        "idle_cpu_ms_per_s_caused": round(caused, 1),
    }
    print(f"{IDLE}: {figures}", flush=True)
    return figures
