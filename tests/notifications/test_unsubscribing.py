"""Reminders end with one click, at once, and nothing else does (RFC 8058; requirement notify-safely)."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from booking_contracts import booking
from booking_contracts.booking import BookingConfirmed
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.chassis.clock import SystemClock
from services.chassis.database import READS, open_pool
from services.chassis.http import POOL, Pools, new_app
from services.notifications import http
from services.notifications.app import Settings
from services.notifications.erasing import erase
from services.notifications.gateway import MailGateway
from services.notifications.mail import MailRefused, MailSent, MailToSend
from services.notifications.model.addresses import person_of
from services.notifications.model.known import RemindersOff
from services.notifications.model.letters import Audience, Kind, letters_on
from services.notifications.rendering import render
from services.notifications.unsubscribing import Links, Unsubscribed
from tests.chassis.harness import Engine
from tests.described import Described
from tests.notifications.builders import (
    ADMIN_EMAIL,
    BOOKING_ID,
    CUSTOMER_EMAIL,
    NOW,
    PROVIDER_EMAIL,
    STARTS_AT,
    an,
    html_of,
    mail,
    received,
    text_of,
)
from tests.notifications.post import Post, days
from tests.notifications.test_attendees import TIM, TIM_EMAIL
from tests.notifications.test_database import record
from tests.notifications.test_gateway import Server, a_call
from tests.notifications.test_http import HEALTH

pytestmark = pytest.mark.requirement("notify-safely")
SECRETS = ["the newer secret", "the older secret"]
LINKS = Links("https://bookings.example.org/", lambda: SECRETS)
FORM = {"List-Unsubscribe": "One-Click"}


def token_of(link: str) -> str:
    return link.rpartition("/")[2]


def a_reminder() -> MailToSend:
    post = Post()
    post.hear(an(BookingConfirmed))
    post.fire_timers(until=STARTS_AT - days(1))
    return next(mail for mail in post.mails if mail.kind is Kind.REMINDER and mail.recipient == CUSTOMER_EMAIL)


def test_a_link_names_a_mailbox_and_no_address() -> None:
    link = LINKS.to_end_reminders(CUSTOMER_EMAIL)

    assert link.startswith("https://bookings.example.org/unsubscribe/")
    assert "anna" not in link
    assert LINKS.person(token_of(link)) == person_of("anna@EXAMPLE.org") != person_of(PROVIDER_EMAIL)


def test_a_link_works_while_its_secret_is_replaced_and_no_longer() -> None:
    old = Links(LINKS.public_url, lambda: SECRETS[1:]).to_end_reminders(CUSTOMER_EMAIL)

    assert LINKS.person(token_of(old)) == person_of(CUSTOMER_EMAIL)
    assert Links("", lambda: SECRETS[:1]).person(token_of(old)) is None
    assert LINKS.to_end_reminders(CUSTOMER_EMAIL) != old, "new links are signed with the first"


@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: urlsafe_b64encode(raw).decode()))
def test_what_we_did_not_sign_ends_nobodys_reminders(token: str) -> None:
    assert LINKS.person(token) is None


def test_no_octet_of_a_link_may_change() -> None:
    token = token_of(LINKS.to_end_reminders(CUSTOMER_EMAIL))
    for place, letter in enumerate(token[:-1]):
        assert LINKS.person(f"{token[:place]}{'A' if letter != 'A' else 'B'}{token[place + 1 :]}") is None


async def test_reminders_alone_have_a_link_by_which_mail_programs_end_them() -> None:
    server, reminder = Server(), a_reminder()
    gateway = MailGateway(server, "b@example.org", SystemClock(), LINKS)
    await gateway.call(replace(a_call(), parameters=reminder.model_copy(update={"until": None}).model_dump_json()))
    await gateway.call(a_call(an(booking.SessionCompleted)))

    reminding, other = server.received
    link = LINKS.to_end_reminders(CUSTOMER_EMAIL)
    assert reminding["List-Unsubscribe"].strip() == f"<{link}>"
    assert reminding["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"No more reminders: {link}" in text_of(reminding)
    assert f'<a href="{link}"' in html_of(reminding)
    assert "List-Unsubscribe" not in other
    assert "reminders" not in text_of(other)


def test_a_link_stands_on_one_line_whatever_its_length() -> None:
    (letter, *_) = letters_on(Kind.REMINDER, an(BookingConfirmed), ADMIN_EMAIL)
    url = f"https://{'x' * 60}.example.org/unsubscribe/{'y' * 43}"
    rendered = render(letter, sender="b@x.org", message_id="<1@x.org>", now=NOW, sequence=1, unsubscribe_url=url)

    assert f"List-Unsubscribe: \r\n <{url}>\r\n".encode() in rendered.content
    assert received(rendered)["List-Unsubscribe"].strip() == f"<{url}>"
    assert mail(letter, unsubscribe_url="https://x.org/1")["List-Unsubscribe"] == "<https://x.org/1>"


def test_who_has_ended_reminders_gets_all_other_letters() -> None:
    post = Post()
    post.work.load(RemindersOff(person_of(CUSTOMER_EMAIL)))
    post.hear(an(BookingConfirmed, attendee=TIM))
    post.fire_timers(until=STARTS_AT)
    post.hear(an(booking.BookingCancelled, attendee=TIM))

    assert post.written(Kind.REMINDER) == [PROVIDER_EMAIL, TIM_EMAIL] * 2
    assert post.written(Kind.CONFIRMED) == [CUSTOMER_EMAIL, PROVIDER_EMAIL, TIM_EMAIL]
    assert post.written(Kind.CANCELLED) == [CUSTOMER_EMAIL, PROVIDER_EMAIL, TIM_EMAIL]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"public_url": "https://x.org"}, "go together"),
        ({"unsubscribe_secrets": ["long enough to sign"]}, "go together"),
        ({"public_url": "https://x.org", "unsubscribe_secrets": ["short"]}, "at least 16"),
        ({"public_url": "x.org", "unsubscribe_secrets": ["long enough to sign"]}, "must be a URL"),
    ],
)
def test_half_a_setting_stops_the_service_at_its_start(given: dict[str, Any], problem: str) -> None:
    needed = {"database_url": "postgresql://x", "kafka_bootstrap_servers": "x:1", "smtp_host": "x", "smtp_port": 25}
    usual = needed | {"mail_from": "b@example.org", "admin_email": ADMIN_EMAIL}
    assert Settings.model_validate(usual).links() is None
    with pytest.raises(ValidationError, match=problem):
        Settings.model_validate(usual | given)


Browser = TestClient[Any, Any]


@pytest.fixture
async def browser(engine: Engine, databases: dict[str, str]) -> AsyncIterator[Browser]:
    url = databases["NOTIFICATIONS_DATABASE_URL"]
    reads = await open_pool(url, "test-reads", size=1, settings=READS)
    writes = await open_pool(url, "test-webhooks", size=1)
    app = new_app(lambda: (), Pools(reads, writes), HEALTH)
    http.add_routes(app, LINKS)
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
