"""No page goes through a large table: each query has an index to begin with, and an end."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from booking_contracts.rights import SERVICES

from services.chassis.database import Connection
from services.operations.console.databases import Databases
from services.operations.console.reads.queues import Queue
from services.operations.databases import DATABASES
from tests.conftest import Stacks, run
from tests.console.conftest import Visit, named

LARGE = (
    *(
        "booking",
        "booking_contact",
        "booking_history",
        "slot",
        "saga",
        "saga_log",
        "waitlist_entry",
        "waitlist_contact",
    ),
    *("cancellation_quote", "command_receipt", "inbox", "outbox", "dead_letter", "local_message", "gateway_call"),
    *("payment", "refund", "payout", "ledger_entry", "ledger_transaction", "stripe_event", "stripe_movement"),
    *("dashboard_refund", "chargeback", "settlement", "reconciliation", "wallet", "wallet_command", "top_up"),
    *("withdrawal_part", "delivery", "known_booking", "webhook_delivery", "webhook_event"),
    *("operator_log", "job", "violation", "saved_view"),
)
"""What grows with bookings, or may pile up."""
SOME = str(UUID(int=7))
EVERY = ("&every=1", "&every=1&kind=refused", "&every=1&kind=failed&key=k", "&every=1&error=x&before=2031-01-01")
LETTERS = [
    f"/letters?service={service}{more}"
    for service in SERVICES
    for more in ("", "&kind=failed&error=x", "&kind=refused", "&key=k", "&type=t&before=2031-01-01", *EVERY)
]
PAGES = (
    *LETTERS,
    *("/sagas", "/sagas?status=stuck", "/sagas?status=waiting&step=void", "/money"),
    *("/webhooks", "/webhooks?ailing=1", "/webhooks?waiting=1", "/mails", "/mails?waiting=1", "/jobs"),
    *("/sagas?unanswered=1", "/payments?status=declined", "/payments?reason=x", "/payments?lingering=1"),
    *(f"/queues?service={service}&of={queue}" for service in SERVICES for queue in Queue),
    *("/", "/stripe", "/replicas?service=booking", "/views", f"/slots/{SOME}", f"/bookings/{SOME}"),
    *(f"/database?service={name}" for name in DATABASES),
    *("/findings", "/findings?kind=seats", "/findings?gone=1", f"/findings?booking={SOME}", f"/findings/{SOME}"),
    *("/log", "/log?operator=otto", "/log?act=look&subject=x", f"/log?booking={SOME}", "/log?from=2031-01-01"),
    *(
        f"/search?q={text}"
        for text in (SOME, "pi_1", "somebody", "ann@example.com", "0af7651916cd43dd8448eb211c80319c")
    ),
    *(f"/bookings{more}" for more in ("", "?order=oldest", "?state=DISPUTED", "?customer=ann", "?saga=stuck")),
    *(f"/bookings?{name}={SOME}" for name in ("slot", "provider", "offering")),
    *("/payments", "/refunds", "/refunds?status=pending", f"/letters/booking/{SOME}", f"/webhooks/{SOME}"),
)
DIALOGS = (
    *(f"/acts/saga-retry?booking_id={SOME}", f"/acts/booking-cancel?booking_id={SOME}"),
    *(f"/acts/money-try-again?waiting_id={SOME}", f"/acts/webhook-test?subscription_id={SOME}"),
    *(f"/acts/letter-redrive?service=payments&letter_id={SOME}", "/acts/letters-redrive?service=booking&kind=failed"),
    f"/acts/job-stop?job_id={SOME}",
)


class Told(Databases):
    """Keeps what is asked on the connections for reading, with the database's plan for it where scans cost a lot."""

    plans: list[tuple[str, dict[str, Any]]]

    @asynccontextmanager
    async def reading(self, name: str) -> AsyncIterator[Connection]:
        async with super().reading(name) as connection, self._told(connection):
            yield connection

    @asynccontextmanager
    async def acting(self, name: str) -> AsyncIterator[Connection]:
        async with super().acting(name) as connection, self._told(connection):
            yield connection

    @asynccontextmanager
    async def _told(self, connection: Connection) -> AsyncIterator[None]:
        asked: list[tuple[str, tuple[Any, ...]]] = []
        try:
            with connection.query_logger(lambda query: asked.append((query.query, tuple(query.args or ())))):
                yield
        finally:
            async with connection.transaction():
                await self._explain(connection, asked)

    async def _explain(self, connection: Connection, asked: list[tuple[str, tuple[Any, ...]]]) -> None:
        for way in ("seqscan", "bitmapscan", "hashjoin", "mergejoin"):  # cheaper where a table is nearly empty
            await connection.execute(f"SET LOCAL enable_{way} = off")
        for query, arguments in asked:
            if re.match(r"\s*(\(?SELECT|WITH)", query):
                plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {query}", *arguments)
                self.plans.append((query, json.loads(plan)[0]["Plan"]))


def scanned(node: dict[str, Any], *, ends: bool = False) -> set[str]:
    """The large tables that a plan goes through from end to end. `ends`: a LIMIT above ends what walks an index."""
    above = (ends and node.get("Parent Relationship") != "SubPlan") or node["Node Type"] == "Limit"
    found: set[str] = set()
    if node.get("Relation Name") in LARGE:
        walks = node["Node Type"].startswith("Index") and "Index Cond" not in node and not above
        if walks or node["Node Type"] == "Seq Scan":
            found.add(node["Relation Name"])
    return found.union(*(scanned(child, ends=above) for child in node.get("Plans", ())))


@pytest.fixture(scope="module")
def empty(stacks: Stacks) -> Iterator[dict[str, str]]:
    """Databases that no other test has filled: what a plan goes by is how many rows there seem to be."""
    with stacks("by-index", parts=("postgres",), fast=True) as stack:
        run(stack, "services.operations.migrate")
        yield stack.env


@pytest.mark.requirement("console")
@pytest.mark.parametrize("path", [*PAGES, *DIALOGS], ids=str)
async def test_no_list_goes_through_a_large_table(visit: Visit, empty: dict[str, str], path: str) -> None:
    told = Told(named(empty)._addresses)
    told.plans = []
    tina = await visit("tina", databases=told)
    answer = await tina.get(path)
    assert answer.status in (200, 303, 404, 409), await answer.text()
    assert told.plans, "it read something"
    wrong = {query: scanned(plan) for query, plan in told.plans if scanned(plan)}
    assert wrong == {}


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("SELECT count(*) FROM dead_letter WHERE status = 'open' AND kind <> 'refused'", {"dead_letter"}),
        ("SELECT id FROM dead_letter WHERE status = 'open' AND kind <> 'refused' ORDER BY created_at LIMIT 9", set()),
        ("SELECT (SELECT count(*) FROM local_message m WHERE lower(m.key) = d.type AND kind = 'record') "
         "FROM dead_letter d WHERE id = '" + SOME + "' LIMIT 9", {"local_message"}),
        ("SELECT FROM saga WHERE problem = 'x'", {"saga"}),
    ],
)  # fmt: skip
async def test_a_scan_is_seen(databases: dict[str, str], query: str, seen: set[str]) -> None:
    told = Told(named(databases)._addresses)
    told.plans = []
    async with told.opened(), told.reading("booking") as connection:
        await connection.fetch(query)
    ((_, plan),) = told.plans
    assert scanned(plan) == seen
