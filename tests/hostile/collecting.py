"""Reads what a siege left behind: as tests/faults does, and dead letters by their place, processes by /proc."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import asyncpg
from booking_contracts.rights import SERVICES
from booking_contracts.testkit.clock import MovableClock

from deploy.local.stack import Stack
from tests.faults.collecting import READS, collect, ends_of_topics
from tests.hostile.checks import blockable
from tests.hostile.facts import Aftermath, SetAside
from tests.hostile.planting import INVENTED

MOVING = """
SELECT (SELECT count(*) FROM outbox) AS "outbox rows",
       (SELECT count(*) FROM gateway_call WHERE state = 'open') AS "open calls",
       (SELECT count(*) FROM blocked_key WHERE key <> ALL($2)) AS "blocked keys",
       (SELECT count(*) FROM local_message WHERE key <> ALL($2) AND kind = 'record') AS "held records",
       (SELECT count(*) FROM local_message WHERE key <> ALL($2) AND kind = 'timer' AND due_at <= $1
            AND type <> $3) AS "overdue timers"
"""


async def moving(env: Mapping[str, str], found: Aftermath) -> Counter[str]:
    """What is not done yet, by name; without what waits behind keys that may be blocked."""
    now, allowed = await MovableClock(env["CLOCK_OFFSET_URL"]).now(), list(blockable(found))
    ends, waiting = await ends_of_topics(env["KAFKA_BOOTSTRAP_SERVERS"]), Counter[str]()
    for service in SERVICES:
        connection = await asyncpg.connect(env[f"AUDITOR_{service.upper()}_DATABASE_URL"])
        try:
            (counts,) = await connection.fetch(MOVING, now, allowed, INVENTED)
            rows = await connection.fetch("SELECT topic, partition, next_offset FROM consumed_position")
        finally:
            await connection.close()
        read = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        waiting[f"records unread by {service}"] = sum(
            max(0, end - read.get((of.topic, of.partition), 0))
            for of, end in ends.items()
            if of.topic in READS[service]
        )
        waiting.update({f"{name} of {service}": count for name, count in counts.items()})
    return +waiting


async def take_stock(env: Mapping[str, str], found: Aftermath) -> None:
    """Fill in everything that topics, databases and Stripe say."""
    foreign = frozenset(sent.place for sent in found.sent)
    found.facts = await collect(env, set(), set(), foreign)
    found.facts.waiting = dict(await moving(env, found))
    found.letters = [letter for service in SERVICES for letter in await _letters(env, service)]
    found.waiting_rows = {key for service in SERVICES for key in await _waiting_rows(env, service)}
    for name in ("replies", "accepted", "places"):
        found.__dict__.pop(name, None)


async def _letters(env: Mapping[str, str], service: str) -> list[SetAside]:
    connection = await asyncpg.connect(env[f"AUDITOR_{service.upper()}_DATABASE_URL"])
    try:
        rows = await connection.fetch('SELECT topic, partition, "offset", kind, key, error, records FROM dead_letter')
    finally:
        await connection.close()
    return [
        SetAside(
            service,
            (row["topic"], row["partition"], row["offset"]),
            row["kind"],
            (row["key"] or b"").decode("utf-8", "replace"),
            row["error"],
            row["records"],
        )
        for row in rows
    ]


async def _waiting_rows(env: Mapping[str, str], service: str) -> list[str]:
    connection = await asyncpg.connect(env[f"AUDITOR_{service.upper()}_DATABASE_URL"])
    try:
        rows = await connection.fetch("SELECT key FROM local_message WHERE type = $1", INVENTED)
    finally:
        await connection.close()
    return [row["key"] for row in rows]


def resident_mib(stack: Stack, name: str) -> tuple[int, int]:
    """(now, at most) of a process; zeros where it does not run."""
    pid = stack.pid(name)
    status = Path(f"/proc/{pid}/status").read_text() if pid else ""
    found = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB", status, re.MULTILINE))
    return int(found.get("VmRSS", 0)) // 1024, int(found.get("VmHWM", 0)) // 1024
