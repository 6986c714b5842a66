"""What is behind the row of a service on the page Now: its processes, its group in Kafka, its database; and Stripe."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncpg
from aiohttp import web
from booking_contracts.rights import SERVICES

from services.operations import sessions
from services.operations.console.kafka import WATCH
from services.operations.console.pages.dead_letters import service_of
from services.operations.console.parts import part
from services.operations.console.reads import processes
from services.operations.console.reads.heard import heard
from services.operations.console.rendering import page
from services.operations.console.roles import Role
from services.operations.console.routes import DATABASES, SETTINGS, Route
from services.operations.databases import DATABASES as ALL
from services.payments.stripe_events.sweeper import ON_THE_WAY


async def replicas(request: web.Request) -> web.Response:
    """Each process of a service: whether it is ready, or why not, which build it is, since when it is there."""
    service, named = service_of(request), request.app[SETTINGS].console_services

    async def at_database() -> Sequence[asyncpg.Record]:
        async with request.app[DATABASES].reading(service) as connection:
            return await processes.at_database(connection)

    connected, asked = await asyncio.gather(
        part(service, at_database()), processes.replicas({service: named.get(service, ())})
    )
    return await page(request, "replicas.html", services=SERVICES, service=service, connected=connected, asked=asked)


async def groups(request: web.Request) -> web.Response:
    """Who reads for a service, and where it stands in each partition."""
    service, watch = service_of(request), request.app[WATCH]
    return await page(request, "groups.html", services=SERVICES, service=service, kafka=watch.seen, why=watch.why)


async def database(request: web.Request) -> web.Response:
    """The sessions of a service's database: who keeps others waiting first."""
    service = service_of(request, ALL)
    async with request.app[DATABASES].reading(service) as connection:
        found = await sessions.sessions(connection)
    return await page(
        request,
        "database.html",
        services=ALL,
        service=service,
        rows=found[: sessions.SHOWN],
        more=len(found) > sessions.SHOWN,
    )


async def stripe(request: web.Request) -> web.Response:
    """Circuits of payments' replicas; what Stripe has answered and told of late."""
    named = request.app[SETTINGS].console_services
    asked, of = await asyncio.gather(
        processes.replicas({"payments": named.get("payments", ())}),
        part("payments", heard(request.app[DATABASES])),
    )
    return await page(request, "stripe.html", asked=asked, heard=of, on_the_way=ON_THE_WAY.total_seconds())


ROUTES: Sequence[Route] = (
    Route("GET", "/replicas", replicas, Role.VIEWER),
    Route("GET", "/groups", groups, Role.VIEWER),
    Route("GET", "/database", database, Role.VIEWER),
    Route("GET", "/stripe", stripe, Role.VIEWER),
)
