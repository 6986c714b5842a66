"""The calendar entry of a booking (RFC 5545, RFC 5546): asked for, moved, called off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from booking_contracts import booking
from icalendar import Calendar, Event, vCalAddress

from services.notifications.locales.fields import period_of
from services.notifications.locales.formats import one_line
from services.notifications.model.letters import Kind, Letter

Method = Literal["REQUEST", "CANCEL"]

METHODS: dict[Kind, Method] = {
    Kind.CONFIRMED: "REQUEST",
    Kind.RESCHEDULED: "REQUEST",
    Kind.CANCELLED: "CANCEL",
    Kind.CAPTURE_FAILED: "CANCEL",
}


@dataclass(frozen=True, slots=True)
class Invite:
    method: Method
    content: bytes


def invite_for(letter: Letter, *, organizer: str, sequence: int, now: datetime) -> Invite | None:
    """The calendar entry that goes with a letter, if one does.

    `sequence` is the event's ce_sequence: it rises with each change of a booking, which is all that
    RFC 5545 (3.8.7.4) asks of SEQUENCE. The UID is the booking's and never changes.
    """
    method, about = METHODS.get(letter.kind), letter.booking
    if method is None or not isinstance(about, booking.BookingEvent) or not _has_been_sent_one(letter):
        return None
    calendar = Calendar()
    calendar.add("prodid", "-//booking//notifications//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    entry = _entry(letter, about, organizer)
    entry.add("dtstamp", now.astimezone(UTC))
    entry.add("sequence", sequence)
    entry.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    calendar.add_component(entry)
    return Invite(method, calendar.to_ical())


def _has_been_sent_one(letter: Letter) -> bool:
    """A booking cancelled before it was confirmed stands in no calendar; only a paid one was confirmed."""
    event = letter.event
    return not isinstance(event, booking.BookingCancelled) or event.refund.amount + event.kept.amount > 0


def _entry(letter: Letter, about: booking.BookingEvent, organizer: str) -> Event:
    entry, span = Event(), period_of(letter)
    assert span is not None, "a booking always has a time"
    attendee = one_line((about.attendee or about.customer).name)
    title, provider = one_line(about.offering_title), one_line(about.provider_name)
    entry.add("uid", f"{about.booking_id}@booking")
    entry.add("summary", f"{title} – {attendee}")
    entry.add("description", f"{title}\n{provider}\n{attendee}\n{about.booking_id}")
    entry.add("dtstart", span.starts_at)
    entry.add("dtend", span.ends_at)
    entry.add("organizer", _person(organizer, provider))
    entry.add("attendee", _person(letter.recipient, one_line(letter.name)))
    return entry


def _person(address: str, name: str) -> vCalAddress:
    person = vCalAddress(f"mailto:{one_line(address)}")
    person.params["CN"] = name
    return person
