"""Now: whose fault is it, what waits where, what waits for somebody, and how the last hour went."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiohttp import web
from booking_contracts.rights import SERVICES

from services.chassis.clock import SystemClock
from services.operations.console import charts
from services.operations.console.charts import Chart
from services.operations.console.kafka import WATCH
from services.operations.console.parts import Part, part
from services.operations.console.reads import behind, last_hour, waiting_for_people
from services.operations.console.reads.engine import COUNTED, engine_of
from services.operations.console.reads.heard import heard
from services.operations.console.reads.linked_numbers import numbers
from services.operations.console.reads.processes import replicas
from services.operations.console.reads.verdicts import (
    BEHIND_SECONDS,
    OUTBOX_SECONDS,
    RECENT_MINUTES,
    TIMERS_SECONDS,
    Readings,
    verdicts,
)
from services.operations.console.rendering import page
from services.operations.console.roles import Role
from services.operations.console.routes import CLOCK, DATABASES, SETTINGS, Route

SLOW = {"outbox": OUTBOX_SECONDS, "timers": TIMERS_SECONDS, "behind": BEHIND_SECONDS}


async def now(request: web.Request) -> web.Response:
    """Everything is read at once; what is away is said where it would stand."""
    databases, watch, instant = request.app[DATABASES], request.app[WATCH], request.app[CLOCK].now()
    engines = asyncio.gather(*(part(name, engine_of(databases, name, instant)) for name in SERVICES))
    hour = asyncio.gather(
        part("booking", last_hour.bookings(databases, instant)),
        part("payments", last_hour.calls(databases, SystemClock().now())),
    )
    sagas, money, told, audit, stripe, processes = await asyncio.gather(
        part("booking", waiting_for_people.sagas(databases)),
        part("payments", waiting_for_people.money(databases)),
        part("notifications", waiting_for_people.told(databases, instant)),
        part("operations", waiting_for_people.audit(databases)),
        part("payments", heard(databases)),
        replicas(request.app[SETTINGS].console_services),
    )
    bookings, calls = await hour
    of = Readings(
        engines=dict(zip(SERVICES, await engines, strict=True)),
        sagas=sagas,
        money=money,
        told=told,
        audit=audit,
        kafka=watch.seen,
        kafka_why=watch.why,
        circuits=sum(one.circuit_open for one in processes),
        paid=_paid(bookings.data) if bookings.data else {},
        stripe=stripe,
    )
    return await page(
        request,
        "now.html",
        verdicts=verdicts(of),
        of=of,
        numbers=numbers(of),
        processes=processes,
        counted=COUNTED,
        slow=SLOW,
        behind=behind,
        charts=list(_charts(bookings, calls)),
        missing=[one.why for one in (bookings, calls) if one.why is not None],
    )


def _paid(of: last_hour.Bookings) -> dict[int, tuple[float, float]]:
    def lately(series: last_hour.Series, minutes: int) -> float:
        return sum(one or 0 for one in series[-minutes:])

    return {minutes: (lately(of.confirmed, minutes), lately(of.failed, minutes)) for minutes in RECENT_MINUTES}


def _charts(bookings: Part[last_hour.Bookings], calls: Part[last_hour.Calls]) -> list[Chart]:
    drawn = []
    if (of := bookings.data) is not None:
        counts = {"placed": of.placed, "confirmed": of.confirmed, "failed": of.failed}
        drawn.append(charts.chart("Bookings a minute", counts, bad=2))
        took = {"half of them": of.half_seconds, "95 of 100": of.most_seconds}
        drawn.append(charts.chart("From asking for payment to confirmed", took, " s"))
    if (to := calls.data) is not None:
        drawn.append(charts.chart("Calls to Stripe a minute", {"made": to.made, "tried again": to.failed}, bad=1))
    return drawn


ROUTES: Sequence[Route] = (Route("GET", "/", now, Role.VIEWER),)
