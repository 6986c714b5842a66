"""Nothing that a person typed can become markup, a header or a second recipient."""

from __future__ import annotations

import pytest
from booking_contracts import booking
from booking_contracts.booking import BookingConfirmed
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.notifications.app import Settings
from services.notifications.header_values import Unaddressable
from services.notifications.model.letters import Audience, Letter, letters_for
from services.notifications.rendering import render
from tests.notifications.builders import (
    ADMIN_EMAIL,
    NOW,
    TIM,
    an,
    customer,
    html_of,
    letter_to,
    mail,
    received,
    text_of,
)

SCRIPT = "<script>alert('x')</script>"
INJECTION = "Eve\r\nBcc: victim@example.org\r\n\r\nX"

HEADERS = sorted(["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"])


def _hostile(text: str) -> list[Letter]:
    """Every letter of a dispute in which every free text is `text`."""
    # model_construct and model_copy: what the contracts would refuse is not relied upon here.
    event = an(booking.DisputeRaised, attendee=TIM).model_copy(
        update={
            "customer": customer().model_copy(update={"name": text}),
            "attendee": TIM.model_copy(update={"name": text}),
            "provider_name": text,
            "offering_title": text,
            "reason": text,
        }
    )
    return list(letters_for(event, ADMIN_EMAIL))


@pytest.mark.requirement("notify-safely")
def test_markup_in_a_value_is_text_in_html() -> None:
    for letter in _hostile(SCRIPT):
        html = html_of(mail(letter))
        assert "<script" not in html
        assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in html
        assert SCRIPT in text_of(mail(letter))


@pytest.mark.requirement("notify-safely")
def test_a_line_break_in_a_value_can_not_begin_a_header() -> None:
    for letter in _hostile(INJECTION):
        message = mail(letter)
        assert sorted(message.keys()) == HEADERS
        assert "Bcc" not in message
        assert message["To"].addresses[0].addr_spec == letter.recipient
        assert len(message["To"].addresses) == 1


@pytest.mark.requirement("notify-safely")
@given(st.text(st.characters(exclude_categories=[]), max_size=250))
def test_no_text_at_all_adds_a_header_or_a_recipient(text: str) -> None:
    for letter in _hostile(text):
        message = mail(letter)
        assert sorted(message.keys()) == HEADERS
        assert [address.addr_spec for address in message["To"].addresses] == [letter.recipient]


@pytest.mark.requirement("notify-safely")
@pytest.mark.parametrize(
    "address",
    [
        "anna@example.org, eve@example.org",
        "anna@example.org\r\nBcc: eve@example.org",
        "anna@example.org\x00",
        "an\x01na@example.org",
        "anna@example.org (x)",
        "<anna@example.org>",
        "anna",
        "@",
        "",
        "änna@example.org",
    ],
)
def test_what_is_not_one_address_is_not_written_to(address: str) -> None:
    letter = letter_to(Audience.CUSTOMER, an(BookingConfirmed, customer=customer()))
    hostile = Letter(**{name: getattr(letter, name) for name in letter.__slots__} | {"recipient": address})

    with pytest.raises(Unaddressable):
        mail(hostile)


@pytest.mark.requirement("notify-safely")
@pytest.mark.parametrize(
    ("address", "written_to"),
    [
        ("anna@bücher.example.org", "anna@xn--bcher-kva.example.org"),
        ("anna@straße.de", "anna@xn--strae-oqa.de"),
        ("anna@βόλος.com", "anna@xn--nxasmm1c.com"),
        ("Anna@Example.ORG", "Anna@example.org"),
    ],
)
def test_mail_and_calendar_go_to_the_domain_that_the_contract_reads(address: str, written_to: str) -> None:
    """ß and ς are letters of a domain's name: ss and σ are in that of somebody else."""
    letter = letter_to(Audience.CUSTOMER, an(BookingConfirmed, customer=customer(email=address)))

    rendered = render(letter, sender="b@example.org", message_id="<1@example.org>", now=NOW, sequence=1)

    message = received(rendered)
    (calendar,) = message.iter_attachments()
    assert rendered.recipient == written_to
    assert message["To"] == f"Anna Arendt <{written_to}>"
    assert f"mailto:{written_to}" in calendar.get_content().replace("\r\n ", "")


@pytest.mark.parametrize("address", ["", "nobody", "a@b@example.org", "änna@example.org", "Bookings <>"])
def test_a_service_that_could_write_to_nobody_does_not_start(address: str) -> None:
    needed = {"database_url": "postgresql://x", "kafka_bootstrap_servers": "x:1", "smtp_host": "x", "smtp_port": 25}
    usual = {"mail_from": "Bookings <b@straße.de>", "admin_email": ADMIN_EMAIL}
    assert Settings.model_validate(needed | usual).mail_from == usual["mail_from"]
    for name in usual:
        with pytest.raises(ValidationError, match="must be an e-mail address"):
            Settings.model_validate(needed | usual | {name: address})


@pytest.mark.requirement("notify-safely")
def test_braces_in_a_value_are_not_filled_in() -> None:
    (first, *_) = _hostile("{deadline} {0.__class__} {{ 7*7 }}")

    assert "{deadline} {0.__class__} {{ 7*7 }}" in text_of(mail(first))


def test_a_message_id_is_kept_however_long() -> None:
    message_id = f"<{'0' * 60}.{'a' * 60}@notifications.example.org>"
    letter = letter_to(Audience.CUSTOMER, an(BookingConfirmed))

    rendered = render(letter, sender="b@example.org", message_id=message_id, now=NOW, sequence=1)

    assert message_id.encode() in rendered.content
    assert received(rendered)["Message-ID"] == message_id


def test_a_reminder_says_how_to_get_no_more() -> None:
    letter = letter_to(Audience.CUSTOMER, an(BookingConfirmed))
    url = "https://example.org/unsubscribe?token=1&who=anna"

    message = mail(letter, unsubscribe_url=url)

    assert message["List-Unsubscribe"] == f"<{url}>"
    assert url in text_of(message)
    assert "token=1&amp;who=anna" in html_of(message)
    assert "List-Unsubscribe" not in mail(letter)
