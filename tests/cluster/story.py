"""`python -m tests.cluster.story CHART TAG FILE`: a day of a system on Kubernetes, under 20 commands a second.

Runs inside of the cluster (Cluster.started_inside), where names and addresses of pods can be reached. One thing after
another is done to it (blows.py); after each, what tests/faults counts is counted, of everything so far, and the console
is looked at (console.py). FILE gets the figures, as JSON, after each scenario; the first in which something is wrong is
the last one, and ends this with 1.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import aiohttp
from booking_contracts.rights import SERVICES

from deploy.cluster.installation import ADDRESSES, FULL_NAME, TOKEN, database_url
from tests.cluster import scenarios as of
from tests.cluster.answers import answers_between, figures, read
from tests.cluster.blows import REPLICAS, Blows
from tests.cluster.console import Console
from tests.cluster.kube import Json, items, kubectl
from tests.cluster.pods import Pods, Seen, fewest_ready, made, restarted_by_probe, restarts
from tests.cluster.reads import Reads
from tests.cluster.rotation import Rotation
from tests.faults.load import Load
from tests.faults.settings import SEED, rng
from tests.faults.trial import Trial
from tests.money.checks import CHECKS, CLEARING, nothing_is_left_half_done
from tests.money.collecting import collect as collect_money
from tests.money.facts import Money

PER_SECOND = 20.0
LEAST_SECONDS = 8.0
RESEND_SECONDS = 240.0
OF_MONEY = [check for check in CHECKS if check is not nothing_is_left_half_done]
"""Customers who have not paid yet are waited for. tests/faults counts sagas that hang."""


def env() -> dict[str, str]:
    """Where everything is, with the names of a stack.env; there is no clock that could be moved."""
    found = {
        "KAFKA_BOOTSTRAP_SERVERS": ADDRESSES["kafka"],
        "STRIPE_CONTROL_URL": ADDRESSES["stripe-control"],
        "POSTGRES_ADMIN_URL": database_url("postgres", "postgres"),
    }
    for service in SERVICES:
        found[f"AUDITOR_{service.upper()}_DATABASE_URL"] = database_url("auditor", service)
    return found


class Story:
    """What is told: `told` is what FILE gets."""

    def __init__(self, chart: Path, next_tag: str, file: Path) -> None:
        self.file = file
        self.pods = Pods()
        self.reads = Reads(ADDRESSES["booking"], TOKEN)
        self.console = Console(ADDRESSES["console"], TOKEN, self.pods)
        load = Load(ADDRESSES["kafka"], rng("cluster"), resend_seconds=RESEND_SECONDS, catches_up=True)
        self.env = env()
        self.trial = Trial(lambda: self.env, load, PER_SECOND)
        self.blows = Blows(self.env, self.pods, chart, next_tag)
        self.rotation = Rotation(self.env, self.pods, self.reads, self.console)
        self.told: Json = {"seed": SEED, "cores": os.cpu_count(), "per second": PER_SECOND, "scenarios": []}

    async def tell(self) -> None:
        """Everything. Raises AssertionError with what is wrong, and Failed where kubectl or Helm could not."""
        self.pods.start()
        self.pods.until_ready(REPLICAS)
        reading = asyncio.create_task(self.reads.run())
        blows = self.blows
        try:
            await self.scenario(of.NOTHING, lambda: None)
            await self.scenario(of.UPGRADE, blows.upgrade)
            await self.scenario(of.ROLLBACK, blows.rollback)
            await self.scenario(of.DRAIN, blows.drain)
            await self.scenario(of.SCALE, blows.scale)
            await self.scenario(of.KILL, blows.kill)
            await self.scenario(of.POSTGRES, blows.postgres)
            await self.scenario(of.ROTATION, self.rotation)
            await self.scenario(of.KAFKA, blows.kafka)
        finally:
            reading.cancel()
            self.pods.stop()
        await self.end()

    async def scenario(self, name: str, blow: Callable[[], None]) -> None:
        """One blow, and what it was like for those who use the system."""
        since, began = time.time(), time.monotonic()
        self.blows.notes = notes = {}
        lasted: list[float] = []

        def timed() -> None:
            begun = time.monotonic()
            blow()
            lasted.append(time.monotonic() - begun)

        await self.trial.suffer(name, LEAST_SECONDS, timed, faults=1)
        until, row = time.time(), self.trial.rows[-1]
        shown = await self.console.again()
        if blow is self.rotation:
            notes["used after"] = self.rotation.seconds
        times = await read(ADDRESSES["kafka"])
        looked, failed = self.reads.failures(since, until)
        notes |= of_migration(self.pods.seen, since, lambda a, b: answers_between(times, a, b))
        self.told["scenarios"].append(
            {
                "name": name,
                "seconds": lasted[0],
                "rested": row.rested,
                "whole": time.monotonic() - began,
                **asdict(figures(times, since, until)),
                "reads": looked,
                "reads failed": failed,
                "fewest ready": fewest_ready(self.pods.seen, since, until),
                "pods made": len(made(self.pods.seen, since, until)),
                "console whole after": shown,
                "notes": notes,
            }
        )
        self._write()

    async def end(self) -> None:
        """What is only known of the whole."""
        money = await collect_money(self.env)
        wrong = [f"{check.__name__}: {one}" for check in OF_MONEY for one in check(money)]
        auditor = ("exec", f"deployment/{FULL_NAME}-auditor", "--", "bookingctl", "audit", "run", "--once", "--json")
        found = json.loads(kubectl(*auditor))
        events = items("events")
        self.told |= {
            "commands": len(self.trial.load.published),
            "money": wrong,
            "cents at Stripe": held_by_stripe(money),
            "cents of the ledger": -sum(value for (name, _), value in money.balances().items() if name == CLEARING),
            "auditor": found,
            "restarts": restarts(self.pods.seen),
            "restarted by a probe": restarted_by_probe(events),
            "refused by Stripe": await refused_keys(),
        }
        self._write()

    def _write(self) -> None:
        self.file.write_text(json.dumps(self.told, indent=1, ensure_ascii=False))


def held_by_stripe(money: Money) -> int:
    """Minor units that were charged and did not leave again; all is in one currency."""
    back = sum(one.amount for one in money.stripe_refunds if one.status in ("pending", "succeeded"))
    return sum(intent.received for intent in money.intents) - back - sum(one.amount for one in money.transfers)


async def refused_keys() -> int:
    """How many calls came to Stripe with a key that is no longer good."""
    async with aiohttp.ClientSession() as http, http.get(f"{ADDRESSES['stripe-control']}/state?only=requests") as said:
        return sum(request["status"] == 401 for request in (await said.json())["requests"])


def of_migration(seen: list[Seen], since: float, answers: Callable[[float, float], int]) -> Json:
    """Whether a migration ran since then, and that it had ended before the first new pod of a service: how many
    answers the older ones gave meanwhile."""
    ran = [change for change in seen if change.at >= since and change.pod.component == "migration"]
    ended = [change.at for change in ran if change.pod.phase == "Succeeded"]
    if not ended:
        return {}
    first = {change.pod.name: change.at for change in reversed(seen) if change.pod.component in SERVICES}
    new = [at for at in first.values() if at >= ran[0].at]
    return {
        "migrated in": ended[0] - ran[0].at,
        "answers meanwhile": answers(ran[0].at, ended[0]),
        "first new pod after": min(new) - ended[0] if new else None,
    }


def main(chart: str, tag: str, file: str) -> int:
    """The exit code."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    asyncio.run(Story(Path(chart), tag, Path(file)).tell())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
