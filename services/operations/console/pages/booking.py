"""A booking on one page: what every service knows of it, in the order of time; as HTML and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import UUID

from aiohttp import web

from services.chassis.problems import Problem
from services.operations.console import looks, pictures
from services.operations.console.databases import Away
from services.operations.console.reads.booking import Shown, booking_shown
from services.operations.console.reads.export import document, prose
from services.operations.console.reads.letters import stored, text_of
from services.operations.console.reads.raw import asides, correlations, raws, traces
from services.operations.console.rendering import page
from services.operations.console.roles import Role
from services.operations.console.routes import DATABASES, SETTINGS, Route

PATH = "/bookings/{booking_id:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}}"


async def booking(request: web.Request) -> web.Response:
    """The page. What one database cannot tell is missing, with a sentence."""
    shown = await _shown(request)
    found = correlations(shown), traces(shown)
    return await page(
        request,
        "booking.html",
        subject=str(shown.booking_id),
        booking_id=shown.booking_id,
        shown=shown,
        lanes=pictures.lanes(shown.timeline),
        states=pictures.states(shown.stays),
        letters=stored(shown.notifications),
        text_of=text_of,
        raws=raws(shown),
        asides=asides(shown),
        correlations=found[0],
        traces=found[1],
        outside=_outside(request, shown, *found),
        prose=prose,
        done_to=shown.operations.done_to,
    )


async def as_json(request: web.Request) -> web.Response:
    """The same as one document, to be kept with a report."""
    shown = await _shown(request)
    unmasked, why = await looks.unmasked(request, str(shown.booking_id), shown.booking_id)
    found = {"masked_because": why, **document(shown, unmasked=unmasked)}
    text = json.dumps(found, default=str, indent=1, ensure_ascii=False)
    name = f'attachment; filename="booking-{shown.booking_id}.json"'
    return web.Response(text=text, content_type="application/json", headers={"Content-Disposition": name})


async def _shown(request: web.Request) -> Shown:
    shown = await booking_shown(request.app[DATABASES], UUID(request.match_info["booking_id"]))
    if shown.known:
        return shown
    if shown.away:
        raise Away("booking and the others", f"do not all answer, and nobody else knows it: {'; '.join(shown.away)}")
    raise Problem(404, "Not found", f"No service has heard of booking {shown.booking_id}.")


def _outside(
    request: web.Request, shown: Shown, correlation_ids: Sequence[str], trace_ids: Sequence[str]
) -> Sequence[tuple[str, str]]:
    """Names and addresses of where else to look, one for each id that an address wants."""
    intents = {row["payment_intent"] for row in shown.payments.calls.rows} - {None}
    payment = shown.payments.payment
    if payment is not None and payment["payment_intent"] is not None:
        intents.add(payment["payment_intent"])
    ids: dict[str, Sequence[str]] = {
        "{booking_id}": [str(shown.booking_id)],
        "{trace_id}": trace_ids,
        "{correlation_id}": correlation_ids,
        "{stripe_id}": sorted(intents),
    }
    found = []
    for name, address in request.app[SETTINGS].console_links.items():
        wanted = next((one for one in ids if one in address), None)
        found += [(name, address.replace(wanted, value)) for value in ids[wanted]] if wanted else [(name, address)]
    return found


ROUTES: Sequence[Route] = (
    Route("GET", PATH, booking, Role.VIEWER),
    Route("GET", f"{PATH}.json", as_json, Role.VIEWER),
)
