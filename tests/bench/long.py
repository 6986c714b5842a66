"""`python -m tests.bench.long --sagas 1000000`: card sagas with three mails each, for an hour and more,
watched by the auditor; the last line is JSON.

Whether what a saga costs, the tables and their dead rows stay as they are; whether the auditor tells of anything; and
how long the console's pages take at the end (pages.py).
"""

from __future__ import annotations

import argparse
import asyncio
import json
from argparse import Namespace
from math import ceil
from typing import Any

import aiohttp
import asyncpg

from deploy.local.catalog import PARTS
from tests.bench import pages, runs, tables
from tests.bench.cpu import NAMES, cpu_ms, per_saga, total
from tests.bench.ground import Ground, per_second, rest
from tests.bench.rooms import open_rooms
from tests.bench.runs import Load
from tests.bench.system import own_stack
from tests.bench.wire import wired

PROVIDERS, SLOTS = 200, 25
WATCHED = (*NAMES, "auditor", "console")
TOLD = "SELECT kind, subject, detail, first_seen::text, gone_at::text FROM violation"
STATES = "SELECT state, payment_status, count(*) FROM booking GROUP BY 1, 2"


async def _wave(ground: Ground, number: int, sagas: int) -> float:
    """Seconds until all are captured; then waits for their last mail, and forgets what was heard and sent."""
    load = Load(ground.rooms, sagas, f"wave{number}")
    seconds = await runs.saturate(ground.wire, load, ground.options.in_flight)
    await rest(ground.stack)
    for heard in ground.wire.seen.values():
        heard.clear()
    async with aiohttp.ClientSession() as http:
        await http.delete(ground.stack.env["MAILBOX_URL"] + "/messages")
    return seconds


async def _told(env: dict[str, str]) -> list[dict[str, Any]]:
    """What the auditor has ever said."""
    connection = await asyncpg.connect(env["OPERATIONS_DATABASE_URL"])
    try:
        return [dict(row) for row in await connection.fetch(TOLD)]
    finally:
        await connection.close()


async def _states(env: dict[str, str]) -> dict[str, int]:
    connection = await asyncpg.connect(env["AUDITOR_BOOKING_DATABASE_URL"], command_timeout=600)
    try:
        return {f"{row['state']}, {row['payment_status']}": row["count"] for row in await connection.fetch(STATES)}
    finally:
        await connection.close()


async def measure(ground: Ground, sagas: int, every: int) -> dict[str, Any]:
    """Figures after each `every` sagas; raises AssertionError where a booking is not confirmed and captured."""
    env, stages = ground.stack.env, []
    for done in range(every, sagas + 1, every):
        before = cpu_ms(ground.stack, WATCHED)
        seconds = await _wave(ground, done, every)
        cost = per_saga(before, cpu_ms(ground.stack, WATCHED), every)
        told = await _told(env)
        stage = {"sagas": done, "per_s": per_second(every, seconds), "cpu_ms": total(cost), "cpu_ms_of": cost}
        stages.append({**stage, **await tables.sizes(env), "told": len(told)})
        print(json.dumps(stages[-1]), flush=True)
    states = await _states(env)
    assert states == {"CONFIRMED, captured": sagas}, states
    return {"stages": stages, "told": await _told(env)}


async def _run(options: Namespace) -> dict[str, Any]:
    with own_stack(PARTS) as stack:
        async with wired(stack.env["KAFKA_BOOTSTRAP_SERVERS"]) as wire:
            capacity = ceil(options.every / (PROVIDERS * SLOTS)) * (options.sagas // options.every)
            rooms = await open_rooms(wire, providers=PROVIDERS, slots=SLOTS, capacity=capacity)
            found = await measure(Ground(stack, wire, options, rooms), options.sagas, options.every)
        return {**found, "pages": await pages.looked_at(stack.env, options.sagas)}


def main() -> None:
    """Measure, and print each stage as it comes."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.long", description=__doc__)
    parser.add_argument("--sagas", type=int, default=1_000_000)
    parser.add_argument(
        "--every", type=int, default=20_000, help="figures after so many, and a rest; a part of --sagas"
    )
    parser.add_argument("--in-flight", type=int, default=500, help="sagas open at a time")
    print(json.dumps(asyncio.run(_run(parser.parse_args()))))


if __name__ == "__main__":
    main()
