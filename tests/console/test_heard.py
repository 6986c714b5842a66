"""When Stripe was last heard of, as payments' rows have it: Now tells late webhooks from a Stripe that is away."""

from __future__ import annotations

import json
import re

import pytest

from services.operations.console.reads.heard import Heard, heard
from tests.console.conftest import Visit, named
from tests.console.test_by_index import Told, scanned
from tests.payments.builders import authorize
from tests.payments.conftest import bench, engine, till
from tests.payments.till import Till, soon

__all__ = ["bench", "engine", "till"]
pytestmark = pytest.mark.requirement("console")
EVENT = """
INSERT INTO stripe_event (event_id, type, body, received_at)
VALUES ($1, 'payment_intent.succeeded', $2, now() - make_interval(secs => $3))
"""
AGO = r"[\d.]+ m?s ago"


async def keep(till: Till, *late_seconds: float, age_seconds: float = 0.0) -> None:
    """Events of now and the seconds before, each kept so long after it happened by the clock of Stripe."""
    for number, late in enumerate(late_seconds):
        kept_at = till.bench.clock.now().timestamp() - age_seconds - number
        body = json.dumps({"created": int(kept_at - late)})
        await till.engine.fetch(EVENT, f"evt_{late}_{number}_{age_seconds}", body, age_seconds + number)


async def seen(databases: dict[str, str]) -> Heard:
    of = named(databases)
    async with of.opened():
        return await heard(of)


async def test_it_says_when_a_call_was_answered_and_a_webhook_kept(
    visit: Visit, databases: dict[str, str], till: Till
) -> None:
    vera = await visit("vera", databases=named(databases))
    page = await vera.shown("/")
    assert "no call of the last day was answered; no webhook is kept" in page
    await till.tell(authorize(expires_at=soon(till.bench)))
    await keep(till, 0.0)
    page = await vera.shown("/")
    assert re.search(f"a call of {AGO} was answered; the last webhook was kept {AGO}", page), page
    assert "webhooks are late" not in page


async def test_webhooks_that_the_sweeper_had_to_ask_for_are_late(databases: dict[str, str], till: Till) -> None:
    await keep(till, 12.0)
    assert list((await seen(databases)).amiss) == [], "one may be late by itself"
    await keep(till, 14.0, 30.0)
    late = await seen(databases)
    assert late.late == 3
    assert 11.0 < late.late_seconds < 14.0
    await keep(till, 1.0)
    assert list((await seen(databases)).amiss) == [], "they come again"


async def test_it_looks_at_the_last_rows_alone(databases: dict[str, str]) -> None:
    told = Told(named(databases)._addresses)
    told.plans = []
    async with told.opened():
        await heard(told)
    assert len(told.plans) == 2
    assert [query for query, plan in told.plans if scanned(plan)] == []


async def test_what_was_late_before_says_nothing_about_now(databases: dict[str, str], till: Till) -> None:
    await keep(till, 12.0, 12.0, 12.0, age_seconds=3600.0)
    assert list((await seen(databases)).amiss) == []


async def test_where_the_services_clock_is_moved_webhooks_are_no_later(databases: dict[str, str], till: Till) -> None:
    till.bench.later(days=-3)
    await till.tell(authorize(expires_at=soon(till.bench)))
    await keep(till, 0.0, 1.0)
    assert list((await seen(databases)).amiss) == []
