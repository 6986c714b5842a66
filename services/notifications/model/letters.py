"""Which people are told of which event (requirement notify-people; rules.md, People)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from booking_contracts import booking, notifications, payments
from booking_contracts.booking import BookingEvent, WaitlistEvent
from booking_contracts.envelope import Event

from services.notifications.model.addresses import mailbox


class Audience(StrEnum):
    CUSTOMER = "customer"
    PROVIDER = "provider"
    ADMIN = "admin"
    ATTENDEE = "attendee"
    """Who comes, where it is not who pays and an address of theirs is known."""


class Kind(StrEnum):
    """What a letter says; each has its wording in `locales`."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    SEATS_HELD = "seats_held"
    PAYMENT_NEEDED = "payment_needed"
    ACTION_REQUIRED = "action_required"
    CONFIRMED = "confirmed"
    PAYMENT_FAILED = "payment_failed"
    CAPTURE_FAILED = "capture_failed"
    EXPIRED = "expired"
    RESCHEDULED = "rescheduled"
    CANCELLED = "cancelled"
    WAITLIST_OFFER = "waitlist_offer"
    WAITLIST_OFFER_EXPIRED = "waitlist_offer_expired"
    WAITLIST_CLOSED = "waitlist_closed"
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


CUSTOMER, PROVIDER, ADMIN, ATTENDEE = Audience
Row = tuple[Kind, tuple[Audience, ...]]

BY_EVENT: dict[type[Event], Row] = {
    booking.BookingRequested: (Kind.REQUESTED, (PROVIDER, CUSTOMER)),
    booking.BookingApproved: (Kind.APPROVED, (CUSTOMER, PROVIDER)),
    booking.BookingRejected: (Kind.REJECTED, (CUSTOMER, PROVIDER)),
    booking.PaymentRequested: (Kind.PAYMENT_NEEDED, (CUSTOMER, PROVIDER)),
    booking.PaymentActionRequired: (Kind.ACTION_REQUIRED, (CUSTOMER,)),
    booking.BookingConfirmed: (Kind.CONFIRMED, (CUSTOMER, PROVIDER, ATTENDEE)),
    booking.PaymentFailed: (Kind.PAYMENT_FAILED, (CUSTOMER,)),  # but see AFTER_CONFIRMATION
    booking.BookingExpired: (Kind.EXPIRED, (CUSTOMER, PROVIDER)),
    booking.BookingCancelled: (Kind.CANCELLED, (CUSTOMER, PROVIDER, ATTENDEE)),
    booking.BookingRescheduled: (Kind.RESCHEDULED, (CUSTOMER, PROVIDER, ATTENDEE)),
    booking.SessionCompleted: (Kind.SESSION_COMPLETED, (CUSTOMER,)),
    booking.BookingCompleted: (Kind.COMPLETED, (CUSTOMER, PROVIDER)),
    booking.DisputeRaised: (Kind.DISPUTE_OPENED, (ADMIN, CUSTOMER, PROVIDER)),
    booking.DisputeResolved: (Kind.DISPUTE_RESOLVED, (CUSTOMER, PROVIDER, ADMIN)),
    booking.LatePaymentReturned: (Kind.LATE_PAYMENT_RETURNED, (CUSTOMER,)),
    booking.SagaStuck: (Kind.SAGA_STUCK, (ADMIN,)),
    booking.WaitlistOffered: (Kind.WAITLIST_OFFER, (CUSTOMER,)),
    booking.WaitlistOfferExpired: (Kind.WAITLIST_OFFER_EXPIRED, (CUSTOMER,)),
    booking.WaitlistClosed: (Kind.WAITLIST_CLOSED, (CUSTOMER,)),
    payments.RefundFailed: (Kind.REFUND_FAILED, (ADMIN, CUSTOMER, PROVIDER)),
    payments.PayoutFailed: (Kind.PAYOUT_FAILED, (ADMIN,)),
    payments.ChargebackOpened: (Kind.CHARGEBACK_OPENED, (ADMIN,)),
    payments.ChargebackClosed: (Kind.CHARGEBACK_CLOSED, (ADMIN,)),
}
"""What each event tells whom. An address that stands for several people gets the letter of the first of them: whose
letter asks for something to be done comes first."""
AFTER_CONFIRMATION: Row = (Kind.CAPTURE_FAILED, (CUSTOMER, PROVIDER, ATTENDEE))
"""PaymentFailed with `capture_failed`: it had been confirmed, so the provider expects the customer."""

_OWN_DOING = "whoever does this was answered, and it concerns nobody else"
_BOOKING_TELLS = "the booking's own events tell what comes of it"
SILENT: dict[type[Event], str] = {
    booking.BookingPlaced: "told on an occasion, SEATS_HELD, if it is not paid at once",
    booking.WaitlistJoined: _OWN_DOING,
    booking.WaitlistAccepted: _BOOKING_TELLS,
    booking.WaitlistLeft: _OWN_DOING,
    booking.ProviderRegistered: _OWN_DOING,
    booking.OfferingDefined: _OWN_DOING,
    booking.ScheduleSet: "what is booked stays booked; whoever waits in vain is told by WaitlistClosed",
    booking.SlotOpened: _OWN_DOING,
    booking.SlotClosed: "told to everybody there by BookingCancelled and WaitlistClosed",
    payments.PaymentAuthorized: _BOOKING_TELLS,
    payments.PaymentActionRequired: _BOOKING_TELLS,
    payments.PaymentDeclined: _BOOKING_TELLS,
    payments.PaymentCaptured: _BOOKING_TELLS,
    payments.CaptureFailed: _BOOKING_TELLS,
    payments.PaymentVoided: _BOOKING_TELLS,
    payments.PaymentSettled: "the letter that the booking was cancelled, completed or decided on names the amounts",
    payments.RefundSucceeded: "the letter of the cancellation or decision named the amount, and it has come",
    payments.PayoutPaid: "the letter that the booking is completed named the amount, and it has come",
    payments.WalletToppedUp: "no address is known; the wallet's reply said so",
    payments.WalletWithdrawn: "no address is known; the wallet's reply said so",
    notifications.DeliverySucceeded: "a letter about a letter would have one as well",
    notifications.DeliveryFailed: "operators see it; the person could not be reached",
}
"""Events that nobody is told of, and why. Every event of the contract stands here or in BY_EVENT; a test compares."""

ASKING = frozenset({Kind.PAYMENT_NEEDED, Kind.ACTION_REQUIRED, Kind.WAITLIST_OFFER})
"""Letters of events that ask for something until a deadline, and tell nothing else: of no use after it, when another
one tells that it has passed."""

BY_OCCASION: dict[Kind, tuple[str, tuple[Audience, ...]]] = {
    Kind.SEATS_HELD: ("PENDING_PAYMENT", (CUSTOMER,)),
    Kind.REMINDER: ("CONFIRMED", (CUSTOMER, PROVIDER, ATTENDEE)),
    Kind.DISPUTE_STILL_OPEN: ("DISPUTED", (ADMIN,)),
}
"""Letters that timers ask for: the state the booking has to be in, and who is told, as in BY_EVENT."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One thing to tell one person. `booking` is what is known of the booking, if anything is. From `until` on it is of
    no use to them any more: it is sent before that or not at all.
    """

    kind: Kind
    audience: Audience
    recipient: str
    name: str
    locale: str
    timezone: str
    event: Event
    booking: BookingEvent | WaitlistEvent | None
    until: datetime | None = None


def letters_for(event: Event, admin_email: str, known: BookingEvent | None = None) -> tuple[Letter, ...]:
    """Who is told of `event`. Events of payments name no person: `known`, the last event seen of their
    booking, does; without it the admin alone is told. An address is never written to twice of one event.
    """
    row = _row(event)
    if row is None:
        return ()
    kind, audiences = row
    about = event if isinstance(event, BookingEvent | WaitlistEvent) else known
    letters = _letters(kind, audiences, event, about, admin_email)
    if kind not in ASKING:
        return letters
    return tuple(replace(one, until=getattr(event, "deadline", None)) for one in letters)


def letters_on(kind: Kind, known: BookingEvent, admin_email: str, until: datetime | None = None) -> tuple[Letter, ...]:
    """Who is told on an occasion of BY_OCCASION, given the last event of the booking.

    Nobody, when the booking is not in the state for it: no reminder of a dead booking.
    """
    state, audiences = BY_OCCASION[kind]
    if known.state != state:
        return ()
    return tuple(replace(one, until=until) for one in _letters(kind, audiences, known, known, admin_email))


def never_confirmed(event: Event) -> bool:
    """Whether a booking was cancelled before it was confirmed, and so stands in nobody's calendar: only a paid one was
    confirmed."""
    return isinstance(event, booking.BookingCancelled) and event.refund.amount + event.kept.amount == 0


def _row(event: Event) -> Row | None:
    if isinstance(event, booking.PaymentFailed) and event.reason == "capture_failed":
        return AFTER_CONFIRMATION
    row = BY_EVENT.get(type(event))
    if row is not None and never_confirmed(event):  # an attendee has never heard of it
        return row[0], tuple(one for one in row[1] if one is not ATTENDEE)
    return row


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
            by_address.setdefault(mailbox(recipient), letter)
    return tuple(by_address.values())


def _reach(
    audience: Audience, about: BookingEvent | WaitlistEvent | None, admin_email: str
) -> tuple[str, str, str, str] | None:
    """(address, name, locale, time zone), or None where this person is not known.

    Who names no zone reads times where the session takes place, in its provider's; in UTC where no session is known.
    Attendees name neither language nor zone: they read in those of who booked for them (rules.md, People).
    """
    zone = (about.provider_timezone if about else None) or "UTC"
    if audience is ADMIN:
        return (admin_email, "Admin", "en", zone) if admin_email else None
    if about is None:
        return None
    if audience is CUSTOMER:
        person = about.customer
        return (person.email, person.name, person.locale or "en", person.timezone or zone)
    if not isinstance(about, BookingEvent):
        return None
    if audience is ATTENDEE:
        comes, pays = about.attendee, about.customer
        if comes is None or comes.email is None:
            return None
        return (comes.email, comes.name, pays.locale or "en", pays.timezone or zone)
    return (about.provider_email, about.provider_name, "en", zone)
