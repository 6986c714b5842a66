"""CPU time of a stack's processes, their children included, from /proc."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from deploy.local.stack import Stack

NAMES = ("booking-1", "payments-1", "notifications-1", "postgres", "kafka", "stripe-simulator")
TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


def cpu_ms(stack: Stack, names: Sequence[str] = NAMES) -> dict[str, float]:
    """Milliseconds used so far, by process."""
    pids = {name: pid for name in names if (pid := stack.pid(name)) is not None}
    used, children = _table()
    return {name: sum(used.get(one, 0.0) for one in _family(pid, children)) for name, pid in pids.items()}


def per_saga(before: dict[str, float], after: dict[str, float], sagas: int) -> dict[str, float]:
    """What one saga cost each process."""
    return {name: round((after[name] - before.get(name, 0.0)) / sagas, 3) for name in after}


def _family(pid: int, children: dict[int, list[int]]) -> list[int]:
    return [pid, *(one for child in children[pid] for one in _family(child, children))]


def _table() -> tuple[dict[int, float], dict[int, list[int]]]:
    """CPU milliseconds by pid (with those of children that ended), and children by parent."""
    used: dict[int, float] = {}
    children: defaultdict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            used[int(entry.name)] = sum(int(ticks) for ticks in fields[11:15]) * TICK_MS
            children[int(fields[1])].append(int(entry.name))
    return used, children
