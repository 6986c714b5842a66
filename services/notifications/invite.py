"""The calendar entry of a booking (RFC 5545, RFC 5546): asked for, moved, called off."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote

from booking_contracts import booking

from services.notifications.locales.fields import period_of
from services.notifications.locales.formats import one_line
from services.notifications.model.letters import Kind, Letter, never_confirmed

Method = Literal["REQUEST", "CANCEL"]

METHODS: dict[Kind, Method] = {
    Kind.CONFIRMED: "REQUEST",
    Kind.RESCHEDULED: "REQUEST",
    Kind.CANCELLED: "CANCEL",
    Kind.CAPTURE_FAILED: "CANCEL",
}


_ANSWERED = "CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALSE"
"""Who is told comes (RFC 5545, 3.2.12 and 3.2.17): a booking is cancelled with us. An answer out of a calendar would go
to an address that nobody reads, and who sent it would think that the booking is off."""


@dataclass(frozen=True, slots=True)
class Invite:
    """What goes with a letter twice: as the form of it that calendars act on, and as a file."""

    method: Method
    content: bytes


def invite_for(letter: Letter, *, organizer: str, sequence: int, now: datetime) -> Invite | None:
    """The calendar entry that goes with a letter, if one does.

    `sequence` is the event's ce_sequence: it rises with each change of a booking, which is all that
    RFC 5545 (3.8.7.4) asks of SEQUENCE. The UID is the booking's and never changes. `organizer` and the letter's
    recipient are `reachable`.
    """
    method, about = METHODS.get(letter.kind), letter.booking
    if method is None or not isinstance(about, booking.BookingEvent) or never_confirmed(letter.event):
        return None
    return Invite(method, _folded(_calendar(letter, about, method, organizer, sequence, now)))


def _calendar(
    letter: Letter, about: booking.BookingEvent, method: Method, organizer: str, sequence: int, now: datetime
) -> str:
    span, attendee = period_of(letter), one_line((about.attendee or about.customer).name)
    assert span is not None, "a booking always has a time"
    title, provider = one_line(about.offering_title), one_line(about.provider_name)
    return f"""\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//booking//notifications//EN
METHOD:{method}
BEGIN:VEVENT
UID:{about.booking_id}@booking
SEQUENCE:{sequence}
STATUS:{"CANCELLED" if method == "CANCEL" else "CONFIRMED"}
DTSTAMP:{_utc(now)}
DTSTART:{_utc(span.starts_at)}
DTEND:{_utc(span.ends_at)}
SUMMARY:{_text(f"{title} – {attendee}")}
DESCRIPTION:{_text(title)}\\n{_text(provider)}\\n{_text(attendee)}\\n{about.booking_id}
ORGANIZER;CN={_quoted(provider)}:{_mailto(organizer)}
ATTENDEE;{_ANSWERED};CN={_quoted(one_line(letter.name))}:{_mailto(letter.recipient)}
END:VEVENT
END:VCALENDAR
"""


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _mailto(address: str) -> str:
    """What means something else in a URI, and may stand before an @, is escaped (RFC 6068)."""
    return f"mailto:{quote(address, safe='@+')}"


def _text(line: str) -> str:
    """One line of a TEXT (RFC 5545, 3.3.11)."""
    return re.sub(r"[\\;,]", r"\\\g<0>", line)


def _quoted(line: str) -> str:
    """The value of a parameter (RFC 5545, 3.2; RFC 6868)."""
    return '"{}"'.format(line.replace("^", "^^").replace('"', "^'"))


_TOO_LONG = re.compile(rb"(?=[^\n]{75})[^\n]{1,74}(?<![\\^])(?![\x80-\xbf])")
"""The octets of a long line that stay on it: none splits a character, or an escape, which some programs ask for."""


def _folded(calendar: str) -> bytes:
    """Lines of at most 75 octets, which end with CRLF (RFC 5545, 3.1); only of escapes alone are there longer ones."""
    return _TOO_LONG.sub(rb"\g<0>\n ", calendar.encode()).replace(b"\n", b"\r\n")
