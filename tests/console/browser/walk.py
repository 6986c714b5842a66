"""Every page of the console, as its routes have them, with something on each."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from urllib.parse import urlencode

from booking_contracts.envelope import uuid7
from booking_contracts.testkit.system import System

from services.booking.app import SERVICE
from services.chassis import operator
from services.chassis.clock import SystemClock
from services.operations.console import static_files
from services.operations.console.app import routes
from services.operations.console.routes import Route
from tests.console.browser.scenes import Scene, database
from tests.console.test_acts_on_letters import plant
from tests.flows.test_webhooks import subscribe, unsubscribe

NO_PAGE = "/none"
"""An address at which there is nothing; that is a page, too."""
PLACE = re.compile(r"\{(\w+)(?::(?:[^{}]|\{[^{}]*\})+)?\}")
"""Of an id in a route's path, with the pattern that it has to match."""
VIOLATION = """
INSERT INTO violation (kind, subject, booking_id, detail, ids, first_seen, last_seen)
VALUES ('seats', $1, $2, 'one of 1 seats is taken, by bookings 2', $3, now(), now()) RETURNING violation_id
"""
JOB = """
INSERT INTO job (operator, act, service, asked, reason, total, done, ended_at)
VALUES ('otto', 'redrive', 'booking', $1, 'planted', 1, 1, now()) RETURNING job_id
"""
VIEW = "INSERT INTO saved_view (operator, name, path) VALUES ('local', $1, '/bookings') RETURNING view_id"
STUCK = "UPDATE saga SET status = 'stuck', problem = 'planted' WHERE booking_id = $1"
DONE = "UPDATE saga SET status = 'done', problem = NULL WHERE booking_id = $1"
FAILED = """
UPDATE refund SET status = 'failed', parked = true, failure = 'planted' WHERE booking_id = $1 RETURNING refund_id
"""
KEEPS = "SELECT pg_advisory_lock(4711)"
SINCE = "SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
SUCCEEDED = "UPDATE refund SET status = 'succeeded', parked = false, failure = NULL WHERE booking_id = $1"


def pages() -> Iterator[Route]:
    """What a browser can open: all that is no file and no document."""
    for route in routes():
        if route.method == "GET" and route not in static_files.ROUTES and not route.path.endswith(".json"):
            yield route


def address(route: Route, names: Mapping[str, str]) -> str:
    """With what stands for each id; an act is told all of them, and takes its own. AssertionError where one is none."""
    unknown = {name for name in PLACE.findall(route.path) if name not in names}
    assert not unknown, f"the walk does not come to {route.path}: `planted` has to say what stands for {unknown}"
    path = PLACE.sub(lambda place: names[place[1]], route.path)
    return path if route.act is None else f"{path}?{urlencode(names)}"


def every_page(scene: Scene, names: Mapping[str, str]) -> Sequence[str]:
    """The path of each page, and of some what else can be asked of them."""
    return [
        *(address(route, names) for route in pages()),
        *("/search?q=anna", "/search?q=nothing-of-that", f"/bookings/{scene.declined}", f"/bookings/{scene.cancelled}"),
        *(f"/bookings/{scene.confirmed}?unmasked=1", f"/bookings?offering={scene.studio.offering_id}"),
        *("/bookings?customer=bert", "/payments?status=declined", "/letters?service=booking&error=pages"),
        f"/week?provider={scene.studio.provider_id}&day={scene.studio.starts_at:%Y-%m-%d}",
        *("/replicas?service=payments", "/groups?service=booking", "/database?service=booking"),
        *("/findings?gone=1", "/mails?waiting=1", "/webhooks?waiting=1", "/queues?service=booking&of=timers"),
        NO_PAGE,
    ]


@asynccontextmanager
async def waiting(system: System) -> AsyncIterator[tuple[int, datetime]]:
    """A session at booking's database for which another waits inside of the block: its number, and when it began."""
    async with database(system, "booking") as first, database(system, "booking") as second:
        await first.execute(KEEPS)
        waits = asyncio.create_task(second.execute(KEEPS))
        try:
            yield first.get_server_pid(), await first.fetchval(SINCE)
        finally:
            await first.execute("SELECT pg_advisory_unlock(4711)")
            await waits


@asynccontextmanager
async def planted(system: System, scene: Scene) -> AsyncIterator[Mapping[str, str]]:
    """What only trouble brings is there inside of the block, once for each kind; yields the ids that pages have.

    What comes after finds Now as it was before.
    """
    made = await subscribe(system, url="http://127.0.0.1:1/")
    async with (
        database(system, "booking") as booking,
        database(system, "payments") as payments,
        database(system, "operations") as operations,
        waiting(system) as (pid, since),
    ):
        letters = await plant(booking, "booking", 3, "for the pages")
        await booking.execute(STUCK, scene.confirmed)
        slot = await booking.fetchval("SELECT slot_id FROM booking WHERE booking_id = $1", scene.confirmed)
        refund = await payments.fetchval(FAILED, scene.cancelled)
        finding = await operations.fetchval(VIOLATION, str(uuid7()), scene.confirmed, f'{{"slot_id": "{uuid7()}"}}')
        asked = '{"kind": "failed", "type": null, "error": null, "key": null, "before": null, "for_good": false}'
        job = await operations.fetchval(JOB, asked)
        view = await operations.fetchval(VIEW, f"planted {job}")
        try:
            yield {
                "booking_id": str(scene.confirmed),
                "slot_id": str(slot),
                "customer_id": "bert",
                "service": "booking",
                "letter_id": str(letters[0]),
                "error": "pages",
                "refund_id": str(refund),
                "waiting_id": str(refund),
                "subscription_id": made["subscription_id"],
                "delivery_id": str(uuid7()),
                "violation_id": str(finding),
                "job_id": str(job),
                "pid": str(pid),
                "since": since.isoformat(),
            }
        finally:
            for letter in letters:
                await operator.discard(booking, SERVICE, SystemClock(), letter, for_good=True)
            await booking.execute(DONE, scene.confirmed)
            await payments.execute(SUCCEEDED, scene.cancelled)
            await operations.execute("DELETE FROM violation WHERE violation_id = $1", finding)
            await operations.execute("DELETE FROM job WHERE job_id = $1", job)
            await operations.execute("DELETE FROM saved_view WHERE view_id = $1", view)
            await unsubscribe(system, made)
