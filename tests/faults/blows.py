"""What can be done to a running system, each a blow that a seed can choose.

They block until the system has what it needs to recover: a killed process runs again, a link is whole, a disk has room.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg
from booking_contracts.rights import SERVICES

from deploy.local.stack import Stack
from tests.faults.disk import Disk
from tests.faults.network import LINKS, Network


@dataclass
class Arena:
    """What blows are dealt to. Without a `disk`, none is filled."""

    stack: Stack
    network: Network
    rng: random.Random
    disk: Disk | None = None

    def replica(self) -> str:
        return f"{self.rng.choice(SERVICES)}-{self.rng.choice((1, 2))}"

    def link(self) -> str:
        return self.rng.choice(LINKS)


def cut(arena: Arena) -> None:
    """Every connection of a link is reset, in the middle of whatever it carried; three times."""
    link = arena.link()
    for _ in range(3):
        arena.network.do(link, "cut")
        time.sleep(arena.rng.uniform(0.2, 1))
    arena.network.do(link, "pass")


def refuse(arena: Arena) -> None:
    arena.network.spoil(arena.link(), "refuse", arena.rng.uniform(1, 6))


def delay(arena: Arena) -> None:
    """200 ms each way, or 2 s."""
    arena.network.spoil(arena.link(), "delay", arena.rng.uniform(3, 8), arena.rng.choice((0.2, 0.2, 2.0)))


def hole(arena: Arena) -> None:
    """Half-open: nothing comes through and nobody is told, until the connections are reset."""
    arena.network.spoil(arena.link(), "hole", arena.rng.uniform(2, 12))


def kill(arena: Arena) -> None:
    arena.stack.restart(arena.replica(), signal.SIGKILL)


def restart(arena: Arena) -> None:
    arena.stack.restart(arena.replica(), signal.SIGTERM)


def freeze(arena: Arena) -> None:
    name = arena.replica()
    arena.stack.stop_process(name, signal.SIGSTOP)
    time.sleep(arena.rng.uniform(2, 16))
    arena.stack.stop_process(name, signal.SIGCONT)


def third(arena: Arena) -> None:
    """A third replica comes and goes."""
    name = arena.stack.add_replica(arena.rng.choice(SERVICES))
    time.sleep(arena.rng.uniform(1, 4))
    arena.stack.remove_replica(name)


def kill_kafka(arena: Arena) -> None:
    arena.stack.restart("kafka", signal.SIGKILL)


def kill_postgres(arena: Arena) -> None:
    arena.stack.restart("postgres", signal.SIGKILL)


def end_sessions(arena: Arena) -> None:
    """An operator ends every session of a service, as before maintenance."""

    async def end() -> None:
        admin = await asyncpg.connect(arena.stack.env["POSTGRES_ADMIN_URL"])
        try:
            service = arena.rng.choice(SERVICES)
            await admin.fetch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", service)
        finally:
            await admin.close()

    asyncio.run(end())


def stripe_down(arena: Arena) -> None:
    arena.network.spoil("payments to stripe", arena.rng.choice(("refuse", "hole")), arena.rng.uniform(3, 10))


def stripe_failing(arena: Arena) -> None:
    """A third of Stripe's answers is lost or a 500, half of the webhooks are late or lost, for some seconds."""
    kinds = ("500", "timeout_after", "timeout_before", "connection_reset", "429")
    faults: list[dict[str, object]] = [{"operation": "*", "kind": kind, "rate": 0.07} for kind in kinds]
    faults += [{"operation": "webhook", "kind": kind, "rate": 0.25} for kind in ("lost", "late")]
    _put(arena, faults)
    time.sleep(arena.rng.uniform(3, 8))
    _put(arena, [])


def mail_down(arena: Arena) -> None:
    arena.network.spoil("notifications to mail", arena.rng.choice(("refuse", "hole")), arena.rng.uniform(3, 10))


def full_disk(arena: Arena) -> None:
    """Booking's database has no room to grow."""
    if arena.disk is None:
        return
    arena.disk.fill()
    try:
        time.sleep(arena.rng.uniform(3, 8))
    finally:
        arena.disk.free()


def _put(arena: Arena, faults: list[dict[str, object]]) -> None:
    url = f"{arena.stack.env['STRIPE_CONTROL_URL']}/faults"
    body, kind = json.dumps(faults).encode(), {"content-type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(url, body, kind, method="PUT"), timeout=10).close()


BLOWS: dict[str, tuple[Callable[[Arena], None], int]] = {
    "connections cut": (cut, 18),
    "link refuses": (refuse, 12),
    "link delayed": (delay, 12),
    "link silent": (hole, 14),
    "kill -9": (kill, 8),
    "restarted": (restart, 4),
    "frozen": (freeze, 6),
    "third replica": (third, 3),
    "Kafka killed": (kill_kafka, 2),
    "PostgreSQL killed": (kill_postgres, 3),
    "sessions ended": (end_sessions, 4),
    "Stripe away": (stripe_down, 5),
    "Stripe failing": (stripe_failing, 5),
    "mail away": (mail_down, 4),
    "disk full": (full_disk, 5),
}
"""By name: how it is dealt, and how many of a hundred."""


def chosen(arena: Arena, count: int) -> list[str]:
    """Names of so many blows, about in their shares, in a random order; all kinds among a hundred."""
    names = [name for name, (_, share) in BLOWS.items() for _ in range(share)]
    if arena.disk is None:
        names = [name for name in names if name != "disk full"]
    arena.rng.shuffle(names)
    return (names * (count // len(names) + 1))[:count]
