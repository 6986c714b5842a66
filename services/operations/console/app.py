"""The console as an aiohttp application: pages and acts are found by name, and each says for whom it is."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import AsyncIterator, Iterator
from types import ModuleType

from aiohttp import web

from services.chassis import expiry
from services.chassis.clock import Clock, SystemClock
from services.chassis.http import Health, add_health, add_metrics, answering
from services.operations.console import acts, jobs, metrics, pages, sessions, static_files
from services.operations.console.access import let_in
from services.operations.console.acts.dialogs import routes_of
from services.operations.console.databases import Databases
from services.operations.console.kafka import KafkaWatch, watched
from services.operations.console.problems import problem_pages
from services.operations.console.routes import CLOCK, DATABASES, ENDED_SESSIONS, ROUTES, SETTINGS, SIGNER, Route
from services.operations.console.security import add_headers
from services.operations.console.settings import ConsoleSettings
from services.operations.console.signing import Signer

MOST_BODY_BYTES = 64 * 1024
"""Of a form."""


REAL = SystemClock()


def application(settings: ConsoleSettings, databases: Databases, clock: Clock = REAL) -> web.Application:
    """Everything but the port of pages. Connections are made when they are first wanted."""
    app = web.Application(middlewares=[problem_pages, let_in], client_max_size=MOST_BODY_BYTES)
    app[SETTINGS], app[DATABASES], app[CLOCK] = settings, databases, clock
    app[SIGNER] = Signer(lambda: [one.get_secret_value() for one in settings.now().console_session_secrets])
    app[ENDED_SESSIONS] = sessions.EndedSessions(databases)
    app[ROUTES] = {}
    add_health(app, Health(live=_well, ready=_well, startup=_well, serving=_well))
    files = [*settings.certificate_files(), *databases.certificate_files()]
    expiry.watch(files, lambda: settings.now().console_tokens)
    for route in routes():
        added = app.router.add_route(route.method, settings.console_prefix + route.path, route.handler)
        app[ROUTES][added] = route
    app.on_response_prepare.append(add_headers)

    async def connected(_: web.Application) -> AsyncIterator[None]:
        async with databases.opened(f"{settings.instance}-console"):
            yield

    app.cleanup_ctx.extend((connected, sessions.heard_of, jobs.worked_on, _told))
    app.cleanup_ctx.append(lambda of: watched(of, KafkaWatch(settings, databases)))
    return app


def routes() -> Iterator[Route]:
    """Of all pages, acts and files."""
    yield from static_files.ROUTES
    for page in _modules(pages):
        yield from page.ROUTES
    for module in _modules(acts):
        for act in getattr(module, "ACTS", ()):
            yield from routes_of(act)


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


async def _told(of: web.Application) -> AsyncIterator[None]:
    """Metrics name tokens and files, and ask for no login: they have a port that no browser is led to."""
    settings = of[SETTINGS]
    if settings.metrics_port is None:
        yield
        return
    app = web.Application()
    add_metrics(app, metrics.REGISTRY)
    async with answering(app, settings.http_host, settings.metrics_port):
        yield


async def _well() -> str | None:
    """Databases that are away are no reason: the console is wanted most of all then."""
    return None
