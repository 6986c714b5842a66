"""Sample events of bookings, for tests of a team's own handlers; every field changeable by name.

    event = booking_event(BookingCompleted, customer=people.customer("parent-7"))
    await publish(broker, event.topic, told(event))

A value that no event can have raises pydantic.ValidationError, and so does a field that the event does not have.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar

from booking_contracts import booking
from booking_contracts.envelope import uuid7
from booking_contracts.testkit.people import customer, customer_actor, euros, starts_at
from booking_contracts.types import Period

EventT = TypeVar("EventT", bound=booking.BookingEvent)

STATES: dict[type[booking.BookingEvent], str] = {
    booking.BookingRequested: "PENDING_APPROVAL",
    booking.BookingPlaced: "PENDING_PAYMENT",
    booking.BookingApproved: "PENDING_PAYMENT",
    booking.BookingRejected: "REJECTED_BY_PROVIDER",
    booking.PaymentRequested: "PENDING_PAYMENT",
    booking.PaymentActionRequired: "PENDING_PAYMENT",
    booking.PaymentFailed: "PAYMENT_FAILED",
    booking.BookingExpired: "EXPIRED",
    booking.BookingCancelled: "CANCELLED_BY_CUSTOMER",
    booking.SessionCompleted: "PENDING_CONFIRMATION",
    booking.BookingCompleted: "COMPLETED",
    booking.DisputeRaised: "DISPUTED",
    booking.DisputeResolved: "RESOLVED_SPLIT",
    booking.LatePaymentReturned: "EXPIRED",
}
"""The booking's state once that has happened; after the other events it is CONFIRMED."""
REASONS = {booking.BookingExpired: "payment", booking.PaymentFailed: "declined"}
"""Where `reason` is one of a few words."""


def booking_event(kind: type[EventT], **changes: object) -> EventT:
    """What happened to the lesson of `sample.place_booking()`, an hour at 45.00 EUR; ids are new on every call."""
    begins = starts_at()
    ends = begins + timedelta(hours=1)
    common: dict[str, object] = {
        "booking_id": uuid7(),
        "state": STATES.get(kind, "CONFIRMED"),
        "offering_id": uuid7(),
        "offering_title": "Piano lesson",
        "provider_id": uuid7(),
        "provider_name": "Studio North",
        "provider_email": "studio@example.com",
        "provider_timezone": "UTC",
        "customer": customer(),
        "seats": 1,
        "starts_at": begins,
        "ends_at": ends,
        "price": euros(4500),
    }
    own: dict[str, object] = {
        "payment_id": uuid7(),
        "attempt": 1,
        "kind": "authenticate",
        "reason": REASONS.get(kind, "Plans changed"),
        "customer_message": "The card was declined.",
        "by": customer_actor(),
        "release": euros(4500),
        "refund": euros(0),
        "kept": euros(4500),
        "amount": euros(4500),
        "note": "Agreed by telephone",
        "step": "capture",
        "problem": "The capture was refused.",
        "from": Period(starts_at=begins, ends_at=ends),
        "to": Period(starts_at=begins + timedelta(days=1), ends_at=ends + timedelta(days=1)),
    }
    names = {field.alias or name for name, field in kind.model_fields.items()}
    defaults = {name: value for name, value in {**common, **own}.items() if name in names}
    return kind.model_validate({**defaults, **changes}, extra="forbid")
