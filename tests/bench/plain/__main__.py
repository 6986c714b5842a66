"""`python -m tests.bench.plain`: our system and a plain one in turns on one machine, PostgreSQL and Kafka.

A saga is from PlaceBooking to PaymentCaptured; two mails each are stored and not sent. Ours keeps what it does besides
(replies, webhooks, ledger, history, timers), but notifications runs without its gateway: it makes the letters and
stores them with their calls, which nobody makes. Each side is measured while the other's processes are stopped, as
often as --rounds says; wallets are full before the clock starts, CPU time counts until the last mail is stored, the
load client's does not. At the end both are checked: every booking confirmed and paid once, no seat sold twice.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from argparse import Namespace
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from statistics import median

from deploy.local import postgres
from deploy.local.layout import Layout
from deploy.local.stack import Stack
from tests.bench import runs
from tests.bench.cpu import cpu_ms, per_saga
from tests.bench.plain.messages import Method
from tests.bench.plain.our_side import Ours
from tests.bench.plain.plain_side import Plain
from tests.bench.plain.side import PROVIDERS, SLOTS, Side
from tests.bench.runs import Load
from tests.bench.wire import Wire, wired

METHODS: tuple[Method, ...] = ("card", "wallet")
RATE = 20
Figures = dict[str, float]


@contextmanager
def _stack() -> Iterator[tuple[Stack, Path]]:
    with tempfile.TemporaryDirectory(prefix="bench-plain-") as directory:
        root = Path(directory)
        stack = Stack(root, parts=("postgres", "kafka", "stripe-simulator", "clock-offset", "services"))
        try:
            stack.up(progress=lambda line: print(line, flush=True))
            yield stack, root
        finally:
            stack.down(progress=lambda _: None)
            postgres.remove(root)


class Turns:
    """The runs of both sides, alternately."""

    def __init__(self, stack: Stack, options: Namespace) -> None:
        self._stack, self._options = stack, options
        self._at_rate = int(options.seconds * RATE)
        counts = (options.warm_up, options.sagas, self._at_rate)
        self._capacity = options.rounds * len(METHODS) * sum(ceil(count / (PROVIDERS * SLOTS)) for count in counts)
        self._keys: dict[str, dict[Method, list[bytes]]] = defaultdict(lambda: {method: [] for method in METHODS})

    async def measure(self, side: Side, number: int) -> Figures:
        """One turn of one side. All that is to be sent is ready, and all wallets are full, before anything is."""
        await side.start()
        found: Figures = {}
        async with wired(side.env["KAFKA_BOOTSTRAP_SERVERS"], side.heard) as wire:
            if number == 0:
                await side.open_slots(wire, self._capacity)
            counts = {"warm": self._options.warm_up, "heavy": self._options.sagas, "rate": self._at_rate}
            loads = {
                (run, method): await side.load(wire, count, f"{run}-{method}-{number}", method)
                for run, count in counts.items()
                for method in METHODS
            }
            for (run, method), load in loads.items():
                self._keys[side.name][method] += load.keys
                await side.rest()
                if run == "rate":
                    latencies = await runs.latencies_ms(wire, load, RATE)
                    found[f"{method}_p50_ms_at_{RATE}"] = runs.percentile(latencies, 50)
                else:
                    found |= await self._saturate(side, wire, load, method)
            await side.rest()
        if number == self._options.rounds - 1:
            await side.check(self._keys[side.name])
        await side.stop()
        print(f"{side.name} {number + 1}: {found}", flush=True)
        return found

    async def _saturate(self, side: Side, wire: Wire, load: Load, method: Method) -> Figures:
        count = len(load.keys)
        before = cpu_ms(self._stack, side.costs)
        seconds = await runs.saturate(wire, load, self._options.in_flight)
        await side.rest()
        cost = per_saga(before, cpu_ms(self._stack, side.costs), count)
        print(f"  {side.name} {method}: {count / seconds:.0f}/s, CPU ms {cost}", flush=True)
        return {f"{method}_sagas_per_s": round(count / seconds, 1), f"{method}_cpu_ms": round(sum(cost.values()), 2)}


async def _measure(stack: Stack, root: Path, options: Namespace) -> dict[str, list[Figures]]:
    layout = Layout.load(root)
    plain, ours = Plain(layout, stack.env), Ours(layout, stack.env)
    await ours.stop()
    await plain.prepare()
    turns, found = Turns(stack, options), defaultdict(list)
    for number in range(options.rounds):
        for side in (plain, ours):
            found[side.name].append(await turns.measure(side, number))
    return found


def _report(rounds: dict[str, list[Figures]]) -> None:
    """A table of medians, then JSON with every turn. A ratio is the median of those of neighbouring turns: the speed of
    a machine drifts."""
    names = list(rounds["ours"][0])
    middle = {
        side: {name: round(median(one[name] for one in turns), 1) for name in names} for side, turns in rounds.items()
    }
    pairs = list(zip(rounds["ours"], rounds["plain"], strict=True))
    ratios = {name: round(median(ours[name] / plain[name] for ours, plain in pairs), 2) for name in names}
    print(f"\n{'':24}{'plain':>10}{'ours':>10}{'ours ÷ plain':>15}")
    for name in names:
        print(f"{name:24}{middle['plain'][name]:>10}{middle['ours'][name]:>10}{ratios[name]:>15}")
    print(json.dumps({**middle, "ours_to_plain": ratios, "turns": rounds}))


def _options() -> Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.plain", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side")
    parser.add_argument("--sagas", type=int, default=1500, help="sagas of each saturated run")
    parser.add_argument("--warm-up", type=int, default=300, help="sagas before them")
    parser.add_argument("--in-flight", type=int, default=500, help="sagas open at a time")
    parser.add_argument("--seconds", type=float, default=12.0, help=f"length of each run at {RATE}/s")
    return parser.parse_args()


if __name__ == "__main__":
    with _stack() as (running, directory):
        _report(asyncio.run(_measure(running, directory, _options())))
