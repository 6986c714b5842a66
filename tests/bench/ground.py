"""What every row of figures stands on: the stack, its end of Kafka, rooms to book in, and what was booked so far."""

from __future__ import annotations

import asyncio
import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

import asyncpg

from deploy.local.stack import Stack
from tests.bench.rooms import Room
from tests.bench.runs import Load
from tests.bench.wire import Wire
from tests.calm import calm

SERVICES = ("booking", "payments", "notifications")
"""Said here, because `make bench-compare` measures versions whose contracts do not say it."""
PROVIDERS, SLOTS = 25, 20
RATES = (20, 100)
"""Sagas a second of the runs in an open loop."""
REST_SECONDS = 300.0
MAILS = "notifications-1"
SOON = "SELECT EXISTS (SELECT FROM local_message WHERE due_at BETWEEN now() AND now() + interval '3 seconds')"


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
    """Until the last mail is out and all that webhooks told is looked at: a run's own work, which slows no other.

    What a stopped service has not read is left where it is. Raises AssertionError after REST_SECONDS.
    """
    deadline = time.monotonic() + REST_SECONDS
    moving: dict[str, int] = {}
    while time.monotonic() < deadline:
        left = await calm(stack.env, 1.0 if stopped else REST_SECONDS)
        moving = {name: count for name, count in left.items() if name.split()[0] != stopped}
        if not moving and not await _webhooks_wait(stack):
            return
        await asyncio.sleep(0.5)
    raise AssertionError(f"the system did not come to rest in {REST_SECONDS:.0f} s: {moving}")


async def _webhooks_wait(stack: Stack) -> bool:
    """Whether payments will look in a moment at what its own calls have caused: calm() counts what is due by now."""
    connection = await asyncpg.connect(stack.env["AUDITOR_PAYMENTS_DATABASE_URL"])
    try:
        return bool(await connection.fetchval(SOON))
    finally:
        await connection.close()


def per_second(count: int, seconds: float) -> float:
    """A rate as it is printed."""
    return round(count / seconds, 1)
