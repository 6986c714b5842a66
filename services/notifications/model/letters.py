"""Which people are told of which event (requirement notify-people; rules.md, People)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from booking_contracts import booking, payments
from booking_contracts.booking import BookingEvent, WaitlistEvent
from booking_contracts.envelope import Event


class Audience(StrEnum):
    CUSTOMER = "customer"
    PROVIDER = "provider"
    ADMIN = "admin"


class Kind(StrEnum):
    """What a letter says; each has its wording in `locales`."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    PAYMENT_NEEDED = "payment_needed"
    ACTION_REQUIRED = "action_required"
    CONFIRMED = "confirmed"
    PAYMENT_FAILED = "payment_failed"
    CAPTURE_FAILED = "capture_failed"
    EXPIRED = "expired"
    RESCHEDULED = "rescheduled"
    CANCELLED = "cancelled"
    WAITLIST_OFFER = "waitlist_offer"
    REMINDER = "reminder"
    SESSION_COMPLETED = "session_completed"
    COMPLETED = "completed"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_STILL_OPEN = "dispute_still_open"
    DISPUTE_RESOLVED = "dispute_resolved"
    LATE_PAYMENT_RETURNED = "late_payment_returned"
    REFUND_FAILED = "refund_failed"
    PAYOUT_FAILED = "payout_failed"
    CHARGEBACK_OPENED = "chargeback_opened"
    CHARGEBACK_CLOSED = "chargeback_closed"
    SAGA_STUCK = "saga_stuck"


CUSTOMER, PROVIDER, ADMIN = Audience.CUSTOMER, Audience.PROVIDER, Audience.ADMIN
Row = tuple[Kind, tuple[Audience, ...]]

BY_EVENT: dict[type[Event], Row] = {
    booking.BookingRequested: (Kind.REQUESTED, (CUSTOMER, PROVIDER)),
    booking.BookingPlaced: (Kind.PAYMENT_NEEDED, (CUSTOMER,)),
    booking.BookingApproved: (Kind.APPROVED, (CUSTOMER, PROVIDER)),
    booking.BookingRejected: (Kind.REJECTED, (CUSTOMER, PROVIDER)),
    booking.PaymentRequested: (Kind.PAYMENT_NEEDED, (CUSTOMER, PROVIDER)),
    booking.PaymentActionRequired: (Kind.ACTION_REQUIRED, (CUSTOMER,)),
    booking.BookingConfirmed: (Kind.CONFIRMED, (CUSTOMER, PROVIDER)),
    booking.PaymentFailed: (Kind.PAYMENT_FAILED, (CUSTOMER,)),  # but see AFTER_CONFIRMATION
    booking.BookingExpired: (Kind.EXPIRED, (CUSTOMER, PROVIDER)),
    booking.BookingCancelled: (Kind.CANCELLED, (CUSTOMER, PROVIDER)),
    booking.BookingRescheduled: (Kind.RESCHEDULED, (CUSTOMER, PROVIDER)),
    booking.SessionCompleted: (Kind.SESSION_COMPLETED, (CUSTOMER,)),
    booking.BookingCompleted: (Kind.COMPLETED, (CUSTOMER, PROVIDER)),
    booking.DisputeRaised: (Kind.DISPUTE_OPENED, (CUSTOMER, PROVIDER, ADMIN)),
    booking.DisputeResolved: (Kind.DISPUTE_RESOLVED, (CUSTOMER, PROVIDER, ADMIN)),
    booking.LatePaymentReturned: (Kind.LATE_PAYMENT_RETURNED, (CUSTOMER,)),
    booking.SagaStuck: (Kind.SAGA_STUCK, (ADMIN,)),
    booking.WaitlistOffered: (Kind.WAITLIST_OFFER, (CUSTOMER,)),
    payments.RefundFailed: (Kind.REFUND_FAILED, (CUSTOMER, PROVIDER, ADMIN)),
    payments.PayoutFailed: (Kind.PAYOUT_FAILED, (ADMIN,)),
    payments.ChargebackOpened: (Kind.CHARGEBACK_OPENED, (ADMIN,)),
    payments.ChargebackClosed: (Kind.CHARGEBACK_CLOSED, (ADMIN,)),
}
AFTER_CONFIRMATION: Row = (Kind.CAPTURE_FAILED, (CUSTOMER, PROVIDER))
"""PaymentFailed with `capture_failed`: it had been confirmed, so the provider was counting on it."""

SILENT: frozenset[type[Event]] = frozenset(
    {
        booking.WaitlistJoined,  # the reply said so
        booking.WaitlistOfferExpired,
        booking.WaitlistAccepted,  # the booking's own events tell
        booking.WaitlistLeft,
        booking.WaitlistClosed,
        payments.PaymentAuthorized,  # from here on booking's events tell
        payments.PaymentActionRequired,
        payments.PaymentDeclined,
        payments.PaymentCaptured,
        payments.CaptureFailed,
        payments.PaymentVoided,
        payments.PaymentSettled,
        payments.RefundSucceeded,
        payments.PayoutPaid,
        payments.WalletToppedUp,  # no address is known; the wallet reply said so
        payments.WalletWithdrawn,
    }
)
"""Events that nobody is told of. Every event stands here or in BY_EVENT; a test compares."""

BY_OCCASION: dict[Kind, tuple[str | None, tuple[Audience, ...]]] = {
    Kind.REMINDER: ("CONFIRMED", (CUSTOMER, PROVIDER)),
    Kind.DISPUTE_STILL_OPEN: ("DISPUTED", (ADMIN,)),
}
"""Letters that no event asks for (timers, alerts): the state the booking has to be in, and who is told."""

REMIND_BEFORE = (timedelta(hours=24), timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class Letter:
    """One thing to tell one person. `booking` is what is known of the booking, if anything is."""

    kind: Kind
    audience: Audience
    recipient: str
    name: str
    locale: str
    timezone: str
    event: Event
    booking: BookingEvent | WaitlistEvent | None


def letters_for(event: Event, admin_email: str, known: BookingEvent | None = None) -> tuple[Letter, ...]:
    """Who is told of `event`. Events of payments name no person: `known`, the last event seen of their
    booking, does; without it the admin alone is told. An address is never written to twice of one event.
    """
    row = _row(event)
    if row is None:
        return ()
    kind, audiences = row
    about = event if isinstance(event, BookingEvent | WaitlistEvent) else known
    return _letters(kind, audiences, event, about, admin_email)


def letters_on(kind: Kind, known: BookingEvent, admin_email: str) -> tuple[Letter, ...]:
    """Who is told on an occasion of BY_OCCASION, given the last event of the booking.

    Nobody, when the booking is not in the state for it: no reminder of a dead booking.
    """
    state, audiences = BY_OCCASION[kind]
    if state is not None and known.state != state:
        return ()
    return _letters(kind, audiences, known, known, admin_email)


def reminder_times(starts_at: datetime, booked_at: datetime) -> tuple[datetime, ...]:
    """When to remind, earliest first; a time that had passed when it was booked is skipped."""
    times = (starts_at - before for before in REMIND_BEFORE)
    return tuple(time for time in times if time > booked_at)


def _row(event: Event) -> Row | None:
    if isinstance(event, booking.PaymentFailed) and event.reason == "capture_failed":
        return AFTER_CONFIRMATION
    return BY_EVENT.get(type(event))


def _letters(
    kind: Kind,
    audiences: Iterable[Audience],
    event: Event,
    about: BookingEvent | WaitlistEvent | None,
    admin_email: str,
) -> tuple[Letter, ...]:
    by_address: dict[str, Letter] = {}
    for audience in audiences:
        if reached := _reach(audience, about, admin_email):
            recipient, name, locale, timezone = reached
            letter = Letter(kind, audience, recipient, name, locale, timezone, event, about)
            by_address.setdefault(recipient.casefold(), letter)
    return tuple(by_address.values())


def _reach(
    audience: Audience, about: BookingEvent | WaitlistEvent | None, admin_email: str
) -> tuple[str, str, str, str] | None:
    """(address, name, locale, time zone), or None where this person is not known."""
    if audience is ADMIN:
        return (admin_email, "Admin", "en", "UTC") if admin_email else None
    if about is None:
        return None
    provider_zone = about.provider_timezone if isinstance(about, BookingEvent) else ""
    if audience is CUSTOMER:
        person = about.customer
        return (person.email, person.name, person.locale or "en", person.timezone or provider_zone or "UTC")
    if not isinstance(about, BookingEvent):
        return None
    return (about.provider_email, about.provider_name, "en", provider_zone or "UTC")
