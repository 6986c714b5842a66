"""Lists of bookings, payments and refunds: filters in the address, so that a list can be sent on, and saved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from aiohttp import web

from services.booking.model.states import State
from services.chassis.parameters import OPAQUE_ID
from services.operations.console import asked
from services.operations.console.reads import lists, payment_lists, waiting
from services.operations.console.rendering import page
from services.operations.console.roles import Role
from services.operations.console.routes import DATABASES, Route
from services.payments.model.payment import Status
from services.payments.model.refund import RefundStatus


def wanted_of(request: web.Request) -> lists.Wanted:
    """What the address asks for, by itself those placed last. Raises the problem that names what cannot be read."""
    time = asked.text(request, "time", "|".join(get_args(lists.Time)))
    return lists.Wanted(
        states=asked.choices(request, "state", list(State)),
        slot=asked.uuid(request, "slot"),
        customer=asked.text(request, "customer", OPAQUE_ID),
        provider=asked.uuid(request, "provider"),
        offering=asked.uuid(request, "offering"),
        saga=asked.choice(request, "saga", lists.OPEN_SAGAS),
        time="starts_at" if time == "starts_at" else "created_at",
        since=asked.instant(request, "from"),
        until=asked.instant(request, "to"),
        newest=asked.text(request, "order", "newest|oldest") != "oldest",
    )


async def bookings(request: web.Request) -> web.Response:
    """A page of them, with how many there are of each state; of a slot or a customer, who waits, too."""
    wanted = wanted_of(request)
    at = asked.cursor(request, wanted.kinds)
    async with request.app[DATABASES].reading("booking") as connection:
        found = await lists.bookings(connection, wanted, at)
        counts = await lists.counts(connection, wanted)
        line = None
        if wanted.slot is not None:
            line = await waiting.of_slot(connection, wanted.slot)
        elif wanted.customer is not None:
            line = await waiting.of_customer(connection, wanted.customer)
        left_out = wanted.saga is not None and await lists.more_sagas(connection, wanted.saga)
    return await page(
        request,
        "bookings.html",
        wanted=wanted,
        found=found,
        counts=counts,
        states=list(State),
        sagas=lists.OPEN_SAGAS,
        most_sagas=lists.SAGAS,
        left_out=left_out,
        line=line,
    )


async def payments(request: web.Request) -> web.Response:
    """Those with a status, the newest first: the declined with why, and how many there are by reason."""
    status, reason = asked.choice(request, "status", list(Status)), asked.text(request, "reason")
    lingering = asked.text(request, "lingering", "1") is not None
    wanted = payment_lists.Wanted(Status.DECLINED if reason else status, reason, lingering)
    at = asked.cursor(request, wanted.kinds)
    async with request.app[DATABASES].reading("payments") as connection:
        found = await payment_lists.payments(connection, wanted, at)
        counts = await payment_lists.counts(connection)
        reasons = await payment_lists.reasons(connection) if wanted.status is Status.DECLINED else {}
    return await page(
        request,
        "payments.html",
        what="payment",
        found=found,
        counts=counts,
        reasons=reasons,
        wanted=wanted.status,
        reason=reason,
        lingering=lingering,
        statuses=list(Status),
    )


async def refunds(request: web.Request) -> web.Response:
    """Those with a status, by booking."""
    status = asked.choice(request, "status", list(RefundStatus))
    at = asked.cursor(request, payment_lists.OF_REFUNDS)
    async with request.app[DATABASES].reading("payments") as connection:
        found = await payment_lists.refunds(connection, status, at)
        counts = await payment_lists.counts(connection)
    return await page(
        request, "payments.html", what="refund", found=found, counts=counts, wanted=status, statuses=list(RefundStatus)
    )


ROUTES: Sequence[Route] = (
    Route("GET", "/bookings", bookings, Role.VIEWER),
    Route("GET", "/payments", payments, Role.VIEWER),
    Route("GET", "/refunds", refunds, Role.VIEWER),
)
