"""What a letter can say: the values of its event, in the recipient's language and zone."""

from __future__ import annotations

from functools import cache

from babel import Locale
from booking_contracts import booking, payments
from booking_contracts.envelope import Event
from booking_contracts.types import Money, Period

from services.notifications.locales import LANGUAGES
from services.notifications.locales.formats import instant, many_lines, money, one_line, period, zone
from services.notifications.locales.language import Language
from services.notifications.model.letters import Audience, Kind, Letter

Fields = dict[str, str | None]

MONEY = ("price", "refund", "kept", "release", "amount")
LINES = {"code": "code", "refund_id": "reference", "dispute_id": "reference"}
PROSE = {"reason": "reason", "note": "note"}
"""What people wrote, in their own language."""

FACTS = ("title", "when", "previous", "provider", "customer", "attendee", "seats", *MONEY, "booking")
"""Fields that every letter lists, in this order, where they are known."""
UNSHOWN: dict[Audience, frozenset[str]] = {
    Audience.CUSTOMER: frozenset({"customer"}),
    Audience.PROVIDER: frozenset({"provider"}),
    Audience.ADMIN: frozenset(),
    Audience.ATTENDEE: frozenset({"attendee", "customer", *MONEY}),
}
"""Facts that a letter to somebody leaves out: their own name; what another one has paid, who is named above."""


def fields_of(letter: Letter, locale: Locale) -> Fields:
    """Every value that a wording may name; None where this event has none."""
    event, about = letter.event, letter.booking
    where = zone(letter.timezone)
    deadline = getattr(event, "deadline", None)
    span, previous = period_of(letter), _previous(letter)
    found: Fields = dict.fromkeys((*FACTS, *LINES.values(), *PROSE.values(), "message", "deadline"))
    if about is not None:
        found |= _parties(about)
    found |= {"name": one_line(letter.name), "booking": _booking_id(event)}
    found |= {name: many_lines(text) or None for name, text in _texts(event, PROSE).items()}
    found |= _in_our_words(event, LANGUAGES[locale.language])
    found |= {name: one_line(text) for name, text in _texts(event, LINES).items()}
    amounts = {**_named(about, MONEY), **_named(event, MONEY)}
    found |= {name: money(value, locale) for name, value in amounts.items() if isinstance(value, Money)}
    found["when"] = period(span, where, locale) if span else None
    found["previous"] = period(previous, where, locale) if previous else None
    found["deadline"] = instant(deadline, where, locale) if deadline else None
    return found


def facts_of(letter: Letter, found: Fields) -> list[tuple[str, str]]:
    """(name, value) pairs for the table below the sentences."""
    return [(name, value) for name in FACTS if (value := found[name]) and name not in UNSHOWN[letter.audience]]


def period_of(letter: Letter) -> Period | None:
    """When the booking takes place, as of this event."""
    if isinstance(letter.event, booking.BookingRescheduled):
        return letter.event.to
    about = letter.booking
    return Period(starts_at=about.starts_at, ends_at=about.ends_at) if about else None


def _previous(letter: Letter) -> Period | None:
    """Where a move came from, told once: a reminder later on names the new time alone."""
    event = letter.event
    return event.from_ if letter.kind is Kind.RESCHEDULED and isinstance(event, booking.BookingRescheduled) else None


def variant_of(event: Event) -> str | None:
    """The detail of an event that may change its wording."""
    match event:
        case booking.BookingPlaced():
            return "hold"
        case booking.PaymentRequested():
            return event.last_error
        case booking.PaymentActionRequired():
            return event.kind
        case booking.PaymentFailed() | booking.BookingExpired() | booking.WaitlistClosed():
            return event.reason
        case booking.BookingCancelled():
            return event.by.kind
        case payments.ChargebackClosed():
            return event.outcome
        case _:
            return None


def _parties(about: booking.BookingEvent | booking.WaitlistEvent) -> Fields:
    attendee = about.attendee if isinstance(about, booking.BookingEvent) else None
    return {
        "title": one_line(about.offering_title),
        "provider": one_line(about.provider_name),
        "customer": one_line(about.customer.name),
        "attendee": one_line(attendee.name) if attendee else None,
        "seats": str(about.seats),
    }


def _in_our_words(event: Event, language: Language) -> Fields:
    """What the event says of its own accord, in the reader's language."""
    match event:
        case booking.PaymentFailed():
            return {"message": language.reason(event.code, event.reason, english=many_lines(event.customer_message))}
        case booking.BookingCancelled(cause=str() as cause):
            return {"reason": language.reason(cause, english=many_lines(event.reason or ""))}
        case _:
            return {}


def _booking_id(event: Event) -> str | None:
    return str(event.booking_id) if isinstance(event, booking.BookingEvent | payments.PaymentEvent) else None


def _texts(event: Event, names: dict[str, str]) -> dict[str, str]:
    """The event's own texts among `names`, under the name that wordings use."""
    found = _named(event, tuple(names))
    return {names[name]: text for name, text in found.items() if isinstance(text, str)}


def _named(event: Event | None, names: tuple[str, ...]) -> dict[str, object]:
    """Those of the `names` that the event has."""
    return {name: getattr(event, name) for name in _its_own(type(event), names)} if event else {}


@cache
def _its_own(kind: type[Event], names: tuple[str, ...]) -> tuple[str, ...]:
    """Asked of a kind once: pydantic takes long to say that an event lacks a field."""
    return tuple(name for name in names if name in kind.model_fields)
