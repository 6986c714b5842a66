"""No read, and nothing that runs now and then, goes through a large table (issue: one query per way of asking).

The real code runs on a filled database, and PostgreSQL tells how it went about each statement: what it scanned, and how
many rows it looked at. A path or a background task that nobody asks here fails the test that counts them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from booking_contracts.rights import SERVICES

from services.booking import app as booking_app
from services.booking import erasing as booking_erasing
from services.booking.store import reads_availability
from services.chassis.clock import Clock
from services.chassis.database import ASKED_RARELY, READS, SESSION
from services.chassis.forgetting import forget
from services.chassis.http import Pools
from services.chassis.settings import Settings
from services.notifications import app as notifications_app
from services.notifications import erasing as notifications_erasing
from services.operations.console.reads import log
from services.operations.console.reads.in_booking import in_booking
from services.operations.console.reads.in_notifications import in_notifications
from services.operations.console.reads.in_operations import in_operations
from services.operations.console.reads.in_payments import in_payments
from services.payments import app as payments_app
from services.payments.stripe_calls.api import StripeApi
from tests.bench.asking import ANSWERS, PATHS, RoundsOf, read_paths, served, signed
from tests.bench.years import SOON, database_of, named
from tests.chassis.harness import SetClock
from tests.queries import console_asking
from tests.queries.conftest import SCALE
from tests.queries.plans import Plans, Scan

pytestmark = pytest.mark.filterwarnings("ignore:.*active log listener")
LARGE = 900
"""Rows from which a table is large here: the fill makes a fiftieth of what makes it slow, in each."""
MOST_ROWS = 1_300
"""Rows that one statement may look at in one table: a page of 100 bookings is the first of 100 in each state."""
FEW = 10
"""Rows of one booking in these databases."""
PARTS_OF_A_BOOKING: Mapping[str, Callable[[Any, UUID], Awaitable[object]]] = {
    "booking": in_booking,
    "payments": in_payments,
    "notifications": in_notifications,
    "operations": lambda connection, booking_id: all_of_operations(connection, booking_id),
}
COUNTS = {"gauges", "services.booking.gauges.run", "services.payments.gauges.run"}
COUNTED = 10_000
"""As far as these count what has piled up."""
TOTALS = {"totals": "booking", "services.payments.business.run": "ledger_balance"}
"""Figures for business, each of one whole table, for a hundredth of the time (decisions/0035)."""
GENERIC = {**READS, "plan_cache_mode": "force_generic_plan"}


async def all_of_operations(connection: Any, booking_id: UUID) -> None:
    """With acts on what belongs to it, as other pages ask for them, too: one had an act, one had none."""
    things = ["4711", booking_id]
    await in_operations(connection, booking_id, things)
    await log.done_to(connection, things)


async def large_tables(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples >= $1", LARGE)
    await connection.close()
    return {row["relname"] for row in rows if not row["relname"].startswith("pg_")}


async def _resource(app: web.Application, path: str) -> str:
    found = (await app.router.resolve(make_mocked_request("GET", path))).route.resource
    assert found is not None
    return found.canonical


def wasteful(scans: Iterable[Scan], large: set[str], most: int = MOST_ROWS) -> list[Scan]:
    return [scan for scan in scans if scan.table in large and (scan.kind.endswith("Seq Scan") or scan.rows > most)]


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("settings", [READS, GENERIC], ids=["custom", "generic"])
async def test_no_read_goes_through_a_large_table(
    filled: dict[str, str], stripe_api: StripeApi, service: str, settings: dict[str, str]
) -> None:
    plans = Plans(database_of(filled["POSTGRES_ADMIN_URL"], service))
    large, clock = await large_tables(plans.url), SetClock(SOON)
    reads, webhooks = await plans.pool(settings), await plans.pool(ASKED_RARELY)
    asked, found = set[str](), list[Scan]()
    async with served(service, Pools(reads, webhooks), plans.url, clock, stripe_api) as client:
        assert client.app is not None
        for n in (40, 3000):
            for path in PATHS[service](n, SCALE):
                response = await client.get(path)
                assert response.status in ANSWERS, await response.text()
                asked.add(await _resource(client.app, path))
        assert read_paths(client.app) == asked, "name every path in tests/bench/asking.py"
        if service == "payments":
            body, headers = signed(clock)
            assert (await client.post("/webhooks/stripe", data=body, headers=headers)).status == 200
    if service == "booking":  # over HTTP a process of its own asks
        for offering_id, provider_id in ((named("offering", 5), None), (None, named("provider", 0))):
            until = SOON + timedelta(days=60)
            await reads_availability.availability(reads, offering_id, provider_id, SOON, until, SOON)
    found = plans.taken()
    assert {scan.table for scan in found} >= {"command_receipt"}, "nothing was heard of the statements"
    assert wasteful(found, large) == []
    for pool in (reads, webhooks):
        await pool.close()


@pytest.mark.parametrize("person", ["customer-29", "child-29", "waiting-29"])
async def test_erasing_a_person_goes_through_no_large_table(filled: dict[str, str], person: str) -> None:
    """Who has paid, who has come along, who has waited; planned as bookingctl's connection is."""
    every = {service: Plans(database_of(filled["POSTGRES_ADMIN_URL"], service)) for service in SERVICES}
    large = {service: await large_tables(plans.url) for service, plans in every.items()}
    sessions = {service: await plans.session(SESSION) for service, plans in every.items()}
    known = await booking_erasing.known(sessions["booking"], person)
    pays, comes = len(known.pays.ids), len(known.comes.ids)
    assert (pays, comes) == {"customer-29": (5, 0), "child-29": (0, 6), "waiting-29": (1, 0)}[person]
    await notifications_erasing.erase(sessions["notifications"], known.pays.ids, known.comes.ids, person)
    await booking_erasing.erase(sessions["booking"], known, person)
    for service in ("payments", "notifications"):
        await forget(sessions[service], known.keys, known.texts)
    await notifications_erasing.unheard(sessions["notifications"], known.told)
    for service, plans in every.items():
        found = plans.taken()
        assert {"dead_letter", "outbox"} <= {scan.table for scan in found}, service
        assert (service, wasteful(found, large[service])) == (service, [])
        await sessions[service].close()


@pytest.mark.requirement("console")
@pytest.mark.parametrize("database", PARTS_OF_A_BOOKING)
async def test_a_bookings_page_goes_through_no_large_table(filled: dict[str, str], database: str) -> None:
    """Planned as the console's connections are."""
    plans = Plans(database_of(filled["POSTGRES_ADMIN_URL"], database))
    if database == "operations":
        await fill_operations(plans.url)
    large, session = await large_tables(plans.url), await plans.session(READS)
    for n in (40, 3000):
        await PARTS_OF_A_BOOKING[database](session, named("booking", n))
    found = plans.taken()
    assert {scan.table for scan in found} & large, "nothing was heard of the statements"
    assert wasteful(found, large, FEW) == []
    await session.close()


async def fill_operations(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(
        """
        INSERT INTO violation (kind, subject, booking_id, detail)
        SELECT 'seat', n, md5('booking' || n)::uuid, 'x' FROM generate_series(1, 5000) n;
        INSERT INTO operator_log (operator, act, subject, booking_id, reason)
        SELECT 'mia', act, n, md5('booking' || n)::uuid, ''
        FROM unnest(ARRAY['look', 'letter-redrive']) act, generate_series(1, 5000) n;
        ANALYZE violation, operator_log
        """
    )
    await connection.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_nothing_that_operators_look_for_goes_through_a_large_table(filled: dict[str, str], service: str) -> None:
    """Lists, weeks and searches of the console; and what a text names is found."""
    plans = Plans(database_of(filled["POSTGRES_ADMIN_URL"], service))
    large, session = await large_tables(plans.url), await plans.session(READS)
    for text, hits in console_asking.FOUND[service].items():
        assert await console_asking.found(session, service, text) == hits, text
    assert wasteful(plans.taken(), large) == []
    await console_asking.ask(session, service)
    found = plans.taken()
    assert {scan.table for scan in found} >= {"dead_letter", "gateway_call"}, "nothing was heard of the statements"
    assert wasteful(found, large, COUNTED) == []
    await session.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_what_runs_now_and_then_goes_through_no_large_table(
    filled: dict[str, str], stripe_api: StripeApi, service: str
) -> None:
    plans = Plans(database_of(filled["POSTGRES_ADMIN_URL"], service))
    large, clock = await large_tables(plans.url), SetClock(SOON)
    pool, session = await plans.pool(ASKED_RARELY), await plans.session(SESSION)
    rounds = RoundsOf(pool, session, clock, stripe_api).every(service)
    assert background(service, filled, clock) <= rounds.keys(), "name every background task in tests/bench/asking.py"
    for name, work in rounds.items():
        await work()
        found = plans.taken()
        assert found, f"{name} asked nothing"
        most = COUNTED if name in COUNTS else MOST_ROWS
        assert (name, wasteful(found, large - {TOTALS.get(name)}, most)) == (name, [])
    await session.close()
    await pool.close()


def background(service: str, env: dict[str, str], clock: Clock) -> set[str]:
    """The tasks that a service's app.py names."""
    common: dict[str, Any] = {"database_url": env["POSTGRES_ADMIN_URL"], "kafka_bootstrap_servers": "localhost:1"}
    if service == "booking":
        parts = booking_app.build(Settings(**common), clock)
    elif service == "payments":
        parts = payments_app.build(
            payments_app.Settings(**common, stripe_api_key="sk", stripe_webhook_secrets=("whsec",)), clock
        )
    else:
        parts = notifications_app.build(
            notifications_app.Settings(
                **common, smtp_host="x", smtp_port=25, mail_from="a@example.org", admin_email="b@example.org"
            ),
            clock,
        )
    return {f"{task.__module__}.{task.__qualname__}" for task in parts.background}
