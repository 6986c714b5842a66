"""What every row of figures stands on: the stack, its end of Kafka, rooms to book in, and what was booked so far."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

from deploy.local.stack import Stack
from tests.bench.rooms import Room
from tests.bench.runs import Load
from tests.bench.wire import Wire
from tests.calm import calm

PROVIDERS, SLOTS = 25, 20
RATES = (20, 100)
"""Sagas a second of the runs in an open loop."""
REST_SECONDS = 300.0
MAILS = "notifications-1"


@dataclass
class Ground:
    """`charged` and `by_wallet` are the keys of bookings that must be right at the end (checks.py)."""

    stack: Stack
    wire: Wire
    options: Namespace
    rooms: Sequence[Room]
    charged: set[bytes] = field(default_factory=set)
    by_wallet: set[bytes] = field(default_factory=set)

    def load(self, count: int, who: str) -> Load:
        """So many card bookings, remembered for the check."""
        load = Load(self.rooms, count, who)
        self.charged.update(load.keys)
        return load


def seats(options: Namespace) -> int:
    """What each room must hold for all rows together."""
    counts = (options.warm_up, options.sagas, options.sagas, options.wallets, options.alone)
    rated = (int(rate * options.seconds) for rate in RATES)
    return sum(ceil(count / (PROVIDERS * SLOTS)) for count in (*counts, *rated))


async def rest(stack: Stack, stopped: str = "") -> None:
    """Until the last mail is out: what a run has left to do counts as its own, and slows no other.

    What a stopped service has not read is left where it is. Raises AssertionError after REST_SECONDS.
    """
    deadline = time.monotonic() + REST_SECONDS
    while True:
        left = await calm(stack.env, 1.0 if stopped else REST_SECONDS)
        moving = {name: count for name, count in left.items() if name.split()[0] != stopped}
        if not moving:
            return
        assert time.monotonic() < deadline, f"the system did not come to rest in {REST_SECONDS:.0f} s: {moving}"


def per_second(count: int, seconds: float) -> float:
    """A rate as it is printed."""
    return round(count / seconds, 1)
