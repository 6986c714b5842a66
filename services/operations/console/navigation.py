"""What stands at the top of every page: the pages that there are and that this operator may see."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from services.operations.console.routes import OPERATOR, ROUTES, url


@dataclass(frozen=True, slots=True)
class Entry:
    """A page; `g` and then its key leads there."""

    name: str
    path: str
    key: str


ENTRIES = (
    Entry("Now", "/", "n"),
    Entry("Search", "/search", "s"),
    Entry("Bookings", "/bookings", "b"),
    Entry("Week", "/week", "w"),
    Entry("Sagas", "/sagas", "a"),
    Entry("Dead letters", "/letters", "d"),
    Entry("Money", "/money", "m"),
    Entry("Webhooks", "/webhooks", "h"),
    Entry("Findings", "/findings", "f"),
    Entry("Jobs", "/jobs", "j"),
    Entry("Log", "/log", "l"),
    Entry("Views", "/views", "v"),
)
"""In the order of an incident: what is wrong, whose booking, what waits for somebody, who did what."""


def entries(request: web.Request) -> list[tuple[Entry, str]]:
    """Each with its address; none for who is not logged in."""
    operator = request.get(OPERATOR)
    if operator is None:
        return []
    roles = {route.path: route.role for route in request.app[ROUTES].values() if route.method == "GET"}
    return [
        (entry, url(request, entry.path))
        for entry in ENTRIES
        if (role := roles.get(entry.path)) is not None and operator.may(role)
    ]
