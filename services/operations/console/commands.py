"""`bookingctl console`: a place in a browser where operators see and mend."""

from __future__ import annotations

import typer
from aiohttp import web
from pydantic import ValidationError

from services.chassis import logging
from services.chassis.clock import Clock, SystemClock
from services.operations.console.app import application
from services.operations.console.databases import Databases
from services.operations.console.settings import ConsoleSettings


def console() -> None:
    """Serve the console until SIGTERM or SIGINT, at HTTP_HOST and HTTP_PORT, and /metrics at METRICS_PORT. It reads and
    acts on the databases of BOOKING_, PAYMENTS_, NOTIFICATIONS_ and OPERATIONS_DATABASE_URL; CONSOLE_… says who comes
    in."""
    serve(SystemClock())


def serve(clock: Clock) -> None:
    """The same, with the clock that bookings go by. Raises BadParameter where a setting is wrong."""
    try:
        settings = ConsoleSettings()
    except ValidationError as wrong:
        said = "; ".join(": ".join(filter(None, (_names(one["loc"]), one["msg"]))) for one in wrong.errors())
        raise typer.BadParameter(f"the console cannot start: {said}") from None
    logging.configure("console", settings.instance, settings.log_level)
    web.run_app(
        application(settings, Databases.named(), clock),
        host=settings.http_host,
        port=settings.http_port,
        access_log=None,
        print=None,
    )


def _names(where: tuple[int | str, ...]) -> str:
    return ".".join(map(str, where)).upper()
