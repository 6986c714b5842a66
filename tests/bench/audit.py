"""`python -m tests.bench.audit`: the auditor on a million bookings that agree; the last line is JSON.

What a pass over everything costs and how long it takes; how long after it was planted by hand each thing is told.
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

from deploy.local.ports import free_ports
from tests.bench.agreeing import agree
from tests.bench.domain import database
from tests.bench.years import database_of
from tests.operations.auditor.plants import PLANTS, Plant

SCALE = 1_000_000
BACKENDS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'auditor'"


class Auditor:
    """The process and its sessions."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, admin: asyncpg.Connection[Any]) -> None:
        self.process, self.port, self._admin = process, port, admin
        self._seen: dict[int, float] = {}

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

    async def told(self, event: str, **of: object) -> dict[str, Any]:
        """Its next line about that."""
        assert self.process.stdout is not None, "it is a pipe"
        while True:
            line: dict[str, Any] = json.loads(await self.process.stdout.readline())
            if line["event"] == event and of.items() <= line.items():
                return line


def _seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _plant(running: Auditor, admin: str, planted: Plant) -> dict[str, float]:
    connection = await asyncpg.connect(database_of(admin, planted.service))
    await connection.execute("SET session_replication_role = replica")
    took = {}
    for statement, event in ((planted.plant, "violation"), (planted.mend, "violation is gone")):
        began = time.monotonic()
        await connection.execute(statement)
        await running.told(event, kind=str(planted.kind))
        took["gone" if "gone" in event else "found"] = round(time.monotonic() - began, 1)
    await connection.close()
    print(planted.kind, took, flush=True)
    return took


async def measure(env: Mapping[str, str]) -> dict[str, Any]:
    """Of databases that are filled."""
    (port,) = free_ports(1)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.operations.cli", "audit", "run"),
        env={**os.environ, **env, "HTTP_PORT": str(port)},
        stdout=asyncio.subprocess.PIPE,
    )
    admin = env["POSTGRES_ADMIN_URL"]
    running = Auditor(process, port, await asyncpg.connect(admin))
    try:
        await asyncio.sleep(10)
        before, began = await running.cpu(), time.monotonic()
        whole = asyncio.ensure_future(running.told("looked at all"))
        while not whole.done():
            await asyncio.sleep(5)
            after = await running.cpu()
        elapsed = time.monotonic() - began
        figures: dict[str, Any] = {
            "pass_seconds": round(elapsed),
            "cpu_of_a_core": round((after - before) / elapsed, 4),
        }
        figures["work_seconds"] = {name: round(seconds, 2) for name, seconds in running.work().items()}
        print(figures, flush=True)
        return {**figures, "planted": {planted.kind: await _plant(running, admin, planted) for planted in PLANTS}}
    finally:
        process.terminate()
        await process.wait()


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
