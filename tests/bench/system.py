"""`python -m tests.bench`: the whole system on a stack of its own."""

from __future__ import annotations

import asyncio
import json
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path

from deploy.local import postgres
from deploy.local.stack import Stack
from tests.bench import runs
from tests.bench.checks import check
from tests.bench.cpu import cpu_ms, per_saga
from tests.bench.rooms import open_rooms
from tests.bench.runs import Load, percentile
from tests.bench.wire import Wire, wired
from tests.calm import calm

SLOTS = 20
PROVIDERS = 25
REST_SECONDS = 300.0


@contextmanager
def own_stack() -> Iterator[Stack]:
    """A stack in a temporary directory; services log warnings alone."""
    quiet = {"LOG_LEVEL": "WARNING"}
    extra = dict.fromkeys(("booking", "payments", "notifications"), quiet)
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        root = Path(directory)
        stack = Stack(root, extra_env=extra)
        try:
            stack.up(progress=lambda line: print(line, flush=True))
            yield stack
        finally:
            stack.down(progress=lambda _: None)
            postgres.remove(root)


def run(options: Namespace) -> None:
    """Measure and print; the last line is JSON with exactly the keys of the figures."""
    with own_stack() as stack:
        figures = asyncio.run(_measure(stack, options))
    print(json.dumps(figures))


async def _measure(stack: Stack, options: Namespace) -> dict[str, object]:
    async with wired(stack.env["KAFKA_BOOTSTRAP_SERVERS"]) as wire:
        return await _runs(stack, wire, options)


async def _runs(stack: Stack, wire: Wire, options: Namespace) -> dict[str, object]:
    counts = {rate: int(rate * options.seconds) for rate in (20, 100)}
    capacity = sum(ceil(count / (PROVIDERS * SLOTS)) for count in (options.warm_up, options.sagas, *counts.values()))
    rooms = await open_rooms(wire, providers=PROVIDERS, slots=SLOTS, capacity=capacity)
    warm = Load(rooms, options.warm_up, "warm")
    print(f"warm-up: {len(warm.keys) / await runs.saturate(wire, warm, options.in_flight):.0f} sagas/s", flush=True)
    figures: dict[str, object] = {}
    loads = [warm]
    heavy = Load(rooms, options.sagas, "heavy")
    await _rest(stack)
    before = cpu_ms(stack)
    seconds = await runs.saturate(wire, heavy, options.in_flight)
    await _rest(stack)
    cost = per_saga(before, cpu_ms(stack), len(heavy.keys))
    figures["card_sagas_per_s"] = round(len(heavy.keys) / seconds, 1)
    loads.append(heavy)
    print(f"saturation: {figures['card_sagas_per_s']} sagas/s over {seconds:.1f} s, CPU ms {cost}", flush=True)
    for rate, count in counts.items():
        await _rest(stack)
        load = Load(rooms, count, f"rate{rate}")
        found = await runs.latencies_ms(wire, load, rate)
        figures |= {f"p50_ms_at_{rate}": percentile(found, 50), f"p99_ms_at_{rate}": percentile(found, 99)}
        loads.append(load)
        print(f"{rate}/s: {figures[f'p50_ms_at_{rate}']} / {figures[f'p99_ms_at_{rate}']} ms", flush=True)
    hot_seconds, hot = await runs.hot_slot(wire, options.hot_commands, options.hot_seats)
    figures |= {"hot_slot_seconds": round(hot_seconds, 2), "cpu_ms_per_saga": cost}
    await _rest(stack)
    await check(stack, {key for load in (*loads, hot) for key in load.keys})
    return figures


async def _rest(stack: Stack) -> None:
    """Until the last mail is out: what a run has left to do counts as its own, and slows no other."""
    left = await calm(stack.env, REST_SECONDS)
    assert not left, f"the system did not come to rest in {REST_SECONDS:.0f} s: {dict(left)}"
