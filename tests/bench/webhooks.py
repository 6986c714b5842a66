"""`python -m tests.bench.webhooks`: how soon healthy receivers have an event while others hang.

PostgreSQL of its own, the real engine and worker in one process, receivers in another. Each event concerns one provider
of as many as there are subscriptions, and one subscription hears all of them. Some receivers never answer. Counted is,
for healthy ones, the time from just before the batch that hears an event to when its receiver has it, on one clock: the
batch's own time is in it, the 0.2 s for which the loop gathers are not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import resource
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import uvloop
from aiohttp import web
from booking_contracts.booking import BookingConfirmed

from services.chassis import logging
from services.chassis.clock import SystemClock
from services.chassis.database import Session
from services.notifications.subscriptions.posting import Poster
from services.notifications.subscriptions.worker import SubscriptionWorker
from tests.bench.domain import database
from tests.bench.runs import percentile
from tests.chassis.harness import Engine
from tests.notifications.builders import an
from tests.notifications.post import SERVICE
from tests.notifications.receivers import HERE
from tests.notifications.test_database import record

GATHERS_SECONDS = SERVICE.gathers_seconds
INSERT = """
INSERT INTO webhook_subscription (subscription_id, url, event_types, provider_id, owner_email, created_at)
SELECT s, url, '{}', p, 'o@example.org', now() FROM unnest($1::uuid[], $2::text[], $3::uuid[]) AS t (s, url, p)
"""


def receivers(hang: int, told: Any) -> None:
    """Another process: `/n` answers at once, and never where n < `hang`. Sends its port; at the end (id, n, time)."""
    came: list[tuple[str, int, float]] = []

    async def take(request: web.Request) -> web.Response:
        number = int(request.match_info["n"])
        await request.read()
        if number < hang:
            await asyncio.sleep(3600)
        came.append((request.headers["webhook-id"], number, time.time()))
        return web.Response()

    async def serve() -> None:
        app = web.Application()
        app.router.add_post("/{n}", take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        assert site._server is not None
        told.send(site._server.sockets[0].getsockname()[1])  # type: ignore[attr-defined]
        await asyncio.to_thread(told.recv)
        told.send(came)

    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, max(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    uvloop.run(serve())


async def measure(env: Mapping[str, str], options: argparse.Namespace, told: Any) -> dict[str, float]:
    """Publish for a while, wait, and compare."""
    port, clock = told.recv(), SystemClock()
    engine = Engine(env["NOTIFICATIONS_DATABASE_URL"], clock, SERVICE)  # type: ignore[arg-type]
    providers = [uuid4() for _ in range(options.subscriptions)]
    await _subscribe(env, port, providers)
    worker = SubscriptionWorker(Session(engine.session.url, "subscribers"), Poster(HERE), clock)
    running = asyncio.create_task(worker.run())
    hang = options.subscriptions * options.hang // 100
    committed: dict[tuple[str, int], float] = {}
    cpu = time.process_time()
    until, due = time.monotonic() + options.seconds, 0.0
    sent = 0
    while (began := time.monotonic()) < until:
        due += options.rate * GATHERS_SECONDS
        numbers = [random.randrange(options.subscriptions) for _ in range(int(due))]
        due -= len(numbers)
        ids = [uuid4() for _ in numbers]
        events = [an(BookingConfirmed, booking_id=uuid4(), provider_id=providers[number]) for number in numbers]
        at = time.time()
        raws = [record(engine, event, 1, one) for event, one in zip(events, ids, strict=True)]
        await engine.run(*raws)
        worker.wake()
        sent += len(numbers)
        for number, one in zip(numbers, ids, strict=True):
            committed[str(one), options.subscriptions] = at
            if number >= hang:
                committed[str(one), number] = at
        await engine.run_local()  # what was told of outcomes
        await asyncio.sleep(max(0.0, began + GATHERS_SECONDS - time.monotonic()))
    cpu = time.process_time() - cpu
    took = options.seconds
    await asyncio.sleep(3)
    told.send("enough")
    came = {(one, number): at for one, number, at in told.recv()}
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await engine.close()
    settled = int(options.seconds * 0.3)  # while those that hang are not known for it yet, and warm-up
    start = min(committed.values())
    late = {key: (came[key] - at) * 1000 for key, at in committed.items() if key in came}
    steady = [one for key, one in late.items() if committed[key] >= start + settled]
    first = [one for key, one in late.items() if committed[key] < start + settled]
    return {
        "events_a_second": round(sent / took, 1),
        "deliveries": len(late),
        "missing": len(committed) - len(late),
        "p50_ms": percentile(steady, 50),
        "p99_ms": percentile(steady, 99),
        "max_ms": round(max(steady), 1),
        "first_p99_ms": percentile(first, 99),
        "cpu_ms_an_event": round(cpu / sent * 1000, 2),
    }


async def _subscribe(env: Mapping[str, str], port: int, providers: list[UUID]) -> None:
    admin = await asyncpg.connect(env["POSTGRES_ADMIN_URL"].rsplit("/", 1)[0] + "/notifications")
    count = len(providers) + 1
    ids = [uuid4() for _ in range(count)]
    urls = [f"http://127.0.0.1:{port}/{number}" for number in range(count)]
    await admin.execute(INSERT, ids, urls, [*providers, None])
    await admin.execute(
        "INSERT INTO webhook_secret (subscription_id, secret) SELECT s, $2 FROM unnest($1::uuid[]) s",
        ids,
        os.urandom(32),
    )
    await admin.execute("ANALYZE webhook_subscription, webhook_secret")
    await admin.close()


def main() -> None:
    """Prints the figures, the last line as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.webhooks", description=__doc__)
    parser.add_argument("--subscriptions", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=200.0, help="events a second")
    parser.add_argument("--hang", type=int, default=10, help="per cent of receivers that never answer")
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    logging.configure("bench", "bench", "ERROR")
    ours, theirs = multiprocessing.Pipe()
    hang = options.subscriptions * options.hang // 100
    process = multiprocessing.get_context("spawn").Process(target=receivers, args=(hang, theirs))
    process.start()
    try:
        with database() as stack:
            figures = uvloop.run(measure(stack.env, options, ours))
    finally:
        process.terminate()
    for name, value in figures.items():
        print(f"{name:>20} {value:g}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
