"""Mails and webhooks that wait: what is being sent, or is to be sent later, is none of them (console)."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from booking_contracts.booking import BookingConfirmed

from services.notifications.subscriptions.posting import Poster
from services.operations.console.reads import waiting_for_people
from tests.chassis.harness import Engine
from tests.console.conftest import Visit, named
from tests.console.test_by_index import Told, scanned
from tests.notifications.builders import CUSTOMER_EMAIL, an
from tests.notifications.conftest import engine
from tests.notifications.receivers import HERE
from tests.notifications.stage import Stage
from tests.notifications.test_database import record

__all__ = ["engine"]
pytestmark = pytest.mark.requirement("console")


async def told(databases: dict[str, str], engine: Engine, **later: float) -> waiting_for_people.Told:
    of = named(databases)
    async with of.opened():
        return await waiting_for_people.told(of, engine.clock.now() + timedelta(**later))


async def test_what_was_just_written_and_reminders_to_come_do_not_wait(
    databases: dict[str, str], engine: Engine
) -> None:
    await engine.run(record(engine, an(BookingConfirmed)))
    reminders = await engine.fetch("SELECT FROM local_message WHERE type LIKE '%ReminderDue'")
    letters = await engine.fetch("SELECT FROM delivery WHERE state = 'pending'")
    assert len(reminders) > 0
    assert len(letters) > 0
    assert (await told(databases, engine)).mails_waiting == 0
    assert (await told(databases, engine, minutes=2)).mails_waiting == len(letters)
    await engine.fetch("UPDATE delivery SET state = 'succeeded', settled_at = now()")
    assert (await told(databases, engine, minutes=2)).mails_waiting == 0, "reminders are written when they are due"


async def test_they_are_counted_by_indexes(databases: dict[str, str], engine: Engine) -> None:
    asked = Told(named(databases)._addresses)
    asked.plans = []
    async with asked.opened():
        await waiting_for_people.told(asked, engine.clock.now())
    assert len(asked.plans) == 4
    assert [query for query, plan in asked.plans if scanned(plan)] == []


async def test_mails_that_wait_have_a_list_with_why(visit: Visit, databases: dict[str, str], engine: Engine) -> None:
    await engine.run(record(engine, an(BookingConfirmed)))
    await engine.fetch("UPDATE gateway_call SET tries = 3, last_error = '450 try later, ' || $1", CUSTOMER_EMAIL)
    await engine.fetch(
        "UPDATE delivery SET created_at = now() - interval '2 minutes' WHERE recipient = $1", CUSTOMER_EMAIL
    )
    await engine.fetch("UPDATE delivery SET created_at = now() WHERE recipient <> $1", CUSTOMER_EMAIL)
    vera = await visit("vera", databases=named(databases))
    assert 'href="/mails?waiting=1"' in await vera.shown("/")
    page = await vera.shown("/mails?waiting=1")
    assert page.count("<td>customer</td>") == 1
    assert page.count("<td>provider</td>") == 0, "it is on its way"
    assert "450 try later" in page
    assert CUSTOMER_EMAIL not in page
    assert "<td>customer</td>" not in await vera.shown("/mails"), "those that failed"


async def test_webhooks_that_wait_lead_to_whom_they_are_for(
    visit: Visit, databases: dict[str, str], engine: Engine
) -> None:
    stage = Stage(engine, Poster(HERE))  # whose worker does not run
    first = await stage.subscribe("http://127.0.0.1:9/first")
    await stage.hear(an(BookingConfirmed, booking_id=uuid4()))
    found = await told(databases, engine)
    assert (found.webhooks_waiting, found.the_awaited) == (0, None), "it is on its way"
    found = await told(databases, engine, minutes=2)
    assert (found.webhooks_waiting, found.the_awaited) == (1, first)
    quiet = await stage.subscribe("http://127.0.0.1:9/quiet", BookingConfirmed, provider_id=uuid4())
    second = await stage.subscribe("http://127.0.0.1:9/second")
    await stage.hear(an(BookingConfirmed, booking_id=uuid4()))
    found = await told(databases, engine, minutes=2)
    assert (found.webhooks_waiting, found.the_awaited) == (3, None)
    await engine.fetch("UPDATE webhook_delivery SET opened_at = now() - interval '2 minutes'")
    vera = await visit("vera", databases=named(databases))
    assert 'href="/webhooks?waiting=1"' in await vera.shown("/")
    page = await vera.shown("/webhooks?waiting=1")
    assert all(f"/webhooks/{one}" in page for one in (first, second))
    assert f"/webhooks/{quiet}" not in page, "just those"


async def test_where_one_subscriber_is_dead_now_leads_to_it(
    visit: Visit, databases: dict[str, str], engine: Engine
) -> None:
    stage = Stage(engine, Poster(HERE))
    dead = await stage.subscribe("http://127.0.0.1:9/dead")
    await engine.fetch("UPDATE webhook_subscription SET state = 'disabled', disabled_for = 'gone'")
    await stage.subscribe("http://127.0.0.1:9/alive")
    vera = await visit("vera", databases=named(databases))
    the_number = f'<th scope="row"><a href="/webhooks/{dead}"'
    assert the_number in await vera.shown("/")
    await engine.fetch("UPDATE webhook_subscription SET state = 'disabled', disabled_for = 'gone'")
    page = await vera.shown("/")
    assert 'href="/webhooks?ailing=1"' in page
    assert the_number not in page


FAILS = """
UPDATE webhook_subscription SET failures = 3, failing_since = $2::timestamptz - $3::interval,
       last_error = 'it answered 503 to ann@example.com'
WHERE subscription_id = $1
"""


async def test_a_subscriber_that_takes_nothing_is_told_by_now_in_its_first_line(
    visit: Visit, databases: dict[str, str], engine: Engine
) -> None:
    stage, now = Stage(engine, Poster(HERE)), engine.clock.now()
    failing, hiccup, dead, off = [await stage.subscribe(f"http://127.0.0.1:9/{number}") for number in range(4)]
    for subscription, minutes in ((failing, 7), (hiccup, 2), (dead, 60 * 25), (off, 60 * 24 * 6)):
        await engine.fetch(FAILS, subscription, now, timedelta(minutes=minutes))
    await engine.fetch(
        "UPDATE webhook_subscription SET state = 'disabled', disabled_for = 'failing', disabled_at = $2 "
        "WHERE subscription_id = $1",
        off,
        now,
    )
    found = await told(databases, engine)
    assert [(one.subscription_id, one.dead, one.off) for one in found.ailing] == [
        *((dead, True, False), (failing, False, False), (off, True, True))
    ]
    page = await (await visit("vera", databases=named(databases), clock=engine.clock)).shown("/")
    verdict = page[page.index("<h2>Subscribers") : page.index("<h2>Money")]
    assert f'<a href="/webhooks/{dead}">http://127.0.0.1:9/2 takes nothing for 25 h: it answered 503' in verdict
    assert f'<a href="/webhooks/{failing}">http://127.0.0.1:9/0 takes nothing for 7 min: it answered 503' in verdict
    assert f'<a href="/webhooks/{off}">http://127.0.0.1:9/3 took nothing and is switched off: it' in verdict
    assert str(hiccup) not in verdict
    assert "ann@example.com" not in page
    await engine.fetch(
        "UPDATE webhook_subscription SET state = 'disabled', disabled_for = 'operator', disabled_at = now()"
    )
    assert (await told(databases, engine)).ailing == [], "an operator has decided"
