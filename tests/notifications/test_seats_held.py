"""Until when to pay is told to those who have not paid at once, and to nobody else."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from booking_contracts import booking

from services.notifications.model.letters import Kind
from tests.notifications.builders import CUSTOMER_EMAIL, NOW, an
from tests.notifications.post import Post

MINUTE = timedelta(minutes=1)
PENDING = {"state": "PENDING_PAYMENT"}


def placed(deadline: datetime = NOW + 15 * MINUTE) -> booking.BookingPlaced:
    return an(booking.BookingPlaced, **PENDING, deadline=deadline)


@pytest.mark.requirement("notify-people")
def test_who_has_not_paid_within_a_minute_is_told_until_when() -> None:
    post = Post()
    post.hear(placed())
    post.fire_timers(until=NOW + 0.99 * MINUTE)
    assert post.mails == []

    post.fire_timers(until=NOW + MINUTE)

    (mail,) = post.mails
    assert (mail.kind, mail.recipient, mail.until) == (Kind.SEATS_HELD, CUSTOMER_EMAIL, NOW + 15 * MINUTE)


@pytest.mark.requirement("notify-people")
def test_who_has_to_confirm_at_the_bank_is_told_so_at_once_and_until_when_in_a_minute() -> None:
    post = Post()
    post.hear(placed())
    post.hear(an(booking.PaymentActionRequired, **PENDING, deadline=NOW + 15 * MINUTE))
    assert [mail.kind for mail in post.mails] == [Kind.ACTION_REQUIRED]

    post.fire_timers(until=NOW + MINUTE)

    assert [mail.kind for mail in post.mails] == [Kind.ACTION_REQUIRED, Kind.SEATS_HELD]


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize(
    ("then", "kind"),
    [
        (an(booking.BookingConfirmed), Kind.CONFIRMED),
        (an(booking.PaymentFailed, state="PAYMENT_FAILED"), Kind.PAYMENT_FAILED),
        (an(booking.BookingCancelled, state="CANCELLED_BY_CUSTOMER"), Kind.CANCELLED),
    ],
)
def test_whose_booking_is_paid_or_over_by_then_is_told_that_alone(then: booking.BookingEvent, kind: Kind) -> None:
    post = Post()
    post.hear(placed())
    post.at(NOW + 0.9 * MINUTE).hear(then)
    post.fire_timers(until=NOW + MINUTE)

    assert {mail.kind for mail in post.mails} == {kind}


@pytest.mark.requirement("notify-people")
def test_nobody_is_asked_to_pay_when_it_is_too_late() -> None:
    post = Post()
    post.hear(placed(deadline=NOW + MINUTE))
    post.fire_timers(until=NOW + 2 * MINUTE)

    assert post.mails == []


@pytest.mark.requirement("notify-people")
def test_a_confirmation_that_was_kept_with_the_timer_by_an_outage_counts() -> None:
    post = Post()
    post.hear(placed())
    (timer,) = post.timers
    post.at(NOW + 5 * MINUTE).fire(timer.body)
    post.hear(an(booking.BookingConfirmed))
    post.fire_timers(until=NOW + 15 * MINUTE)

    assert {mail.kind for mail in post.mails} == {Kind.CONFIRMED}
