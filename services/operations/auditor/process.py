"""`bookingctl audit run`: the rounds until SIGTERM or SIGINT; /health and /metrics on HTTP_PORT, where that is set."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import structlog
from aiohttp import web

from services.chassis import expiry, logging
from services.chassis.clock import Clock
from services.chassis.database import Where
from services.chassis.http import Health, add_health, add_metrics, answering
from services.operations.auditor import metrics
from services.operations.auditor.databases import Databases
from services.operations.auditor.record import Record
from services.operations.auditor.rounds import Rounds

log = structlog.get_logger()


async def _well() -> str | None:
    return None


@asynccontextmanager
async def _answering(port: int | None, rounds: Rounds) -> AsyncIterator[None]:
    if port is None:
        yield
        return
    app = web.Application()
    add_health(app, Health(live=_well, ready=rounds.ready, startup=_well, serving=rounds.ready))
    add_metrics(app, metrics.REGISTRY)
    async with answering(app, os.environ.get("HTTP_HOST", "0.0.0.0"), port):
        yield


async def _until_stopped(rounds: Rounds, port: int | None) -> None:
    going_on = asyncio.ensure_future(rounds.run())
    for stop in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(stop, going_on.cancel)
    async with _answering(port, rounds):
        with suppress(asyncio.CancelledError):
            await going_on
    log.info("stopped")


def run(where: Mapping[str, Where], kept: Where | None, clock: Clock, every_seconds: float) -> None:
    """`where`: the services' databases, for a role that only reads. `kept`: that of operations."""
    logging.configure("auditor", os.environ.get("INSTANCE", "auditor"), os.environ.get("LOG_LEVEL", "INFO"))
    expiry.watch(expiry.files_of(*where.values(), kept), tuple)
    port = os.environ.get("HTTP_PORT")
    rounds = Rounds(lambda: Databases(where), Record(kept), clock, every_seconds)
    asyncio.run(_until_stopped(rounds, int(port) if port else None))
