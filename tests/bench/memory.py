"""Rows of figures: the memory of services, and of the programs that operators and the chart's Jobs run."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from deploy.local.stack import Stack
from tests.bench.cpu import SERVICES
from tests.bench.ground import Ground

PROGRAMS = {
    "migration": ("migrate",),
    "topics": ("topics", "apply"),
    "auditor": ("audit", "run", "--once"),
    "bookingctl": ("positions", "show", "booking"),
}
"""What runs beside the services, by its name in the chart: commands of bookingctl."""
CONSOLE = "console"


async def memory(ground: Ground) -> dict[str, object]:
    """In MiB, after the rows before: each service's main process; the most that it and its children have had so far,
    which is what a pod's limit is for, and the console's once it has shown each of its pages; the same of programs that
    end."""
    pids = {name: ground.stack.pid(name) for name in SERVICES}
    await asyncio.to_thread(ground.stack.start_process, CONSOLE)
    await look_at_all(ground.stack)
    having = {**pids, CONSOLE: ground.stack.pid(CONSOLE)}
    peaks = {name: round(sum(_mib(one, "VmHWM") for one in family(pid)), 1) for name, pid in having.items()}
    await asyncio.to_thread(ground.stack.stop_process, CONSOLE)
    return {
        "memory_mib": {name: _mib(pid, "VmRSS") for name, pid in pids.items()},
        "memory_peak_mib": peaks,
        "memory_of_program_mib": {name: most_of(ground.stack.env, *words) for name, words in PROGRAMS.items()},
    }


async def look_at_all(stack: Stack) -> set[str]:
    """Log in at the console and open each page that the first one leads to; returns their paths."""
    cookies, token = aiohttp.CookieJar(unsafe=True), stack.env["CONSOLE_TOKEN"]  # of an address, not a name
    async with aiohttp.ClientSession(stack.env["CONSOLE_URL"], cookie_jar=cookies, raise_for_status=True) as browser:
        async with browser.post("/login", data={"token": token}) as first:
            pages = {*re.findall(r'<a [^>]*?href="(/[a-z-]+)"', await first.text())}
        assert pages, "it leads somewhere"
        for page in sorted(pages):
            async with browser.get(page) as answer:
                await answer.read()
    return pages


def family(pid: int | None) -> list[int]:
    """A process and its children, with theirs."""
    assert pid is not None, "it runs"
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for file in threads for child in file.read_text().split()]
    return [pid, *(one for child in children for one in family(child))]


def most_of(env: Mapping[str, str], *words: str) -> float:
    """The most memory, in MiB, that a command of bookingctl has while it runs to its end."""
    command = [sys.executable, "-m", "services.operations.cli", *words]
    process = subprocess.Popen(command, env={**os.environ, **env}, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"bookingctl {' '.join(words)} ended {process.returncode}"
    return round(used.ru_maxrss / 1024, 1)


def _mib(pid: int | None, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (kib,) = (int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
    return round(kib / 1024, 1)
