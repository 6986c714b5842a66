"""Pages from templates: the whole one, or where htmx asks only what stands in `main`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.operations.console import looks
from services.operations.console.access import csrf_of, may_do
from services.operations.console.charts import shown
from services.operations.console.formats import FILTERS
from services.operations.console.navigation import entries
from services.operations.console.routes import OPERATOR, SETTINGS, url
from services.operations.console.static_files import address

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters.update(FILTERS)
TEMPLATES.globals["file"] = address
TEMPLATES.filters["figure"] = shown
WHOLE, BARE = "base.html", "_bare.html"
THEMES, TIMES = ("auto", "light", "dark"), ("utc", "local", "relative")


async def page(
    request: web.Request,
    template: str,
    *,
    status: int = 200,
    subject: str | None = None,
    booking_id: UUID | None = None,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> web.Response:
    """Render it. `subject` and `booking_id`: whose personal data may stand on it, for the log of looks; the path where
    nothing is given. A template extends `layout`, and has the blocks `title` and `main`."""
    shown, why_masked = False, None
    if OPERATOR in request:
        shown, why_masked = await looks.unmasked(request, subject or request.path, booking_id)
    text = TEMPLATES.get_template(template).render(
        **everywhere(request), unmasked=shown, why_masked=why_masked, **context
    )
    return web.Response(text=text, content_type="text/html", status=status, headers=headers)


def everywhere(request: web.Request) -> dict[str, Any]:
    """What each template has: how addresses are made, who reads, and how they want it."""
    settings = request.app[SETTINGS]
    operator = request.get(OPERATOR)

    def of_page(path: str, **query: object) -> str:
        given = {name: value for name, value in query.items() if value is not None}
        return url(request, path) + (f"?{urlencode(given, doseq=True)}" if given else "")

    def same(**query: object) -> str:
        """This page with other parameters: filters stay, and None takes one away."""
        merged = {**request.query, **query}
        given = {name: value for name, value in merged.items() if value is not None}
        return request.path + (f"?{urlencode(given)}" if given else "")

    return {
        "layout": BARE if "HX-Request" in request.headers else WHOLE,
        "url": of_page,
        "same": same,
        "here": request.path_qs,
        "path": request.path.removeprefix(settings.console_prefix) or "/",
        "operator": operator,
        "read_only": settings.console_read_only,
        "csrf": csrf_of(request),
        "navigation": entries(request),
        "may_do": lambda act: may_do(request, act),
        "links": settings.console_links,
        "theme": _choice(request, "theme", THEMES),
        "times": _choice(request, "times", TIMES),
        "paused": request.cookies.get("paused") == "1",
    }


def _choice(request: web.Request, cookie: str, choices: tuple[str, ...]) -> str:
    given = request.cookies.get(cookie, "")
    return given if given in choices else choices[0]
