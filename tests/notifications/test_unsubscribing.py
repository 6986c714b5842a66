"""Reminders end with one click, at once, and nothing else does (RFC 8058; requirement notify-safely)."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import replace
from typing import Any

import pytest
from booking_contracts import booking
from booking_contracts.booking import BookingConfirmed
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.chassis.clock import SystemClock
from services.notifications.app import Settings
from services.notifications.gateway import MailGateway
from services.notifications.mail import MailToSend
from services.notifications.model.addresses import person_of
from services.notifications.model.known import RemindersOff
from services.notifications.model.letters import Kind, letters_on
from services.notifications.rendering import render
from services.notifications.unsubscribing import Links
from tests.notifications.builders import (
    ADMIN_EMAIL,
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
from tests.notifications.test_gateway import Server, a_call

pytestmark = pytest.mark.requirement("notify-safely")
SECRETS = ["the newer secret", "the older secret"]
LINKS = Links("https://bookings.example.org/", lambda: SECRETS)


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
