"""A service process: everything it runs, its health, and how it stops (requirement health)."""

from __future__ import annotations

import asyncio
import gc
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
import uvloop
from aiohttp import web

from services.chassis import gauges, logging, retention, tracing
from services.chassis.batch import BatchRunner
from services.chassis.clock import Clock
from services.chassis.consumer import Consumer
from services.chassis.database import READS, Pool, Session, open_pool
from services.chassis.gateway_calls import Gateway
from services.chassis.gateway_worker import GatewayWorker
from services.chassis.handlers import Service
from services.chassis.health import Checks
from services.chassis.http import Health, Pools, new_app
from services.chassis.loop import Loop
from services.chassis.migration import missing_revisions
from services.chassis.offsets import read_positions
from services.chassis.relay import Relay
from services.chassis.settings import Settings

log = structlog.get_logger()
START_SECONDS = 60.0

T = TypeVar("T")
Background = Callable[[Pool], Awaitable[None]]


@dataclass(frozen=True)
class Parts:
    """What a service's app.py puts together for a process."""

    service: Service
    settings: Settings
    add_routes: Callable[[web.Application, Callable[[], None]], None]
    """Adds the service's own paths; the second argument wakes the loop for a local message stored over HTTP."""
    gateway: Gateway | None = None
    background: Sequence[Background] = ()
    """Further tasks of the service: sweepers, reconcilers. Each runs until cancelled."""


class Process:
    """The tasks of one service process."""

    def __init__(self, parts: Parts, clock: Clock) -> None:
        self._parts, settings, name = parts, parts.settings, parts.service.name
        self._settings, self._clock = settings, clock
        self._session = Session(settings.database_url, f"{settings.instance}-batch")
        self._gateway_session = Session(settings.database_url, f"{settings.instance}-gateway")
        self.relay = Relay(settings.database_url, settings.kafka_bootstrap_servers, settings.instance)
        self._worker: GatewayWorker | None = None
        runner = BatchRunner(parts.service, self._session, clock)
        self.loop = Loop(runner, self._session, clock, self.relay)
        if parts.gateway is not None:
            self._worker = GatewayWorker(parts.gateway, self._gateway_session, self.loop.deliver)
            self.loop.worker = self._worker
        self.loop.consumer = self._consumer = Consumer(
            bootstrap_servers=settings.kafka_bootstrap_servers,
            group=name,
            instance=settings.instance,
            event_topics=parts.service.event_topics,
            command_topics=tuple(parts.service.command_topics),
            give_up=self.loop.give_up,
            positions=lambda wanted: read_positions(settings.database_url, wanted),
            busy=lambda: self.loop.busy,
        )
        self._pool: Pool
        """For health and what runs now and then; requests have pools of their own."""
        self._pools: Pools
        self._checks = Checks(
            self._consumer, self.loop, self.relay, lambda: missing_revisions(self._pool, self._parts.service.name)
        )
        self._relaying: asyncio.Task[None]

    async def run(self) -> int:
        """Until SIGTERM, SIGINT or a fault that no retry mends; returns the exit code."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        url, instance = self._settings.database_url, self._settings.instance
        self._pool = await _patiently(lambda: open_pool(url, f"{instance}-rounds", size=4))
        self._pools = Pools(
            await open_pool(url, f"{instance}-reads", size=8, settings=READS),
            await open_pool(url, f"{instance}-webhooks", size=2, least=0),
        )
        site = await self._serve_http()
        await self._wait_for_revision(stop)
        await _patiently(self._consumer.start)
        self._relaying = asyncio.create_task(self.relay.run(), name="relay")
        background: list[asyncio.Future[None]] = [
            self._relaying,
            asyncio.create_task(self._consumer.commit_forever(), name="offsets"),
            asyncio.create_task(retention.run(self._pool), name="retention"),
            asyncio.create_task(gauges.run(self._pool, self._clock, self._consumer), name="gauges"),
            *(asyncio.ensure_future(task(self._pool)) for task in self._parts.background),
        ]
        if self._worker is not None:
            background.append(asyncio.create_task(self._worker.run(), name="gateway"))
        loop = asyncio.create_task(self.loop.run(), name="loop")
        stopped = asyncio.create_task(stop.wait(), name="stop")
        log.info("service runs", service=self._parts.service.name)
        tasks: set[asyncio.Future[Any]] = {loop, stopped, *background}
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        faults = [task for task in done if task is not stopped]
        for task in faults:
            log.critical("service stops", task=repr(task), error=repr(task.exception()))
        self._checks.stopping = f"the service stops: {faults}" if faults else "the service stops"
        await self._drain(loop, background)
        await site.cleanup()
        return 1 if faults else 0

    async def _drain(self, loop: asyncio.Task[None], background: Sequence[asyncio.Future[None]]) -> None:
        """Finish what is in hand within the drain budget; what is not finished is done again by who follows."""
        deadline = time.monotonic() + self._settings.drain_seconds
        await self.loop.stop()
        await asyncio.wait({loop}, timeout=max(0.1, deadline - time.monotonic() - 5))
        if self._worker is not None:
            await self._worker.drain(max(0.1, deadline - time.monotonic() - 5))
            if loop.done() and loop.exception() is None:
                await asyncio.wait({asyncio.ensure_future(self.loop.finish())}, timeout=3)
                await self._worker.drain(0.1)  # what those results led to
        loop.cancel()
        self.relay.stop()
        await asyncio.wait({self._relaying}, timeout=2)
        for task in background:
            task.cancel()
        try:
            await asyncio.wait_for(self._consumer.stop(), max(1.0, deadline - time.monotonic()))
        except Exception as error:
            log.warning("consumer did not leave its group in time", error=repr(error))
        await asyncio.gather(loop, *background, return_exceptions=True)
        await self._session.close()
        await self._gateway_session.close()
        for pool in (self._pool, self._pools.reads, self._pools.webhooks):
            pool.terminate()
        log.info("service stopped")

    async def _serve_http(self) -> web.AppRunner:
        health = Health(live=self._checks.live, ready=self._checks.ready, startup=self._checks.startup)
        app = new_app(self._settings.api_tokens, self._pools, health)
        self._parts.add_routes(app, self.loop.wake)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, self._settings.http_host, self._settings.http_port).start()
        return runner

    async def _wait_for_revision(self, stop: asyncio.Event) -> None:
        while not stop.is_set() and (reason := await self._checks.startup()):
            log.warning("service waits", reason=reason)
            await asyncio.sleep(1)


async def _patiently(make: Callable[[], Awaitable[T]]) -> T:
    """Other parts may start later than this one: try for a minute."""
    started = time.monotonic()
    while True:
        try:
            return await make()
        except Exception as error:
            if time.monotonic() - started > START_SECONDS:
                raise
            log.warning("service waits to start", error=repr(error))
            await asyncio.sleep(0.5)


def calm_garbage_collector() -> None:
    """A batch makes some 100,000 objects that live until its commit; the default threshold looks at them over and over.

    Measured: a batch of 500 PlaceBookings takes 30 % less time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def run(parts: Parts, clock: Clock) -> int:
    """Run a service in this process."""
    logging.configure(parts.service.name, parts.settings.instance, parts.settings.log_level)
    tracing.configure(parts.service.name, parts.settings.instance)

    calm_garbage_collector()

    async def main() -> int:
        return await Process(parts, clock).run()

    return uvloop.run(main())
