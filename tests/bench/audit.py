"""`python -m tests.bench.audit`: the auditor on a million bookings that agree; the last line is JSON.

What it costs and how long a pass over everything takes; how long after it was planted by hand each thing is told.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
import urllib.request
from collections.abc import Mapping
from typing import Any

import asyncpg
from booking_contracts.rights import SERVICES
from booking_contracts.testkit.waiting import eventually

from deploy.local.ports import free_ports
from tests.bench.agreeing import agree
from tests.bench.domain import database
from tests.bench.years import database_of
from tests.operations.auditor.plants import PLANTS, Plant

SCALE = 1_000_000
BACKENDS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'auditor'"


class Auditor:
    """The process, its sessions, and what it has told: lines of its log, in order."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, admin: asyncpg.Connection[Any]) -> None:
        self.process, self.port, self._admin = process, port, admin
        self._seen: dict[int, float] = {}
        self.lines: list[dict[str, Any]] = []

    async def listen(self) -> None:
        """Until it ends."""
        assert self.process.stdout is not None, "it is a pipe"
        while line := await self.process.stdout.readline():
            self.lines.append(json.loads(line))

    async def cpu(self) -> float:
        """Seconds of CPU so far, the process's own and of its sessions that were seen at every look."""
        pids = [self.process.pid, *(row["pid"] for row in await self._admin.fetch(BACKENDS))]
        self._seen |= {pid: _seconds(pid) for pid in pids}
        return sum(self._seen.values())

    def work(self) -> dict[str, float]:
        """Seconds of each check, as its metrics have them."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        found = re.findall(r'booking_auditor_work_seconds_total\{check="([^"]+)"\} (\S+)', text)
        return {name: float(value) for name, value in found}

    async def told(self, since: int, event: str, **of: object) -> float:
        """Wait until it has told that after so many lines; returns how long it took."""
        began = time.monotonic()

        async def has_told() -> bool:
            return any(line["event"] == event and of.items() <= line.items() for line in self.lines[since:])

        await eventually(f"{event} {of}", has_told, seconds=3600)
        return round(time.monotonic() - began, 1)


def _seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _plant(running: Auditor, admin: str, planted: Plant) -> dict[str, float]:
    connection = await asyncpg.connect(database_of(admin, planted.service))
    await connection.execute("SET session_replication_role = replica")
    took = {}
    for name, statement, event in (("found", planted.plant, "violation"), ("gone", planted.mend, "violation is gone")):
        since = len(running.lines)
        await connection.execute(statement)
        took[name] = await running.told(since, event, kind=str(planted.kind))
    await connection.close()
    print(planted.kind, took, flush=True)
    return took


async def _pass(running: Auditor) -> dict[str, Any]:
    await asyncio.sleep(5)
    before, began = await running.cpu(), time.monotonic()
    whole = asyncio.ensure_future(running.told(0, "looked at all"))
    while not whole.done():
        await asyncio.sleep(2)
        after = await running.cpu()
    elapsed = time.monotonic() - began
    figures = {"pass_seconds": round(elapsed), "cpu_of_a_core": round((after - before) / elapsed, 4)}
    print(figures, flush=True)
    return {**figures, "work_seconds": {name: round(seconds, 2) for name, seconds in running.work().items()}}


async def measure(env: Mapping[str, str]) -> dict[str, Any]:
    """Of databases that are filled. Things are planted, and mended, while the first pass goes on."""
    (port,) = free_ports(1)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.operations.cli", "audit", "run"),
        env={**os.environ, **env, "HTTP_PORT": str(port)},
        stdout=asyncio.subprocess.PIPE,
    )
    admin = env["POSTGRES_ADMIN_URL"]
    running = Auditor(process, port, await asyncpg.connect(admin))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(running.listen())
        whole = tasks.create_task(_pass(running))
        await asyncio.sleep(20)
        planted = {str(one.kind): await _plant(running, admin, one) for one in PLANTS}
        found = await whole
        process.terminate()
        await process.wait()
    return {**found, "planted": planted}


async def _fill(env: Mapping[str, str]) -> None:
    for service in SERVICES:
        began = time.monotonic()
        await agree(env["POSTGRES_ADMIN_URL"], service, SCALE)
        print(f"{service} filled in {time.monotonic() - began:.0f} s", flush=True)


def main() -> None:
    """Fill, measure, print."""
    with database() as stack:
        asyncio.run(_fill(stack.env))
        print(json.dumps(asyncio.run(measure(stack.env))))


if __name__ == "__main__":
    main()
