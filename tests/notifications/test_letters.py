"""Each event reaches exactly whom it must (requirement notify-people; rules.md, People)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from booking_contracts import booking, payments
from booking_contracts.booking import BookingConfirmed
from booking_contracts.envelope import Event

from services.notifications.model.letters import (
    BY_EVENT,
    SILENT,
    Audience,
    Kind,
    letters_for,
    letters_on,
    reminder_times,
)
from tests.notifications.builders import (
    ADMIN_EMAIL,
    CUSTOMER_EMAIL,
    PROVIDER_EMAIL,
    STARTS_AT,
    an,
    customer,
    letter_to,
    told,
)

C, P, A = CUSTOMER_EMAIL, PROVIDER_EMAIL, ADMIN_EMAIL

EXPECTED: list[tuple[type[Event], Kind, set[str]]] = [
    (booking.BookingRequested, Kind.REQUESTED, {C, P}),
    (booking.BookingPlaced, Kind.PAYMENT_NEEDED, {C}),
    (booking.BookingApproved, Kind.APPROVED, {C, P}),
    (booking.BookingRejected, Kind.REJECTED, {C, P}),
    (booking.PaymentRequested, Kind.PAYMENT_NEEDED, {C, P}),
    (booking.PaymentActionRequired, Kind.ACTION_REQUIRED, {C}),
    (booking.BookingConfirmed, Kind.CONFIRMED, {C, P}),
    (booking.PaymentFailed, Kind.PAYMENT_FAILED, {C}),
    (booking.BookingExpired, Kind.EXPIRED, {C, P}),
    (booking.BookingCancelled, Kind.CANCELLED, {C, P}),
    (booking.BookingRescheduled, Kind.RESCHEDULED, {C, P}),
    (booking.SessionCompleted, Kind.SESSION_COMPLETED, {C}),
    (booking.BookingCompleted, Kind.COMPLETED, {C, P}),
    (booking.DisputeRaised, Kind.DISPUTE_OPENED, {C, P, A}),
    (booking.DisputeResolved, Kind.DISPUTE_RESOLVED, {C, P, A}),
    (booking.LatePaymentReturned, Kind.LATE_PAYMENT_RETURNED, {C}),
    (booking.SagaStuck, Kind.SAGA_STUCK, {A}),
    (booking.WaitlistOffered, Kind.WAITLIST_OFFER, {C}),
    (payments.RefundFailed, Kind.REFUND_FAILED, {A}),
    (payments.PayoutFailed, Kind.PAYOUT_FAILED, {A}),
    (payments.ChargebackOpened, Kind.CHARGEBACK_OPENED, {A}),
    (payments.ChargebackClosed, Kind.CHARGEBACK_CLOSED, {A}),
]


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize(("event", "kind", "people"), EXPECTED)
def test_an_event_reaches_exactly_its_people(event: type[Event], kind: Kind, people: set[str]) -> None:
    assert told(an(event)) == {(person, kind) for person in people}


@pytest.mark.parametrize("event", sorted(SILENT, key=str))
def test_nobody_is_told_of_a_silent_event(event: type[Event]) -> None:
    assert told(an(event), known=an(BookingConfirmed)) == set()


def test_every_event_is_decided_on() -> None:
    assert BY_EVENT.keys() | SILENT == {*booking.EVENTS, *payments.EVENTS}
    assert not BY_EVENT.keys() & SILENT
    assert BY_EVENT.keys() == {event for event, _, _ in EXPECTED}


@pytest.mark.requirement("notify-people")
def test_a_failed_capture_ends_a_confirmed_booking_so_the_provider_is_told_too() -> None:
    failed = an(booking.PaymentFailed, reason="capture_failed")

    assert told(failed) == {(C, Kind.CAPTURE_FAILED), (P, Kind.CAPTURE_FAILED)}


@pytest.mark.requirement("notify-people")
def test_a_failed_refund_reaches_customer_and_provider_once_their_booking_is_known() -> None:
    known = an(BookingConfirmed)

    assert told(an(payments.RefundFailed), known) == {(one, Kind.REFUND_FAILED) for one in (C, P, A)}
    assert told(an(payments.PayoutFailed), known) == {(A, Kind.PAYOUT_FAILED)}


def test_an_address_gets_one_letter_of_an_event() -> None:
    event = an(booking.DisputeRaised, customer=customer(email="SAME@example.org"), provider_email=A)

    letters = letters_for(event, "same@example.org")

    assert [letter.audience for letter in letters] == [Audience.CUSTOMER, Audience.PROVIDER]


def test_without_an_admin_address_the_others_are_told() -> None:
    assert {letter.recipient for letter in letters_for(an(booking.DisputeRaised), "")} == {C, P}


@pytest.mark.parametrize(
    ("own", "of_provider", "used"),
    [
        ("Asia/Tokyo", "Europe/Berlin", "Asia/Tokyo"),
        (None, "Europe/Berlin", "Europe/Berlin"),
        (None, "", "UTC"),
    ],
)
def test_the_customers_zone_is_their_own_or_the_providers_or_utc(own: str | None, of_provider: str, used: str) -> None:
    event = an(BookingConfirmed, customer=customer(timezone=own), provider_timezone=of_provider)

    assert letter_to(Audience.CUSTOMER, event).timezone == used


def test_locales_are_the_customers_own_and_english_for_the_others() -> None:
    event = an(booking.DisputeRaised, customer=customer(locale="de-DE"))

    assert letter_to(Audience.CUSTOMER, event).locale == "de-DE"
    assert letter_to(Audience.PROVIDER, event).locale == "en"
    assert letter_to(Audience.ADMIN, event).locale == "en"


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize("state", ["CONFIRMED", "CANCELLED_BY_CUSTOMER", "PAYMENT_FAILED", "PENDING_PAYMENT"])
def test_reminders_are_for_confirmed_bookings_alone(state: str) -> None:
    letters = letters_on(Kind.REMINDER, an(BookingConfirmed, state=state), ADMIN_EMAIL)

    assert {letter.recipient for letter in letters} == ({C, P} if state == "CONFIRMED" else set())


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize(("state", "people"), [("DISPUTED", {A}), ("RESOLVED_REFUNDED", set())])
def test_the_admin_is_told_again_of_an_open_dispute(state: str, people: set[str]) -> None:
    letters = letters_on(Kind.DISPUTE_STILL_OPEN, an(booking.DisputeRaised, state=state), ADMIN_EMAIL)

    assert {letter.recipient for letter in letters} == people


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize(
    ("booked_before", "reminded_before"),
    [
        (timedelta(days=3), [timedelta(hours=24), timedelta(hours=1)]),
        (timedelta(hours=24), [timedelta(hours=1)]),
        (timedelta(hours=2), [timedelta(hours=1)]),
        (timedelta(hours=1), []),
        (timedelta(minutes=5), []),
    ],
)
def test_reminders_are_skipped_when_booked_later_than_their_time(
    booked_before: timedelta, reminded_before: list[timedelta]
) -> None:
    times = reminder_times(STARTS_AT, booked_at=STARTS_AT - booked_before)

    assert list(times) == [STARTS_AT - before for before in reminded_before]
