"""The page behind a reminder's link, and what its button and mail programs do (RFC 8058; requirement notify-safely)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from booking_contracts import booking
from booking_contracts.booking import BookingConfirmed

from services.chassis.database import READS, open_pool
from services.chassis.gateway_calls import TryAgain
from services.chassis.http import POOL, Pools, new_app
from services.notifications import http
from services.notifications.erasing import erase
from services.notifications.gateway import MailGateway
from services.notifications.mail import MailRefused, MailSent
from services.notifications.model.addresses import person_of
from services.notifications.model.letters import Audience
from services.notifications.model.targets import Targets
from services.notifications.unsubscribing import Unsubscribed
from tests.chassis.harness import Engine
from tests.described import Described
from tests.doors import HEALTHY
from tests.notifications.builders import (
    BOOKING_ID,
    CUSTOMER_EMAIL,
    PROVIDER_EMAIL,
    STARTS_AT,
    an,
)
from tests.notifications.post import days
from tests.notifications.test_attendees import TIM, TIM_EMAIL
from tests.notifications.test_database import record
from tests.notifications.test_gateway import Server, a_call
from tests.notifications.test_unsubscribing import LINKS, a_reminder, token_of

pytestmark = pytest.mark.requirement("notify-safely")
FORM = {"List-Unsubscribe": "One-Click"}
Browser = TestClient[Any, Any]


@pytest.fixture
async def browser(engine: Engine, databases: dict[str, str]) -> AsyncIterator[Browser]:
    url = databases["NOTIFICATIONS_DATABASE_URL"]
    reads = await open_pool(url, "test-reads", size=1, settings=READS)
    writes = await open_pool(url, "test-writes", size=1)
    app = new_app(lambda: (), Pools(reads, writes), HEALTHY)
    http.add_routes(app, engine.clock, Targets(), LINKS)
    async with TestClient(TestServer(app)) as client:
        yield client
    for pool in (reads, writes):
        await pool.close()


async def asked(browser: Browser, method: str, path: str, **more: Any) -> tuple[int, str]:
    async with browser.request(method, path, **more) as answer:
        body = await answer.json() if answer.content_type.endswith("json") else await answer.text()
        Described("notifications").check(method, path, answer.status, answer.content_type, body)
        return answer.status, str(body)


def path_to(address: str) -> str:
    return "/unsubscribe/" + token_of(LINKS.to_end_reminders(address))


async def test_one_click_ends_the_reminders_of_one_mailbox_at_once(engine: Engine, browser: Browser) -> None:
    await engine.run(record(engine, an(BookingConfirmed, attendee=TIM)))
    engine.clock.instant = STARTS_AT - days(1)
    await engine.run_local()
    assert await reminded(engine) == [CUSTOMER_EMAIL, PROVIDER_EMAIL, TIM_EMAIL]

    for _ in range(2):  # mail programs repeat themselves
        assert (await asked(browser, "POST", path_to(CUSTOMER_EMAIL), data=FORM))[0] == 200
    engine.clock.instant = STARTS_AT - days(1 / 24)
    await engine.run_local()
    await engine.run(record(engine, an(booking.BookingCancelled, attendee=TIM), 2))

    assert await reminded(engine) == [CUSTOMER_EMAIL, PROVIDER_EMAIL, TIM_EMAIL, PROVIDER_EMAIL, TIM_EMAIL]
    cancelled = await engine.fetch("SELECT recipient FROM delivery WHERE kind = 'cancelled' ORDER BY number")
    assert [row["recipient"] for row in cancelled] == [CUSTOMER_EMAIL, PROVIDER_EMAIL, TIM_EMAIL]


async def reminded(engine: Engine) -> list[str]:
    rows = await engine.fetch("SELECT recipient FROM delivery WHERE kind = 'reminder' ORDER BY number")
    return [row["recipient"] for row in rows]


async def test_looking_at_the_page_ends_nothing_and_its_button_does(engine: Engine, browser: Browser) -> None:
    status, page = await asked(browser, "GET", path_to(CUSTOMER_EMAIL), headers={"Accept-Language": "de-AT,de;q=0.9"})

    assert status == 200
    assert '<html lang="de-AT">' in page
    assert 'name="List-Unsubscribe" value="One-Click"' in page
    assert await engine.fetch("SELECT FROM reminders_off") == []
    status, page = await asked(browser, "POST", path_to(CUSTOMER_EMAIL), data=FORM)
    assert (status, "<form" in page) == (200, False)
    (row,) = await engine.fetch("SELECT person FROM reminders_off")
    assert row["person"] == person_of(CUSTOMER_EMAIL)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("token", ["x", "A" * 43, "%00", "%F0%9F%8E%B9"])
async def test_a_link_that_is_not_ours_leads_nowhere(browser: Browser, method: str, token: str) -> None:
    assert (await asked(browser, method, f"/unsubscribe/{token}", data=FORM))[0] == 404


@pytest.mark.parametrize("form", [{}, {"List-Unsubscribe": "yes"}, {"other": "One-Click"}])
async def test_what_is_no_click_ends_nothing(engine: Engine, browser: Browser, form: dict[str, str]) -> None:
    assert (await asked(browser, "POST", path_to(CUSTOMER_EMAIL), data=form))[0] == 400
    assert await engine.fetch("SELECT FROM reminders_off") == []


async def test_a_reminder_that_waits_for_a_mail_server_is_not_sent_after_the_click(
    engine: Engine, browser: Browser
) -> None:
    server, unsubscribed = Server(), Unsubscribed()
    gateway = MailGateway(server, "b@example.org", engine.clock, LINKS, unsubscribed)
    call = replace(a_call(), parameters=a_reminder().model_dump_json())
    assert browser.app is not None
    unsubscribed.pool = browser.app[POOL]
    await asked(browser, "POST", path_to(CUSTOMER_EMAIL), data=FORM)

    outcome = await gateway.call(call)

    assert isinstance(outcome, MailRefused)
    assert outcome.reason == "unsubscribed: no reminders are wanted"
    assert isinstance(await gateway.call(a_call(an(BookingConfirmed))), MailSent)


async def test_a_reminder_waits_while_nobody_knows_whether_it_is_wanted(
    engine: Engine, databases: dict[str, str]
) -> None:
    server, unsubscribed = Server(), Unsubscribed()
    unsubscribed.pool = await open_pool(databases["NOTIFICATIONS_DATABASE_URL"], "test-reads", size=1)
    await unsubscribed.pool.close()
    gateway = MailGateway(server, "b@example.org", engine.clock, LINKS, unsubscribed)

    outcome = await gateway.call(replace(a_call(), parameters=a_reminder().model_dump_json()))

    assert isinstance(outcome, TryAgain)
    assert server.received == []


@pytest.mark.requirement("operations-cli")
@pytest.mark.parametrize("role", [Audience.CUSTOMER, Audience.ATTENDEE])
async def test_who_is_erased_is_forgotten_here_too(engine: Engine, browser: Browser, role: Audience) -> None:
    await engine.run(record(engine, an(BookingConfirmed, attendee=TIM)))
    for address in (CUSTOMER_EMAIL, TIM_EMAIL, PROVIDER_EMAIL):
        await asked(browser, "POST", path_to(address), data=FORM)
    await engine.fetch("DELETE FROM gateway_call")
    pays, comes = ([BOOKING_ID], []) if role is Audience.CUSTOMER else ([], [BOOKING_ID])
    await erase(await engine.session.connection(), pays, comes, "anna")

    left = {row["person"] for row in await engine.fetch("SELECT person FROM reminders_off")}
    others = {PROVIDER_EMAIL} if role is Audience.CUSTOMER else {PROVIDER_EMAIL, CUSTOMER_EMAIL}
    assert left == {person_of(address) for address in others}
