"""Search: one box for whatever somebody on call has in hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web
from booking_contracts.rights import SERVICES

from services.chassis.database import Connection
from services.operations.console import looks
from services.operations.console.asked import kept
from services.operations.console.parts import Part, part
from services.operations.console.reads import search
from services.operations.console.reads.places import Hit, Kind
from services.operations.console.rendering import page
from services.operations.console.roles import Role
from services.operations.console.routes import DATABASES, OPERATOR, SETTINGS, Route, url
from services.operations.databases import DATABASES as ALL

LONGEST = 300
Find = Callable[[Connection, str], Coroutine[Any, Any, list[Hit]]]


async def looked_for(request: web.Request) -> web.Response:
    """To the page of what the text names, where it is one thing; else what it may be, or where it was looked for."""
    text = kept(request.query.get("q", "")).strip()[:LONGEST]
    what = search.sought(text)
    if not text:
        return await page(request, "search.html", q="", what=what, hits=[], away=[], looked=[], elsewhere=[], why=None)
    people = what.email and request[OPERATOR].sees_people
    parts = await _everywhere(request, ALL, partial(search.find, what=what, people=people))
    looked = [query.looked for name in ALL for query in search.asked(name, what, people=people)]
    hits = search.merged([hit for one in parts for hit in one.data or ()])
    if not hits and (what.trace or what.opaque):
        more = await _everywhere(request, SERVICES, partial(search.find_headers, what=what))
        hits, parts = search.merged([hit for one in more for hit in one.data or ()]), [*parts, *more]
        looked.append(search.IN_HEADERS)
    away = [one for one in parts if one.why]
    if people:
        await looks.keep(request, f"search by e-mail address: {', '.join(hit.id for hit in hits)[:500] or 'nobody'}")
    if len(hits) == 1 and (path := path_of(hits[0])) is not None:
        raise web.HTTPSeeOther(url(request, path))
    why = None
    if what.email and not people:
        why = f"{request[OPERATOR].name} has not the right pii: e-mail addresses are not looked for."
    return await page(
        request,
        "search.html",
        q=text,
        what=what,
        hits=[(hit, path_of(hit)) for hit in hits],
        away=away,
        looked=looked,
        elsewhere=links_of(request, what),
        why=why,
    )


def path_of(hit: Hit) -> str | None:
    """The page, or the list, that shows it."""
    by_filter = {Kind.CUSTOMER: "customer", Kind.OFFERING: "offering"}
    if hit.kind in by_filter:
        return f"/bookings?{urlencode({by_filter[hit.kind]: hit.id})}"
    paths = {
        Kind.BOOKING: f"/bookings/{hit.id}",
        Kind.SLOT: f"/slots/{hit.id}",
        Kind.PROVIDER: f"/week?provider={hit.id}",
        Kind.LETTER: f"/letters/{hit.service}/{hit.id}",
        Kind.SUBSCRIPTION: f"/webhooks/{hit.id}",
        Kind.FINDING: f"/findings/{hit.id}",
        Kind.JOB: f"/jobs/{hit.id}",
    }
    return paths.get(hit.kind)


def links_of(request: web.Request, what: search.Sought) -> list[tuple[str, str]]:
    """Where else to look for such a text (CONSOLE_LINKS)."""
    given = {
        "{trace_id}": what.trace,
        "{correlation_id}": what.text if what.opaque else None,
        "{stripe_id}": what.text if what.stripe else None,
    }
    return [
        (name, address.replace(place, quote(value, safe="")))
        for name, address in request.app[SETTINGS].console_links.items()
        for place, value in given.items()
        if value is not None and place in address
    ]


async def _everywhere(request: web.Request, names: Sequence[str], find: Find) -> list[Part[list[Hit]]]:
    async def of(name: str) -> list[Hit]:
        async with request.app[DATABASES].reading(name) as connection:
            return await find(connection, name)

    return list(await asyncio.gather(*(part(name, of(name)) for name in names)))


ROUTES: Sequence[Route] = (Route("GET", "/search", looked_for, Role.VIEWER),)
