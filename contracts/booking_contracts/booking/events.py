"""What happens to bookings and waitlist entries (contract.md, Events of booking)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from booking_contracts.envelope import Event
from booking_contracts.types import REMINDER_MINUTES, Actor, Attendee, Customer, EventInstant, Id, Money, Period


class BookingEvent(Event, domain="booking", topic="booking.events", key="booking_id"):
    """A fact about a booking, with what a consumer needs so that it never has to call back."""

    booking_id: Id
    state: str
    offering_id: Id
    offering_title: str
    provider_id: Id
    provider_name: str
    provider_email: str
    provider_timezone: str
    customer: Customer
    attendee: Attendee | None = None
    seats: int
    starts_at: EventInstant
    ends_at: EventInstant
    price: Money
    deadline: EventInstant | None = None


class BookingRequested(BookingEvent):
    """Approval is asked; the seats are held until `deadline`."""


class BookingPlaced(BookingEvent):
    """The seats are held until `deadline`; payment starts, or PayBooking is awaited."""


class BookingApproved(BookingEvent):
    """The provider approved; payment is due by `deadline`."""


class BookingRejected(BookingEvent):
    reason: str | None = None


class PaymentRequested(BookingEvent):
    """A try to pay failed and the booking can be paid again until `deadline`."""

    attempt: int
    last_error: str | None = None


class PaymentActionRequired(BookingEvent):
    """The customer has to act; the client secret is read over HTTP."""

    kind: Literal["authenticate", "payment_method"]
    payment_id: Id
    attempt: int


class BookingConfirmed(BookingEvent):
    """`reminder_minutes`: how long before the start people are to be reminded."""

    payment_id: Id
    reminder_minutes: tuple[int, ...] = REMINDER_MINUTES


class PaymentFailed(BookingEvent):
    """The booking ended unpaid and its seats are free again.

    `customer_message` is English; other languages word it by `code`, or by `reason` where that says no more.
    """

    reason: Literal["declined", "INSUFFICIENT_FUNDS", "abandoned", "superseded", "action_failed", "capture_failed"]
    customer_message: str
    code: str | None = None
    """PaymentDeclined.code, where a try was declined."""


class BookingExpired(BookingEvent):
    reason: Literal["approval", "payment"]


class BookingCancelled(BookingEvent):
    """`reason` is what somebody wrote, in their language; where `cause` is told it is ours, in English."""

    by: Actor
    reason: str | None = None
    cause: Literal["slot_closed"] | None = None
    refund: Money
    kept: Money


class BookingRescheduled(BookingEvent):
    by: Actor
    from_: Period = Field(alias="from")
    to: Period
    reminder_minutes: tuple[int, ...] = REMINDER_MINUTES


class SessionCompleted(BookingEvent):
    """The session is over; the customer can confirm or dispute until `deadline`."""

    by: Actor


class BookingCompleted(BookingEvent):
    """The money is released to the provider."""

    release: Money


class DisputeRaised(BookingEvent):
    by: Actor
    reason: str


class DisputeResolved(BookingEvent):
    refund: Money
    release: Money
    note: str


class LatePaymentReturned(BookingEvent):
    """Money that arrived after the booking had ended goes back to the customer."""

    amount: Money


class SagaStuck(BookingEvent):
    """Nothing automatic helps any more: an operator has to look (`bookingctl saga show`)."""

    step: str
    problem: str


# ── Waitlist ───────────────────────────────────────────────────────────────────────────────────────


class WaitlistEvent(Event, domain="booking", topic="booking.events", key="entry_id"):
    """A fact about a waitlist entry."""

    entry_id: Id
    state: str
    offering_id: Id
    offering_title: str
    provider_id: Id
    provider_name: str
    provider_timezone: str | None = None
    """Where it takes place: the zone of times for a customer who names none."""
    customer: Customer
    seats: int
    starts_at: EventInstant
    ends_at: EventInstant


class WaitlistJoined(WaitlistEvent):
    position: int


class WaitlistOffered(WaitlistEvent):
    deadline: EventInstant


class WaitlistOfferExpired(WaitlistEvent):
    pass


class WaitlistAccepted(WaitlistEvent):
    booking_id: Id


class WaitlistLeft(WaitlistEvent):
    pass


class WaitlistClosed(WaitlistEvent):
    """Waiting, or an offer, has ended: the time is `not_offered` any more, or its `line_over`, nothing having become
    free before the minimum notice began."""

    reason: Literal["not_offered", "line_over"] | None = None
