"""The calendar entry follows its booking: asked for, moved, called off (RFC 5545, RFC 5546)."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.message import EmailMessage
from itertools import pairwise

import pytest
import vobject
from booking_contracts import booking
from booking_contracts.booking import BookingConfirmed
from icalendar import Calendar

from services.notifications.model.letters import BY_EVENT, Audience, letters_for
from tests.notifications.builders import (
    ADMIN_EMAIL,
    BOOKING_ID,
    CUSTOMER_EMAIL,
    PROVIDER_EMAIL,
    STARTS_AT,
    TIM,
    an,
    customer,
    eur,
    letter_to,
    mail,
)

CUSTOMER, PROVIDER, *_ = Audience
BOTH = pytest.mark.parametrize("audience", [CUSTOMER, PROVIDER])


def _attachment(message: EmailMessage) -> EmailMessage | None:
    found = list(message.iter_attachments())
    assert len(found) <= 1
    return found[0] if found else None


def _content(message: EmailMessage) -> bytes:
    attachment = _attachment(message)
    assert attachment is not None
    content = attachment.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def _calendar(message: EmailMessage) -> Calendar:
    attachment = _attachment(message)
    assert attachment is not None
    assert attachment.get_content_type() == "text/calendar"
    assert attachment.get_filename() == "invite.ics"
    calendar = Calendar.from_ical(_content(message))
    assert attachment["Content-Type"].params["method"] == calendar["METHOD"]
    return calendar


@pytest.mark.requirement("notify-people")
@BOTH
def test_a_confirmation_asks_for_the_entry(audience: Audience) -> None:
    calendar = _calendar(mail(letter_to(audience, an(BookingConfirmed)), sequence=2))

    (entry,) = calendar.walk("VEVENT")
    assert calendar["METHOD"] == "REQUEST"
    assert entry["UID"] == f"{BOOKING_ID}@booking"
    assert entry["SEQUENCE"] == 2
    assert entry["STATUS"] == "CONFIRMED"
    assert entry["DTSTART"].dt == STARTS_AT
    assert entry["DTEND"].dt == STARTS_AT + timedelta(hours=1)
    assert entry["ORGANIZER"] == "mailto:bookings@example.org"
    assert entry["ATTENDEE"] == f"mailto:{CUSTOMER_EMAIL if audience is CUSTOMER else PROVIDER_EMAIL}"
    answered = {name: entry["ATTENDEE"].params[name] for name in ("ROLE", "PARTSTAT", "RSVP")}
    assert answered == {"ROLE": "REQ-PARTICIPANT", "PARTSTAT": "ACCEPTED", "RSVP": "FALSE"}


INVITATIONS = [
    (an(BookingConfirmed), "REQUEST"),
    (an(booking.BookingRescheduled), "REQUEST"),
    (an(booking.BookingCancelled), "CANCEL"),
    (an(booking.PaymentFailed, reason="capture_failed"), "CANCEL"),
]


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize(("event", "method"), INVITATIONS)
def test_mail_programs_find_the_invitation_among_the_forms_of_the_letter(
    event: booking.BookingEvent, method: str
) -> None:
    """Outlook and Gmail look there, and for the method in the part's own header (RFC 6047, 2.4); others at the file."""
    message = mail(letter_to(CUSTOMER, event))

    letter, _ = message.iter_parts()
    assert message.get_content_type() == "multipart/mixed"
    assert letter.get_content_type() == "multipart/alternative"
    forms = list(letter.iter_parts())
    assert [form.get_content_type() for form in forms] == ["text/plain", "text/html", "text/calendar"]
    assert forms[2]["Content-Type"].params["method"] == method
    assert forms[2]["Content-Disposition"] is None
    assert forms[2].get_payload(decode=True) == _content(message)


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize(("event", "method"), INVITATIONS)
def test_another_parser_reads_the_same_invitation(event: booking.BookingEvent, method: str) -> None:
    """Two libraries that share no code: icalendar in the other tests, vobject here."""
    calendar = vobject.readOne(_content(mail(letter_to(CUSTOMER, event), sequence=7)).decode())

    entry = calendar.vevent
    assert (calendar.method.value, entry.sequence.value) == (method, "7")
    assert entry.uid.value == f"{BOOKING_ID}@booking"
    assert (entry.dtstart.value, entry.dtend.value) == (STARTS_AT, STARTS_AT + timedelta(hours=1))
    assert (entry.organizer.value, entry.organizer.params["CN"]) == ("mailto:bookings@example.org", ["Paul Pianist"])
    assert entry.attendee.value == f"mailto:{CUSTOMER_EMAIL}"
    assert entry.attendee.params == {
        "CUTYPE": ["INDIVIDUAL"],
        "ROLE": ["REQ-PARTICIPANT"],
        "PARTSTAT": ["ACCEPTED"],
        "RSVP": ["FALSE"],
        "CN": ["Anna Arendt"],
    }


@pytest.mark.requirement("notify-people")
@BOTH
def test_a_move_updates_the_same_entry(audience: Audience) -> None:
    later = STARTS_AT + timedelta(days=7)
    moved = an(booking.BookingRescheduled, to={"starts_at": later, "ends_at": later + timedelta(hours=1)})

    calendar = _calendar(mail(letter_to(audience, moved), sequence=3))

    (entry,) = calendar.walk("VEVENT")
    start: datetime = entry["DTSTART"].dt
    assert (calendar["METHOD"], entry["SEQUENCE"], start) == ("REQUEST", 3, later)
    assert entry["UID"] == f"{BOOKING_ID}@booking"


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize("event", [an(booking.BookingCancelled), an(booking.PaymentFailed, reason="capture_failed")])
@BOTH
def test_the_end_of_a_confirmed_booking_calls_the_entry_off(event: booking.BookingEvent, audience: Audience) -> None:
    calendar = _calendar(mail(letter_to(audience, event), sequence=4))

    (entry,) = calendar.walk("VEVENT")
    assert (calendar["METHOD"], entry["SEQUENCE"], entry["STATUS"]) == ("CANCEL", 4, "CANCELLED")
    assert entry["UID"] == f"{BOOKING_ID}@booking"


def test_a_booking_cancelled_before_it_was_confirmed_has_no_entry_to_call_off() -> None:
    event = an(booking.BookingCancelled, refund=eur(0), kept=eur(0))

    assert _attachment(mail(letter_to(CUSTOMER, event))) is None


def test_other_letters_carry_no_entry() -> None:
    with_entry = {BookingConfirmed, booking.BookingRescheduled, booking.BookingCancelled}
    for kind in BY_EVENT.keys() - with_entry:
        if issubclass(kind, booking.BookingEvent):
            for letter in letters_for(an(kind), ADMIN_EMAIL):
                assert _attachment(mail(letter)) is None


def test_the_attendee_is_named() -> None:
    (entry,) = _calendar(mail(letter_to(PROVIDER, an(BookingConfirmed, attendee=TIM)))).walk("VEVENT")

    assert entry["SUMMARY"] == "Piano lesson – Tim Arendt"


@pytest.mark.requirement("notify-safely")
def test_a_value_can_not_add_a_line_to_the_entry() -> None:
    hostile = 'Eve";X=1:mailto:e\r\nATTENDEE:mailto:victim@example.org\r\nEND:VEVENT'
    event = an(BookingConfirmed, offering_title=hostile, provider_name=hostile).model_copy(
        update={"customer": customer().model_copy(update={"name": hostile})}
    )

    calendar = _calendar(mail(letter_to(CUSTOMER, event)))

    (entry,) = calendar.walk("VEVENT")
    assert entry["ATTENDEE"] == f"mailto:{CUSTOMER_EMAIL}"
    assert entry["UID"] == f"{BOOKING_ID}@booking"


WRITTEN = ['a, b; c: "d" ^e^ \\', "it's", "क" * 150, "🎹" * 199, "x" * 200, ",;" * 100, "^" * 36, '"' * 30]


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize("written", WRITTEN)
def test_names_and_titles_are_read_as_they_were_written(written: str) -> None:
    event = an(BookingConfirmed, offering_title=written, provider_name=written, customer=customer(name=written))

    (entry,) = _calendar(mail(letter_to(CUSTOMER, event))).walk("VEVENT")

    assert entry["SUMMARY"] == f"{written} – {written}"
    assert entry["DESCRIPTION"] == "\n".join((written, written, written, str(BOOKING_ID)))
    for role, address in (("ORGANIZER", "bookings@example.org"), ("ATTENDEE", CUSTOMER_EMAIL)):
        assert (entry[role], entry[role].params["CN"]) == (f"mailto:{address}", written)


@pytest.mark.requirement("notify-people")
def test_an_address_is_the_same_as_a_uri() -> None:
    """A calendar finds its owner among the attendees by it."""
    event = an(BookingConfirmed, customer=customer(email="a%41?to=b&c#d+e@example.org"))

    (entry,) = _calendar(mail(letter_to(CUSTOMER, event))).walk("VEVENT")

    assert entry["ATTENDEE"] == "mailto:a%2541%3Fto%3Db%26c%23d+e@example.org"


@pytest.mark.requirement("notify-people")
def test_a_backslash_before_an_n_is_no_line_break() -> None:
    """Read by hand: the library that reads the others takes it for one."""
    content = _content(mail(letter_to(CUSTOMER, an(BookingConfirmed, offering_title=r"C:\New\notes"))))

    assert rb"SUMMARY:C:\\New\\notes " in content


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize("written", ["Piano lesson", *WRITTEN])
def test_lines_are_as_rfc_5545_asks(written: str) -> None:
    event = an(BookingConfirmed, offering_title=written, customer=customer(name=written))

    content = _content(mail(letter_to(CUSTOMER, event)))

    lines = content.split(b"\r\n")
    assert content.count(b"\r\n") == content.count(b"\n") > 10
    assert max(map(len, lines)) <= 75
    for line, following in pairwise(lines):
        line.decode()  # none ends within a character
        assert not (following.startswith(b" ") and line.endswith((b"\\", b"^")))
