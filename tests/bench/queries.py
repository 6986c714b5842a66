"""`python -m tests.bench --queries`: every read and everything periodic, on databases in use for years.

Reads go over HTTP through the service's own paths, one after another; what runs now and then is timed statement by
statement, because a purge is many. Only one service's process and PostgreSQL run meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import struct
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import asyncpg
from booking_contracts.rights import SERVICES

from services.chassis import logging
from services.chassis.clock import Clock
from services.chassis.database import ASKED_RARELY, READS, SESSION, open_pool
from services.chassis.http import Pools
from services.chassis.process import calm_garbage_collector
from services.payments.stripe_calls.api import StripeApi
from stripe_simulator.simulator import Settings, Simulator
from tests.bench.asking import ANSWERS, PATHS, RoundsOf, served
from tests.bench.domain import database
from tests.bench.runs import percentile
from tests.bench.years import fill, named

READS_OF_A_PATH, ROUNDS = 100, 5


class _Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@asynccontextmanager
async def _stripe() -> AsyncIterator[str]:
    with TemporaryDirectory() as directory:
        offset_file = Path(directory) / "offset"
        offset_file.write_bytes(struct.pack("<q", 0))
        simulator = Simulator(Settings(clock_offset_file=offset_file))
        await simulator.start()
        yield simulator.api_url
        await simulator.stop()


def _api(url: str) -> StripeApi:
    return StripeApi(lambda: "sk_test_1", url)


async def _reads(service: str, url: str, scale: int, clock: Clock, api: StripeApi) -> dict[str, dict[str, float]]:
    """Milliseconds by path, ids left out: the least, which a busy machine does not touch, p50 and p99."""
    pools = Pools(
        await open_pool(url, "bench-reads", size=8, settings=READS), await open_pool(url, "bench-writes", size=2)
    )
    took: defaultdict[str, list[float]] = defaultdict(list)
    async with served(service, pools, url, clock, api) as client:
        for _ in range(READS_OF_A_PATH):
            for path in PATHS[service](random.randrange(1, scale), scale):
                began = time.perf_counter()
                async with client.get(path) as response:
                    await response.read()
                took[_shape(path)].append((time.perf_counter() - began) * 1000)
                if response.status not in ANSWERS:
                    print(f"{response.status} after {took[_shape(path)][-1]:.0f} ms: {path}", flush=True)
    await pools.reads.close()
    await pools.writes.close()
    return {
        path: {"least": round(min(found), 1), "p50": percentile(found, 50), "p99": percentile(found, 99)}
        for path, found in took.items()
    }


def _shape(path: str) -> str:
    """The path without ids; customers and providers with very many bookings keep a name."""
    return re.sub(r"customer-\d+", "customer-…", re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", _kind_of, path))


def _kind_of(found: re.Match[str]) -> str:
    return "whale" if UUID(found[0]) == named("provider", 0) else "…"


async def _rounds(service: str, url: str, clock: Clock, api: StripeApi) -> dict[str, dict[str, float]]:
    """Milliseconds of a round's slowest statement, by what it belongs to, in the best and in the worst of several."""
    slowest: defaultdict[str, list[float]] = defaultdict(list)
    heard: list[asyncpg.connection.LoggedQuery] = []

    async def listen(connection: Any) -> None:
        connection.add_query_logger(heard.append)

    settings = {**ASKED_RARELY, "application_name": "bench-rounds"}
    pool = await asyncpg.create_pool(url, min_size=1, max_size=4, setup=listen, server_settings=settings)
    session = await asyncpg.connect(url, server_settings=SESSION)
    await listen(session)
    for _ in range(ROUNDS):
        for name, work in RoundsOf(pool, session, clock, api).every(service).items():
            heard.clear()
            await work()
            await asyncio.sleep(0)  # asyncpg tells its loggers a little later
            slowest[name].append(max(query.elapsed for query in heard) * 1000)
    await pool.close()
    await session.close()
    return {name: {"least": round(min(found), 1), "most": round(max(found), 1)} for name, found in slowest.items()}


async def _measure(env: dict[str, str], scale: int) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    async with _stripe() as stripe:
        for service in SERVICES:
            began = time.monotonic()
            await fill(env["POSTGRES_ADMIN_URL"], service, scale)
            print(f"{service} filled in {time.monotonic() - began:.0f} s", flush=True)
            url = env[f"{service.upper()}_DATABASE_URL"]
            for name, found in (await _reads(service, url, scale, _Clock(), _api(stripe))).items():
                figures[name] = found
                print(f"{found['least']:8.1f} {found['p50']:8.1f} {found['p99']:8.1f}  {name}", flush=True)
            for name, slowest in (await _rounds(service, url, _Clock(), _api(stripe))).items():
                figures[f"{service}: {name}"] = slowest
                print(f"{slowest['least']:8.1f} {slowest['most']:17.1f}  {name}", flush=True)
    return figures


def run(scale: int) -> None:
    """Measure and print; the last line is JSON."""
    logging.configure("bench", "1", "WARNING")
    calm_garbage_collector()
    with database() as stack:
        figures = asyncio.run(_measure(dict(stack.env), scale))
    print(json.dumps(figures))
