"""A look that is taken again and again: what it finds is logged once, and /health tells whether it could be taken."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
from aiohttp import web

from services.chassis import logging
from services.chassis.clock import real_seconds
from services.chassis.database import AMISS
from services.chassis.http import Health, add_health, add_metrics
from services.operations import metrics

log = structlog.get_logger()

Look = Callable[[], Awaitable[Sequence[Mapping[str, Any]]]]
"""Returns what is wrong just now, each thing by its columns; raises one of AMISS where that could not be seen, and the
next look may be better. Anything else ends the process."""


class Watch:
    """`seconds` lie between the end of a look and the next, and more where a look takes long: it looks for half of the
    time at most, however much there is to look at."""

    def __init__(self, seconds: float, look: Look) -> None:
        self._seconds, self._look = seconds, look
        self._known: dict[str, Mapping[str, Any]] = {}
        self._unseen: str | None = "nothing has been looked at yet"
        metrics.looked.set(real_seconds())  # from here on it is late

    async def go_on(self) -> None:
        """Until it is cancelled."""
        while True:
            began = time.monotonic()
            await self.look_once()
            await asyncio.sleep(max(self._seconds, time.monotonic() - began))

    async def look_once(self) -> None:
        """What is new is an error in the log, and what is gone is told, too; a look that fails is taken again."""
        try:
            found = {str(sorted(one.items())): one for one in await self._look()}
        except AMISS as error:
            self._unseen = f"the last look failed: {error!r}"
            log.warning("could not look", error=repr(error))
            return
        self._unseen = None
        metrics.not_agreeing.set(len(found))
        metrics.looked.set(real_seconds())
        for new in found.keys() - self._known.keys():
            log.error("does not agree", **found[new])
        for gone in self._known.keys() - found.keys():
            log.info("agrees again", **self._known[gone])
        log.info("looked", not_agreeing=len(found))
        self._known = found

    async def ready(self) -> str | None:
        """Why it is not known what is wrong, or None: the last look was taken, whatever it found."""
        return self._unseen


async def _well() -> str | None:
    return None


@asynccontextmanager
async def _answering(port: int, watch: Watch) -> AsyncIterator[None]:
    app = web.Application()
    add_health(app, Health(live=_well, ready=watch.ready, startup=_well, serving=watch.ready))
    add_metrics(app, metrics.REGISTRY)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, os.environ.get("HTTP_HOST", "0.0.0.0"), port).start()
        yield
    finally:
        await runner.cleanup()


async def _until_stopped(port: int | None, watch: Watch) -> None:
    going_on = asyncio.ensure_future(watch.go_on())
    for stop in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(stop, going_on.cancel)
    with suppress(asyncio.CancelledError):
        if port is None:
            await going_on
        else:
            async with _answering(port, watch):
                await going_on
    log.info("stopped")


def run(name: str, seconds: float, look: Look) -> None:
    """Look until SIGTERM or SIGINT. HTTP_PORT says where /health and /metrics answer, nowhere when it is not set."""
    logging.configure(name, os.environ.get("INSTANCE", name), os.environ.get("LOG_LEVEL", "INFO"))
    port = os.environ.get("HTTP_PORT")
    asyncio.run(_until_stopped(int(port) if port else None, Watch(seconds, look)))
