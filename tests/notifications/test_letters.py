"""Each event reaches exactly whom it must (requirement notify-people; rules.md, People)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from booking_contracts import booking, payments
from booking_contracts.booking import BookingConfirmed
from booking_contracts.envelope import Event
from booking_contracts.registry import BY_TOPIC, kind_of
from booking_contracts.registry import Kind as MessageKind

from services.notifications.locales.en import ENGLISH
from services.notifications.model.deliveries import delivery_id
from services.notifications.model.letters import (
    BY_EVENT,
    BY_OCCASION,
    SILENT,
    Audience,
    Kind,
    Letter,
    letters_for,
    letters_on,
)
from services.notifications.model.occasions import reminder_ends, reminders
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
    (booking.WaitlistOfferExpired, Kind.WAITLIST_OFFER_EXPIRED, {C}),
    (booking.WaitlistClosed, Kind.WAITLIST_CLOSED, {C}),
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


@pytest.mark.requirement("status-updates", "notify-people")
def test_every_event_of_the_contract_is_a_letter_or_silent_for_a_reason() -> None:
    events = {message for found in BY_TOPIC.values() for message in found if kind_of(message) is MessageKind.EVENT}

    assert BY_EVENT.keys() | SILENT.keys() == events
    assert not BY_EVENT.keys() & SILENT.keys()
    assert BY_EVENT.keys() == {event for event, _, _ in EXPECTED}
    assert all(len(reason) > 20 for reason in SILENT.values())


@pytest.mark.requirement("notify-people")
def test_a_failed_capture_ends_a_confirmed_booking_so_the_provider_is_told_too() -> None:
    failed = an(booking.PaymentFailed, reason="capture_failed")

    assert told(failed) == {(C, Kind.CAPTURE_FAILED), (P, Kind.CAPTURE_FAILED)}


@pytest.mark.requirement("notify-people")
def test_a_failed_refund_reaches_customer_and_provider_once_their_booking_is_known() -> None:
    known = an(BookingConfirmed)

    assert told(an(payments.RefundFailed), known) == {(one, Kind.REFUND_FAILED) for one in (C, P, A)}
    assert told(an(payments.PayoutFailed), known) == {(A, Kind.PAYOUT_FAILED)}


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize(
    ("event", "same", "acts"),
    [
        (booking.DisputeRaised, "provider and admin", Audience.ADMIN),
        (booking.DisputeRaised, "customer and admin", Audience.ADMIN),
        (booking.BookingRequested, "customer and provider", Audience.PROVIDER),
        (booking.BookingApproved, "customer and provider", Audience.CUSTOMER),
        (booking.PaymentRequested, "customer and provider", Audience.CUSTOMER),
        (payments.RefundFailed, "provider and admin", Audience.ADMIN),
    ],
)
def test_of_two_people_at_one_address_the_one_who_must_act_is_written_to_once(
    event: type[Event], same: str, acts: Audience
) -> None:
    at = {role: "shared@example.org" if role in same else f"{role}@example.org" for role in Audience}
    people = {"customer": customer(email=at[Audience.CUSTOMER]), "provider_email": at[Audience.PROVIDER]}

    letters = letters_for(an(event, **people), at[Audience.ADMIN], an(BookingConfirmed, **people))

    assert [letter.audience for letter in letters if letter.recipient == "shared@example.org"] == [acts]
    assert len({letter.recipient for letter in letters}) == len(letters)


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize(
    ("kind", "people"), [*BY_EVENT.values(), *((kind, row[1]) for kind, row in BY_OCCASION.items())]
)
def test_whose_letter_asks_for_something_comes_first(kind: Kind, people: tuple[Audience, ...]) -> None:
    asked = [_asks(kind, audience) for audience in people]

    assert asked == sorted(asked, reverse=True)


def _asks(kind: Kind, audience: Audience) -> bool:
    found = [wording for key, wording in ENGLISH.wordings.items() if key.startswith(f"{kind}.{audience}")]
    return any("Please" in text or "please" in text for wording in found for text in wording)


@pytest.mark.requirement("notify-once")
@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ann@example.org", "ann@EXAMPLE.org", True),
        ("Ann@example.org", "ann@example.org", False),
        ("ann@straße.example", "ann@strasse.example", False),
    ],
)
def test_an_address_is_the_same_in_whatever_case_its_domain_is_written(one: str, other: str, same: bool) -> None:
    letters = letters_for(an(BookingConfirmed, customer=customer(email=one), provider_email=other), ADMIN_EMAIL)

    assert len(letters) == (1 if same else 2)
    assert (delivery_id(UUID(int=1), one) == delivery_id(UUID(int=1), other)) is same


def test_without_an_admin_address_the_others_are_told() -> None:
    assert {letter.recipient for letter in letters_for(an(booking.DisputeRaised), "")} == {C, P}


def every_letter(**changes: object) -> list[Letter]:
    """Everything that anybody can be sent, when all their addresses differ."""
    known = an(BookingConfirmed, **changes)
    told = [letter for kind in BY_EVENT for letter in letters_for(an(kind, **changes), ADMIN_EMAIL, known)]
    last = {kind: an(BookingConfirmed, **changes, state=state) for kind, (state, _) in BY_OCCASION.items()}
    return told + [letter for kind in BY_OCCASION for letter in letters_on(kind, last[kind], ADMIN_EMAIL)]


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize(
    ("own", "of_provider", "customers", "others"),
    [
        ("Asia/Tokyo", "Asia/Kathmandu", "Asia/Tokyo", "Asia/Kathmandu"),
        (None, "Asia/Kathmandu", "Asia/Kathmandu", "Asia/Kathmandu"),
        (None, "", "UTC", "UTC"),
    ],
)
def test_everybody_reads_their_own_time_or_that_of_the_place(
    own: str | None, of_provider: str, customers: str, others: str
) -> None:
    letters = every_letter(customer=customer(timezone=own), provider_timezone=of_provider)

    assert {letter.kind for letter in letters} == {*Kind} - {Kind.CAPTURE_FAILED}
    theirs = {Audience.CUSTOMER, Audience.ATTENDEE}
    assert {letter.timezone for letter in letters if letter.audience in theirs} == {customers}
    assert {letter.timezone for letter in letters if letter.audience not in theirs} == {others}


def test_an_event_of_the_waitlist_from_before_it_named_a_zone_is_told_in_utc() -> None:
    (letter,) = letters_for(an(booking.WaitlistOffered, provider_timezone=None), ADMIN_EMAIL)

    assert letter.timezone == "UTC"


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
    found = reminders(STARTS_AT, booked_at=STARTS_AT - booked_before)

    assert [one.due_at for one in found] == [STARTS_AT - before for before in reminded_before]


@pytest.mark.requirement("notify-people")
def test_a_reminder_is_of_use_until_the_next_one_and_the_last_until_the_start() -> None:
    day, hour = reminders(STARTS_AT, booked_at=STARTS_AT - timedelta(days=9))

    assert (day.until, hour.until) == (hour.due_at, STARTS_AT)
    assert [reminder_ends(STARTS_AT, one.due_at) for one in (day, hour)] == [day.until, hour.until]


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize("kind", [booking.WaitlistOffered, booking.PaymentRequested, booking.PaymentActionRequired])
def test_what_only_asks_for_something_is_of_use_until_its_deadline(kind: type[Event]) -> None:
    """While a mail server is away for hours, "please accept by six" is overtaken by "it was not accepted in time"."""
    deadline = STARTS_AT - timedelta(hours=3)
    assert {letter.until for letter in letters_for(an(kind, deadline=deadline), ADMIN_EMAIL)} == {deadline}


@pytest.mark.requirement("notify-people")
def test_what_tells_something_is_of_use_whenever_it_comes() -> None:
    for kind in BY_EVENT.keys() - {booking.WaitlistOffered, booking.PaymentRequested, booking.PaymentActionRequired}:
        assert {letter.until for letter in letters_for(an(kind), ADMIN_EMAIL, an(BookingConfirmed))} <= {None}
