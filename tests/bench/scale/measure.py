"""`python -m tests.bench.scale --measure`: what docs/scale.md counts with, measured on a stack of its own."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from booking_contracts.rights import SERVICES

from deploy.local.stack import Stack
from services.chassis.relay import Relay
from tests.bench import runs
from tests.bench.cpu import cpu_ms, per_saga
from tests.bench.rooms import open_rooms
from tests.bench.runs import Load
from tests.bench.scale.batch_costs import batch_costs
from tests.bench.system import own_stack
from tests.bench.wire import Wire, wired
from tests.calm import calm

SAGAS, WARM_UP, IN_FLIGHT = 1_000, 300, 500
FOR_A_WHILE = {
    "command_receipt": "30 days",
    "inbox": "8 days",
    "gateway_call": "a day",
    "outbox": "in passing",
    "local_message": "in passing",
}
"""docs/engine.md, Retention; every other table is kept."""
RELAYED_ROWS, RELAY_TRIES = 20_000, 4
RELAY_ROWS = "relay rows a second"
COMMIT_SECONDS = 2.0

Figures = dict[str, float]


def run() -> None:
    """Measure and print; the last line is JSON."""
    figures: Figures = batch_costs()
    print(figures, flush=True)
    with own_stack() as stack:
        figures |= asyncio.run(_sagas(stack))
        for service in SERVICES:
            stack.stop_process(f"{service}-1")
        for _ in range(RELAY_TRIES):
            found = asyncio.run(_relay_alone(stack))
            if found[RELAY_ROWS] > figures.get(RELAY_ROWS, 0):
                figures |= found
        figures |= asyncio.run(_commits(stack))
    print(json.dumps(figures))


async def _sagas(stack: Stack) -> Figures:
    """What a card saga costs and writes, by process, database and topic."""
    async with wired(stack.env["KAFKA_BOOTSTRAP_SERVERS"]) as wire:
        rooms = await open_rooms(wire, providers=25, slots=20, capacity=20)
        await _saturate(stack, wire, Load(rooms, WARM_UP, "warm"))
        cpu, before = cpu_ms(stack), await _written(stack)
        per_second = SAGAS / await _saturate(stack, wire, Load(rooms, SAGAS, "heavy"))
        cost, after = per_saga(cpu, cpu_ms(stack), SAGAS), await _written(stack)
    found = {name: round((count - before[name]) / SAGAS, 2) for name, count in after.items()}
    figures: Figures = {"sagas_per_second": round(per_second), **{f"cpu ms {name}": ms for name, ms in cost.items()}}
    for name, count in sorted(found.items()):
        if count:
            figures[name] = count
    print(json.dumps(figures, indent=1), flush=True)
    return figures


async def _saturate(stack: Stack, wire: Wire, load: Load) -> float:
    seconds = await runs.saturate(wire, load, IN_FLIGHT)
    left = await calm(stack.env, 300)
    assert not left, f"the system did not come to rest: {dict(left)}"
    await asyncio.sleep(2)  # PostgreSQL's statistics follow within a second
    return seconds


async def _written(stack: Stack) -> Counter[str]:
    """So far: commits, outbox rows, WAL and table bytes by database; bytes in Kafka by topic."""
    found: Counter[str] = Counter()
    for service in SERVICES:
        async with _connected(stack, service) as connection:
            found[f"commits {service}"] = await connection.fetchval(
                "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
            )
            found[f"outbox rows {service}"] = await connection.fetchval(
                "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'outbox'"
            )
            found[f"wal bytes {service}"] = await connection.fetchval(
                """
                SELECT sum(w.wal_bytes)::bigint
                FROM pg_stat_activity a CROSS JOIN LATERAL pg_stat_get_backend_wal(a.pid) w
                WHERE a.datname = current_database()
                """
            )
            tables = "SELECT relname, pg_total_relation_size(relid) FROM pg_stat_user_tables"
            for name, size in await connection.fetch(tables):
                found[f"table bytes {service}, {FOR_A_WHILE.get(name, 'for ever')}"] += size
    async with _connected(stack, "booking") as connection:
        found["wal bytes"] = int(await connection.fetchval("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"))
    for file in _kafka_data(stack).glob("*/*.log"):
        topic = file.parent.name.rpartition("-")[0]
        if not topic.startswith("__"):
            found[f"kafka bytes {topic}"] += file.stat().st_size
            found["kafka bytes"] += file.stat().st_size
    return found


def _kafka_data(stack: Stack) -> Path:
    return stack.log("kafka").parent.parent / "kafka" / "data"


@asynccontextmanager
async def _connected(stack: Stack, database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(stack.env["POSTGRES_ADMIN_URL"].rsplit("/", 1)[0] + f"/{database}")
    try:
        yield connection
    finally:
        await connection.close()


async def _relay_alone(stack: Stack) -> Figures:
    """Rows a second of one relay that has nothing beside it: no batch, no reader, the broker on the same machine."""
    async with _connected(stack, "booking") as connection:
        await connection.execute(
            """
            INSERT INTO outbox (topic, key, headers, body)
            SELECT (ARRAY['booking.replies', 'booking.events', 'payments.commands'])[1 + n % 3],
                   gen_random_uuid()::text, $2, convert_to(repeat('x', 700), 'UTF8')
            FROM generate_series(1, $1) n
            """,
            RELAYED_ROWS,
            json.dumps([[f"ce_header{number}", "x" * 36] for number in range(10)]),
        )
        relay = Relay(stack.env["BOOKING_DATABASE_URL"], stack.env["KAFKA_BOOTSTRAP_SERVERS"], "bench")
        cpu, began, own = cpu_ms(stack), time.monotonic(), time.process_time()
        running = asyncio.create_task(relay.run())
        while await connection.fetchval("SELECT EXISTS (SELECT FROM outbox)"):  # noqa: ASYNC110, another connection
            await asyncio.sleep(0.05)
        seconds, used = time.monotonic() - began, cpu_ms(stack)
        own = time.process_time() - own
        relay.stop()
        await running
    figures = {RELAY_ROWS: RELAYED_ROWS / seconds, "cpu ms of a relayed row": own * 1000 / RELAYED_ROWS}
    for name in ("postgres", "kafka"):
        figures[f"cpu ms of a relayed row, {name}"] = (used[name] - cpu[name]) / RELAYED_ROWS
    return {name: round(figure, 3) for name, figure in figures.items()}


async def _commits(stack: Stack) -> Figures:
    """One-row transactions a second, fsync on, by connections at a time."""
    figures: Figures = {}
    async with _connected(stack, "booking") as connection:
        await connection.execute("CREATE TABLE bench_commit (n int)")
    for many in (1, 16):
        counts = await asyncio.gather(*(_commit(stack, COMMIT_SECONDS) for _ in range(many)))
        figures[f"commits a second, connections: {many}"] = round(sum(counts) / COMMIT_SECONDS)
    return figures


async def _commit(stack: Stack, seconds: float) -> int:
    done = 0
    async with _connected(stack, "booking") as connection:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            await connection.execute("INSERT INTO bench_commit VALUES (1)")
            done += 1
    return done
