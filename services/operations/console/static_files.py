"""Style, script and htmx; their addresses carry a part of their content's hash, so that browsers may keep them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from aiohttp import web

from services.operations.console.routes import Route

FOLDER = Path(__file__).parent / "static"
TYPES = {
    "htmx.min.js": "text/javascript",
    "console.js": "text/javascript",
    "style.css": "text/css",
    "icon.svg": "image/svg+xml",
}
KEPT = "public, max-age=31536000, immutable"


@cache
def content(name: str) -> tuple[bytes, str]:
    """A file and the beginning of its SHA-256."""
    read = (FOLDER / name).read_bytes()
    return read, hashlib.sha256(read).hexdigest()[:12]


def address(name: str) -> str:
    """Where a browser finds it, without the prefix."""
    return f"/static/{content(name)[1]}/{name}"


async def file(request: web.Request) -> web.Response:
    """Whatever hash was asked for: a page that was loaded before a deploy asks for the older one."""
    name = request.match_info["name"]
    if name not in TYPES:
        raise web.HTTPNotFound
    body, hashed = content(name)
    kept = KEPT if request.match_info["hash"] == hashed else "no-store"
    return web.Response(body=body, content_type=TYPES[name], charset="utf-8", headers={"Cache-Control": kept})


ROUTES: Sequence[Route] = (Route("GET", "/static/{hash}/{name}", file, None),)
