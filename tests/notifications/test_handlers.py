"""Who is written to, how often, and what becomes of it: the handlers, without database or mail server."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from booking_contracts import booking, payments
from booking_contracts.booking import BookingConfirmed
from booking_contracts.envelope import Event
from booking_contracts.notifications import DeliveryFailed, DeliverySucceeded

from services.notifications.mail import MailRefused, MailSent
from services.notifications.model.deliveries import State
from services.notifications.model.letters import BY_EVENT, Kind, letters_for
from tests.notifications.builders import (
    ADMIN_EMAIL,
    BOOKING_ID,
    CUSTOMER_EMAIL,
    NOW,
    PROVIDER_EMAIL,
    an,
)
from tests.notifications.post import SERVICE, Post, days


@pytest.fixture
def post() -> Post:
    return Post()


def test_every_event_that_somebody_is_told_of_has_a_handler() -> None:
    assert {event.ce_type for event in BY_EVENT} <= SERVICE.by_type.keys()


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize("kind", BY_EVENT)
def test_an_event_becomes_one_mail_to_each_person(post: Post, kind: type[Event]) -> None:
    post.hear(an(BookingConfirmed))
    for mail in post.mails:
        post.fire(MailSent(delivery_id=mail.delivery_id))
    before, event = len(post.mails), an(kind)

    event_id = post.hear(event)

    known = an(BookingConfirmed)
    expected = letters_for(event, ADMIN_EMAIL, known)
    assert [mail.letter() for mail in post.mails[before:]] == list(expected)
    assert [row.recipient for row in post.deliveries if row.event_id == event_id] == [x.recipient for x in expected]
    assert {call.key for call in post.calls[before:]} == {event.key}


@pytest.mark.requirement("notify-once")
def test_an_event_that_comes_again_writes_nothing(post: Post) -> None:
    event_id = post.hear(an(BookingConfirmed))
    post.hear(an(BookingConfirmed), message_id=event_id)

    assert post.written(Kind.CONFIRMED) == [CUSTOMER_EMAIL, PROVIDER_EMAIL]
    assert len({(row.event_id, row.recipient, row.channel) for row in post.deliveries}) == 2


@pytest.mark.requirement("notify-once")
def test_the_message_id_is_the_same_wherever_it_is_derived() -> None:
    first, second, other = Post(), Post(NOW + days(1)), Post()
    event_id = first.hear(an(BookingConfirmed))
    second.hear(an(BookingConfirmed), message_id=event_id)
    other.hear(an(BookingConfirmed))

    ids = [[mail.message_id for mail in post.mails] for post in (first, second, other)]
    assert ids[0] == ids[1]
    assert len({*ids[0], *ids[2]}) == 4
    assert all(found.startswith("<") and found.endswith("@example.org>") for found in ids[0])


@pytest.mark.requirement("notify-people")
def test_a_failed_refund_reaches_the_people_of_its_booking(post: Post) -> None:
    post.hear(an(booking.BookingCancelled))
    post.hear(an(payments.RefundFailed))

    assert post.written(Kind.REFUND_FAILED) == [ADMIN_EMAIL, CUSTOMER_EMAIL, PROVIDER_EMAIL]


@pytest.mark.requirement("notify-people")
def test_a_failed_refund_of_an_unknown_booking_reaches_the_admin(post: Post) -> None:
    post.hear(an(payments.RefundFailed))

    assert post.written(Kind.REFUND_FAILED) == [ADMIN_EMAIL]


def test_an_earlier_event_does_not_replace_a_later_one(post: Post) -> None:
    post.hear(an(booking.BookingCancelled, state="CANCELLED_BY_CUSTOMER"), sequence=5)
    post.hear(an(BookingConfirmed), sequence=4)

    assert post.known is not None
    assert (post.known.sequence, post.known.state) == (5, "CANCELLED_BY_CUSTOMER")


@pytest.mark.requirement("notify-people")
def test_the_calendar_entry_counts_with_the_events_of_its_booking(post: Post) -> None:
    post.hear(an(BookingConfirmed), sequence=2)
    post.hear(an(booking.BookingCancelled), sequence=7)

    assert [mail.sequence for mail in post.mails] == [2, 2, 7, 7]


def test_an_offer_is_about_its_waitlist_entry(post: Post) -> None:
    post.hear(an(booking.WaitlistOffered))

    (delivery,) = post.deliveries
    assert (delivery.booking_id, delivery.recipient) == (UUID(int=5), CUSTOMER_EMAIL)
    assert post.known is None


@pytest.mark.requirement("notify-once")
def test_a_sent_mail_is_a_delivery_that_succeeded(post: Post) -> None:
    event_id = post.hear(an(BookingConfirmed))
    for mail in post.mails:
        post.fire(MailSent(delivery_id=mail.delivery_id))

    assert {row.state for row in post.deliveries} == {State.SUCCEEDED}
    assert post.told == [
        (number, DeliverySucceeded(booking_id=BOOKING_ID, event_id=event_id, recipient=person, channel="email"))
        for number, person in enumerate((CUSTOMER_EMAIL, PROVIDER_EMAIL), start=1)
    ]


@pytest.mark.requirement("notify-once")
def test_a_refused_mail_is_a_delivery_that_failed_for_a_reason(post: Post) -> None:
    event_id = post.hear(an(booking.SessionCompleted))
    post.fire(MailRefused(delivery_id=post.mails[0].delivery_id, reason="550 no such user"))

    (delivery,) = post.deliveries
    assert (delivery.state, delivery.reason, delivery.settled_at) == (State.FAILED, "550 no such user", NOW)
    failed = DeliveryFailed(
        booking_id=BOOKING_ID,
        event_id=event_id,
        recipient=CUSTOMER_EMAIL,
        channel="email",
        reason="550 no such user",
    )
    assert post.told == [(1, failed)]


@pytest.mark.requirement("notify-once")
def test_the_first_outcome_of_a_delivery_is_its_only_one(post: Post) -> None:
    post.hear(an(booking.SessionCompleted))
    (mail,) = post.mails
    post.fire(MailSent(delivery_id=mail.delivery_id))
    post.fire(MailRefused(delivery_id=mail.delivery_id, reason="too late"))

    assert [row.state for row in post.deliveries] == [State.SUCCEEDED]
    assert len(post.told) == 1


def test_an_unknown_delivery_is_a_fault_of_ours(post: Post) -> None:
    with pytest.raises(AssertionError, match="committed before"):
        post.fire(MailSent(delivery_id=uuid4()))
