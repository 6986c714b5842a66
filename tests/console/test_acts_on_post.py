"""Webhooks and letters to people: the ailing first, sent again, switched on and off, by an operator."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from booking_contracts.booking import BookingConfirmed

from services.notifications.subscriptions.posting import Poster
from tests.chassis.harness import Engine
from tests.console.acting import WHY, Operations, dialog, do, kept, operations, otto, refused, told_by
from tests.console.conftest import Visit, Visitor, named
from tests.notifications.builders import CUSTOMER_EMAIL, an
from tests.notifications.conftest import engine
from tests.notifications.receivers import HERE
from tests.notifications.stage import Stage
from tests.notifications.test_database import record
from tests.notifications.test_sent_again import Server, go, letter_to, state

__all__ = ["engine", "operations", "otto"]
pytestmark = pytest.mark.requirement("console", "operations-cli")
URL = "http://127.0.0.1:9/hook"


async def failed(engine: Engine) -> tuple[UUID, UUID]:
    """A subscription that missed an event while it was off, and is on again; the delivery."""
    stage = Stage(engine, Poster(HERE))  # whose worker does not run
    subscription = await stage.subscribe(URL)
    await engine.fetch("UPDATE webhook_subscription SET state = 'disabled', disabled_for = 'operator'")
    await stage.hear(an(BookingConfirmed, booking_id=uuid4()))
    await engine.fetch("UPDATE webhook_subscription SET state = 'active', disabled_for = NULL")
    (row,) = await stage.rows()
    return subscription, row["delivery_id"]


def booking_of(page: str) -> UUID:
    """Of whose webhook the page has a button: the act concerns it."""
    (found,) = set(re.findall(r"booking_id=([0-9a-f-]{36})", page))
    return UUID(found)


async def states(engine: Engine) -> list[str]:
    return [row["state"] for row in await engine.fetch("SELECT state FROM webhook_delivery ORDER BY number")]


async def test_one_webhook_is_sent_again(otto: Visitor, engine: Engine, operations: Operations[asyncpg.Record]) -> None:
    subscription, delivery = await failed(engine)
    page = await otto.shown(f"/webhooks/{subscription}")
    assert f"delivery_id={delivery}" in page
    assert await states(engine) == ["failed"]
    assert "under the same webhook-id" in await otto.shown(dialog("webhook-redeliver", delivery_id=delivery))
    await do(otto, "webhook-redeliver", delivery_id=delivery)
    assert await states(engine) == ["pending"]
    assert await kept(operations, delivery) == [("otto", "webhook-redeliver", "notifications", WHY, "it is sent again")]
    shown = await otto.shown(f"/webhooks/{subscription}")
    assert told_by(shown, str(booking_of(page)), "otto", "webhook-redeliver", WHY, "it is sent again")
    again = await do(otto, "webhook-redeliver", status=409, delivery_id=delivery)
    assert "is no delivery that has ended" in again


async def test_those_of_a_span_or_the_failed_ones_are_sent_again(
    visit: Visit, databases: dict[str, str], engine: Engine
) -> None:
    otto = await visit("otto", databases=named(databases), clock=engine.clock)
    subscription, _ = await failed(engine)
    of: dict[str, Any] = {"subscription_id": subscription}
    assert URL in await otto.shown(dialog("webhooks-redeliver", **of))
    later = {"since": "2099-01-01 10:00"}
    assert "there is nothing of that" in await do(otto, "webhooks-redeliver", status=409, asked=later, **of)
    amiss = await do(otto, "webhooks-redeliver", status=422, asked={"since": "noon"}, **of)
    assert "Of events from this instant on" in amiss
    assert await states(engine) == ["failed"]
    said = await do(otto, "webhooks-redeliver", asked={"since": "2020-01-01", "failed": "true"}, **of)
    assert "1 are sent again" in said
    assert await states(engine) == ["pending"]


@pytest.mark.parametrize("empty", ["", " "])
async def test_an_end_that_is_left_empty_is_the_moment_of_the_act(otto: Visitor, engine: Engine, empty: str) -> None:
    """What is there by then, also where another clock made it."""
    subscription, _ = await failed(engine)
    of: dict[str, Any] = {"subscription_id": subscription}
    assert "or empty: until now" in await otto.shown(dialog("webhooks-redeliver", **of))
    await engine.fetch("UPDATE webhook_delivery SET created_at = now() + interval '1 day'")
    assert "1 are sent again" in await do(otto, "webhooks-redeliver", asked={"until": empty}, **of)


async def test_a_subscriber_is_switched_off_and_on_and_tried(
    otto: Visitor, engine: Engine, operations: Operations[asyncpg.Record]
) -> None:
    subscription = await Stage(engine, Poster(HERE)).subscribe(URL)
    healthy = await Stage(engine, Poster(HERE)).subscribe("http://127.0.0.1:9/other")
    of: dict[str, Any] = {"subscription_id": subscription}
    assert "is on its way" in await do(otto, "webhook-test", **of)
    assert await states(engine) == ["pending"]
    assert "disabled" in await do(otto, "webhook-disable", **of)
    page = await otto.shown("/webhooks")
    assert page.index(str(subscription)) < page.index(str(healthy)), "the ailing first"
    assert str(healthy) not in await otto.shown("/webhooks?ailing=1")
    assert "no subscription that is active" in await do(otto, "webhook-test", status=409, **of)
    assert "active" in await do(otto, "webhook-enable", **of)
    for path in (f"/webhooks/{subscription}", "/webhooks"):
        assert told_by(await otto.shown(path), "otto", "webhook-disable", WHY, "is disabled"), path
    assert [act for _, act, *_ in await kept(operations, subscription)] == [
        *("webhook-test", "webhook-disable", "webhook-test", "webhook-enable")
    ]
    for path in (f"/webhooks/{uuid4()}", "/webhooks/none"):
        assert "no such subscription" in await otto.shown(path, status=404)
    assert "state is one of" in await otto.shown(f"/webhooks/{subscription}?state=lost", status=400)


async def test_a_letter_that_failed_is_sent_again(
    otto: Visitor, visit: Visit, databases: dict[str, str], engine: Engine, operations: Operations[asyncpg.Record]
) -> None:
    server = Server(unknown={CUSTOMER_EMAIL})
    await engine.run(record(engine, an(BookingConfirmed)))
    await go(engine, server)
    letter = await letter_to(engine, CUSTOMER_EMAIL)
    page = await otto.shown("/mails")
    assert str(letter) in page
    assert CUSTOMER_EMAIL not in page
    assert "550 no such user" in page, "the server's words have no address here"
    assert CUSTOMER_EMAIL not in await otto.shown("/mails?unmasked=1")
    pia = await visit("pia", databases=named(databases))
    assert CUSTOMER_EMAIL in await pia.shown("/mails?unmasked=1")

    assert "is sent again" in await do(otto, "mail-send-again", delivery_id=letter)
    assert (await state(engine, letter))[1] == "pending"
    assert "on its way" in await do(otto, "mail-send-again", status=409, delivery_id=letter)
    outcomes = [outcome for *_, outcome in await kept(operations, letter)]
    assert ["not done" in outcome for outcome in outcomes] == [False, True]
    await engine.fetch("UPDATE delivery SET created_at = '2020-01-01' WHERE delivery_id = $1", letter)
    assert told_by(await otto.shown("/mails?waiting=1"), "otto", "mail-send-again", WHY, "is sent again")
    await go(engine, server)
    assert told_by(await otto.shown("/mails"), "otto", "mail-send-again", WHY, "is sent again")


async def test_a_viewer_may_none_of_it(visit: Visit, databases: dict[str, str], engine: Engine) -> None:
    subscription, delivery = await failed(engine)
    vera = await visit("vera", databases=named(databases))
    assert "/acts/" not in await vera.shown(f"/webhooks/{subscription}")
    await refused(vera, "webhook-redeliver", delivery_id=delivery)
    await refused(vera, "mail-send-again", delivery_id=delivery)
    for act in ("webhooks-redeliver", "webhook-disable", "webhook-enable", "webhook-test"):
        await refused(vera, act, subscription_id=subscription)
    assert await states(engine) == ["failed"]
