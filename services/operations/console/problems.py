"""What went wrong, as a page with a sentence: never a bare status, never a trace."""

from __future__ import annotations

import structlog
from aiohttp import web

from services.chassis.problems import Problem
from services.operations.console.databases import Away
from services.operations.console.rendering import page
from services.operations.console.routes import Handle

log = structlog.get_logger()
REFUSED = {
    400: ("Bad request", "The request could not be read."),
    404: ("Not found", "There is nothing at this address."),
    405: ("Not allowed", "This address does not take this method."),
    413: ("Too large", "What was sent is larger than any form here."),
}
"""What aiohttp refuses by itself."""


@web.middleware
async def problem_pages(request: web.Request, handler: Handle) -> web.StreamResponse:
    """Around everything: who may is decided inside of it."""
    try:
        return await handler(request)
    except Problem as refused:
        return await _page(request, refused.status, refused.title, refused.detail)
    except Away as away:
        return await _page(request, 503, "A database is away", f"{str(away)[0].upper()}{str(away)[1:]}. Try again.")
    except web.HTTPException as error:
        if error.status < 400:
            raise
        title, sentence = REFUSED.get(error.status, (error.reason, f"{error.reason}."))
        return await _page(request, error.status, title, sentence)
    except Exception:
        log.error("request failed", path=request.path, exc_info=True)
        return await _page(request, 500, "A fault of ours", "The console's log has it under this address.")


async def _page(request: web.Request, status: int, title: str, sentence: str) -> web.Response:
    return await page(request, "problem.html", status=status, title=title, sentence=sentence)
