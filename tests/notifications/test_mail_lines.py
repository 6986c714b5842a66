"""Whatever a contract lets people write, the letter about it is one that a strict mail server takes."""

from __future__ import annotations

import asyncio
import base64
import quopri
import re
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from aiosmtpd.smtp import SMTP
from booking_contracts import booking
from booking_contracts.types import Name, Prose, Token
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from deploy.local.mail_message import mail_message
from deploy.local.mail_rules import problem_of
from deploy.local.mailbox import Mailbox, Receiver
from services.notifications.header_values import mailbox, text
from services.notifications.locales.formats import one_line
from services.notifications.model.letters import BY_EVENT, letters_for
from services.notifications.rendering import render
from services.notifications.sender import Faulty, Mail, Sent, SmtpSender
from tests.notifications.builders import ADMIN_EMAIL, NOW, TIM, an, customer

PREFERRED_LINE, LONGEST_ENCODED_LINE, LONGEST_ENCODED_WORD = 78, 76, 75
ENCODED_WORD = re.compile(rb"=\?utf-8\?([bq])\?([^?\s]*)\?=")
LONG_ADDRESS = f"{'a' * 64}@{'.'.join(['b' * 61] * 3)}.de"
NAMES: TypeAdapter[str] = TypeAdapter(Name)
PROSE: TypeAdapter[str] = TypeAdapter(Prose)
TOKENS: TypeAdapter[str] = TypeAdapter(Token)

UNITS = {
    "Devanagari": "क्षत्रिय ",
    "Thai": "สวัสดีครับ",
    "Chinese": "漢字",
    "emoji": "👩‍👩‍👧‍👦",
    "one emoji": "🎹",
    "Hebrew": "שלום ",
    "Arabic": "مرحبا ",
    "Russian": "Привет ",
    "combining marks": "e\N{COMBINING ACUTE ACCENT}",
    "unbroken ASCII": "x",
    "ASCII": "Anna, ",
    "quotes": '"\\',
    "encoded words": "=?utf-8?q?=0D=0ABcc:x?=",
}


def _legal(adapter: TypeAdapter[str]) -> st.SearchStrategy[str]:
    """Texts of a type of the contract: any characters, and the long ones of every script."""

    def is_legal(written: str) -> bool:
        try:
            adapter.validate_python(written)
        except ValidationError:
            return False
        return True

    anything = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
    long = st.builds(lambda unit, times: (unit * times)[:200], st.sampled_from([*UNITS.values()]), st.integers(1, 200))
    return (anything | long).filter(is_legal)


def _mails(title: str, provider: str, name: str, prose: str, tag: str, zone: str = "UTC") -> list[Mail]:
    """Every letter about a booking with these texts."""
    people = {
        "offering_title": title,
        "provider_name": provider,
        "customer": customer(name=name, locale=tag, timezone=zone),
        "attendee": TIM.model_copy(update={"name": name}),
    }
    known = an(booking.BookingConfirmed, **people)
    prose_of = {
        booking.BookingRejected: "reason",
        booking.BookingCancelled: "reason",
        booking.DisputeRaised: "reason",
        booking.DisputeResolved: "note",
        booking.PaymentFailed: "customer_message",
    }
    events = [an(kind, **people, **({prose_of[kind]: prose} if kind in prose_of else {})) for kind in BY_EVENT]
    letters = [letter for event in events for letter in letters_for(event, ADMIN_EMAIL, known)]
    return [
        render(letter, sender="Bookings <b@example.org>", message_id="<1@example.org>", now=NOW, sequence=1)
        for letter in letters
    ]


def _check(mail: Mail) -> None:
    assert problem_of(mail.content) is None
    lines = mail.content.split(b"\r\n")
    assert max(map(len, lines)) <= PREFERRED_LINE
    header, body = lines[: lines.index(b"")], lines[lines.index(b"") :]
    assert max(map(len, body)) <= LONGEST_ENCODED_LINE  # RFC 2045, 6.7 and 6.8
    for line in header:
        for word in ENCODED_WORD.finditer(line):
            assert len(word[0]) <= LONGEST_ENCODED_WORD
            octets = base64.b64decode(word[2]) if word[1] == b"b" else quopri.decodestring(word[2], header=True)
            octets.decode()  # each word on its own: none ends within a character


@pytest.mark.requirement("notify-safely", "notify-people")
@settings(max_examples=15, deadline=None)  # each is of some forty mails
@given(
    _legal(NAMES),
    _legal(NAMES),
    _legal(NAMES),
    _legal(PROSE),
    st.sampled_from(["en", "de", "ar"]) | _legal(TOKENS),
    _legal(TOKENS),
)
@example("क" * 160, "क" * 90, "🎹" * 200, "漢" * 2000, "de", "Asia/Kolkata")
@example("x" * 200, "x" * 200, "x" * 200, "x" * 2000, "en", "America/Argentina/ComodRivadavia")
@example("x", "x", "x", "\n".join(f"{'x' * length} " for length in range(20, 80)), "en", "UTC")
def test_every_letter_goes_over_the_wire_in_short_lines(
    title: str, provider: str, name: str, prose: str, tag: str, zone: str
) -> None:
    for mail in _mails(title, provider, name, prose, tag, zone):
        _check(mail)


@pytest.mark.requirement("notify-safely", "notify-people")
@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS.keys())
def test_names_and_titles_of_every_script_are_read_as_they_were_written(unit: str) -> None:
    longest = (unit * 200)[:120].strip()
    event = an(booking.BookingConfirmed, offering_title=longest, customer=customer(name=longest))
    (letter, _) = letters_for(event, ADMIN_EMAIL)
    mail = render(letter, sender=mailbox("From", longest, "b@example.org"), message_id="<1@x.org>", now=NOW, sequence=1)

    shown = mail_message(mail.content, mail.sender, [mail.recipient])

    _check(mail)
    assert shown["subject"] == f"Confirmed: {one_line(longest)}"
    assert shown["to"] == letter.recipient
    name, address = parseaddr(message_from_bytes(mail.content)["To"].replace("\r\n", ""))
    assert (str(make_header(decode_header(name))), address) == (one_line(longest), letter.recipient)


@pytest.mark.requirement("notify-people")
def test_the_mailbox_shows_the_invitation_as_a_form_of_the_letter_and_as_its_one_file() -> None:
    (letter, _) = letters_for(an(booking.BookingConfirmed), ADMIN_EMAIL)
    mail = render(letter, sender="b@example.org", message_id="<1@x.org>", now=NOW, sequence=1)

    shown = mail_message(mail.content, mail.sender, [mail.recipient])

    (file,) = shown["attachments"]
    assert (file["filename"], file["content_type"]) == ("invite.ics", "text/calendar")
    assert shown["calendar"] == file["content"]


@pytest.mark.requirement("notify-safely")
@given(st.text(st.characters(exclude_categories=[]), max_size=400), st.sampled_from(["b@example.org", LONG_ADDRESS]))
def test_no_text_at_all_makes_a_line_too_long_or_one_more(written: str, address: str) -> None:
    """Not even one that the contract refuses."""
    for header, value in (("Subject", text("Subject", written)), ("To", mailbox("To", written, address))):
        first, *more = f"{header}: {value}".split("\n")
        assert all(line.startswith(" ") for line in more)
        for line in (first, *more):
            assert line.isascii()
            assert line.isprintable()
            assert len(line) <= PREFERRED_LINE or line == f" <{address}>" or value == address


@pytest.mark.requirement("notify-people")
async def test_the_mailbox_refuses_what_a_strict_server_refuses_and_takes_our_longest_letter() -> None:
    mailbox_ = Mailbox()
    head = b"From: b@example.org\r\nSubject: "
    refused = {
        head + b"x" * 990 + b"\r\n\r\nHello\r\n": "500",
        head + b"x\r\n\r\n" + b"x" * 999 + b"\r\n": "500",
        head + "ü".encode() + b"\r\n\r\nHello\r\n": "554",
        head + b"x\x00\r\n\r\nHello\r\n": "554",
        head + b"x\r\nno field\r\n\r\nHello\r\n": "554",
        head + b"x\r\n \r\n\r\nHello\r\n": "554",
    }
    longest = "क" * 200
    taken = [mail.content for mail in _mails(longest, longest, longest, longest, "de")]
    taken.append(head + b"x\r\n\r\n" + b"x" * 998 + b"\r\n")

    server = await asyncio.get_running_loop().create_server(lambda: SMTP(Receiver(mailbox_)), "127.0.0.1", 0)
    async with server:
        smtp = SmtpSender(host="127.0.0.1", port=server.sockets[0].getsockname()[1], local_hostname="client")
        for content, code in refused.items():
            outcome = await smtp.send(Mail("b@example.org", "a@example.org", content))
            assert isinstance(outcome, Faulty)
            assert outcome.reason.startswith(code)
        for content in taken:
            assert await smtp.send(Mail("b@example.org", "a@example.org", content)) == Sent()
    assert len(mailbox_.messages) == len(taken)
