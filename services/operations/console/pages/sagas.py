"""Sagas that are not done: the stuck ones first, then those that wait the longest."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

from aiohttp import web

from services.booking.gauges import LONG_UNANSWERED
from services.booking.saga import Status, Step
from services.chassis.problems import Problem
from services.operations.console.reads import sagas as reads
from services.operations.console.rendering import page
from services.operations.console.roles import Role
from services.operations.console.routes import CLOCK, DATABASES, Route

SHOWN = 200
ChoiceT = TypeVar("ChoiceT", bound=StrEnum)


async def listed(request: web.Request) -> web.Response:
    """By status and step; with `unanswered=1` those that wait, and were asked so often that it is no delay any more."""
    status, step = _choice(request, "status", Status), _choice(request, "step", Step)
    asked = LONG_UNANSWERED if request.query.get("unanswered") == "1" else 0
    status = Status.WAITING if asked else status
    async with request.app[DATABASES].reading("booking") as connection:
        counts = await reads.counts(connection)
        rows = await reads.not_done(connection, status=status, step=step, most=SHOWN, asked=asked)
    return await page(
        request,
        "sagas.html",
        rows=rows,
        counts=counts,
        counted=reads.COUNTED,
        chosen_status=status,
        chosen_step=step,
        asked=asked,
        statuses=[one for one in Status if one is not Status.DONE],
        steps=list(Step),
        shown=SHOWN,
        now=request.app[CLOCK].now(),
    )


def _choice(request: web.Request, name: str, kind: type[ChoiceT]) -> ChoiceT | None:
    given = request.query.get(name)
    try:
        return kind(given) if given else None
    except ValueError:
        raise Problem(400, "Bad request", f"{name} is one of {', '.join(kind)}.") from None


ROUTES: Sequence[Route] = (Route("GET", "/sagas", listed, Role.VIEWER),)
