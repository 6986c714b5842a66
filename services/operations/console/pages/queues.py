"""What waits in a service: its outbox, timers that are due, calls that are open."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web
from booking_contracts.rights import SERVICES

from services.operations.console import asked
from services.operations.console.pages.dead_letters import service_of
from services.operations.console.reads import queues
from services.operations.console.reads.queues import SHOWN, Queue
from services.operations.console.rendering import page
from services.operations.console.roles import Role
from services.operations.console.routes import CLOCK, DATABASES, Route


async def listed(request: web.Request) -> web.Response:
    """Of one service, the oldest first."""
    service, queue = service_of(request), asked.choice(request, "of", list(Queue)) or Queue.OUTBOX
    async with request.app[DATABASES].reading(service) as connection:
        rows = await queues.waiting(connection, queue, request.app[CLOCK].now())
    return await page(
        request,
        "queues.html",
        services=SERVICES,
        service=service,
        queue=queue,
        queues=list(Queue),
        rows=rows[:SHOWN],
        more=len(rows) > SHOWN,
    )


ROUTES: Sequence[Route] = (Route("GET", "/queues", listed, Role.VIEWER),)
