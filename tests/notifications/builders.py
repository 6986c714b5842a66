"""Events of one booking with sensible values, and the letters and mails they lead to."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import TypeVar
from uuid import UUID

from booking_contracts import booking, payments
from booking_contracts.envelope import Event
from booking_contracts.types import Attendee, Customer, Money, Period

from services.notifications.model.letters import Audience, Kind, Letter, letters_for
from services.notifications.rendering import render
from services.notifications.sender import Mail

E = TypeVar("E", bound=Event)

BOOKING_ID = UUID("01890000-0000-7000-8000-000000000001")
CUSTOMER_EMAIL, PROVIDER_EMAIL, ADMIN_EMAIL = "anna@example.org", "paul@example.org", "admin@example.org"
STARTS_AT = datetime(2030, 1, 31, 9, 0, tzinfo=UTC)
NOW = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)

ANNA = Customer(id="anna", name="Anna Arendt", email=CUSTOMER_EMAIL)
TIM = Attendee(id="tim", name="Tim Arendt")


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


_SHARED: dict[str, object] = {
    "booking_id": BOOKING_ID,
    "entry_id": UUID(int=5),
    "payment_id": UUID(int=4),
    "state": "CONFIRMED",
    "offering_id": UUID(int=2),
    "offering_title": "Piano lesson",
    "provider_id": UUID(int=3),
    "provider_name": "Paul Pianist",
    "provider_email": PROVIDER_EMAIL,
    "provider_timezone": "Europe/Berlin",
    "customer": ANNA,
    "seats": 2,
    "starts_at": STARTS_AT,
    "ends_at": STARTS_AT + timedelta(hours=1),
    "price": eur(4500),
    "deadline": datetime(2030, 1, 2, 12, 0, tzinfo=UTC),
    "attempt": 1,
    "name": "Paul Pianist",
    "email": PROVIDER_EMAIL,
    "timezone": "Europe/Berlin",
    "refund_policy": "flexible",
    "title": "Piano lesson",
    "duration_minutes": 60,
    "capacity": 2,
    "approval": False,
    "commission_bps": 0,
    "waitlist": True,
    "weekly": (),
    "exceptions": (),
    "event_id": UUID(int=7),
    "recipient": CUSTOMER_EMAIL,
    "channel": "email",
    "amount": eur(4500),
    "refund": eur(3000),
    "kept": eur(1500),
    "release": eur(1500),
    "commission": eur(0),
    "provider_amount": eur(1500),
    "by": {"kind": "customer", "id": "anna"},
    "reason": "as agreed",
    "note": "Both are half right.",
    "code": "expired_card",
    "refund_id": "re_1",
    "transfer_id": "tr_1",
    "dispute_id": "dp_1",
    "outcome": "lost",
    "via": "refund",
    "position": 1,
    "customer_id": "anna",
    "retryable": True,
    "settlement_id": UUID(int=6),
}
_OWN: dict[type[Event], dict[str, object]] = {
    booking.PaymentActionRequired: {"kind": "authenticate"},
    payments.PaymentActionRequired: {"kind": "authenticate"},
    booking.PaymentFailed: {"reason": "declined", "customer_message": "Your bank said no."},
    booking.BookingExpired: {"reason": "payment"},
    booking.WaitlistClosed: {"reason": None},
    booking.SagaStuck: {"step": "capture", "problem": "no answer"},
    booking.BookingRescheduled: {
        "from": Period(starts_at=STARTS_AT - timedelta(days=1), ends_at=STARTS_AT - timedelta(hours=23)),
        "to": Period(starts_at=STARTS_AT, ends_at=STARTS_AT + timedelta(hours=1)),
    },
}


def an(event: type[E], /, **changes: object) -> E:
    """An event of that type, changed where the test says so."""
    return event.model_validate(_SHARED | _OWN.get(event, {}) | changes)


def customer(**changes: object) -> Customer:
    return Customer.model_validate(ANNA.model_dump() | changes)


def told(event: Event, known: booking.BookingEvent | None = None) -> set[tuple[str, Kind]]:
    """(address, kind) of each letter that an event leads to."""
    return {(letter.recipient, letter.kind) for letter in letters_for(event, ADMIN_EMAIL, known)}


def letter_to(audience: Audience, event: Event, known: booking.BookingEvent | None = None) -> Letter:
    (letter,) = (one for one in letters_for(event, ADMIN_EMAIL, known) if one.audience is audience)
    return letter


def mail(letter: Letter, *, sequence: int = 1, unsubscribe_url: str | None = None) -> EmailMessage:
    """A letter's mail as its recipient's program reads it."""
    rendered = render(
        letter,
        sender="Bookings <bookings@example.org>",
        message_id="<event.anna@example.org>",
        now=NOW,
        sequence=sequence,
        unsubscribe_url=unsubscribe_url,
    )
    return received(rendered)


def received(rendered: Mail) -> EmailMessage:
    """What a mail program makes of it."""
    message = email.message_from_bytes(rendered.content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(message: EmailMessage) -> str:
    return _body(message, "plain")


def html_of(message: EmailMessage) -> str:
    return _body(message, "html")


def _body(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    assert part is not None
    content = part.get_content()
    assert isinstance(content, str)
    return content
