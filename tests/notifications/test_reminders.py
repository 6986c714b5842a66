"""Reminders of bookings and of open disputes: the handlers, without database or mail server."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from booking_contracts import booking
from booking_contracts.booking import BookingConfirmed

from services.notifications.model.letters import Kind
from services.notifications.timers import ReminderDue
from tests.notifications.builders import (
    ADMIN_EMAIL,
    BOOKING_ID,
    CUSTOMER_EMAIL,
    NOW,
    PROVIDER_EMAIL,
    STARTS_AT,
    an,
    customer,
)
from tests.notifications.post import Post, days


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.mark.requirement("notify-people")
def test_a_confirmed_booking_is_reminded_of_a_day_and_an_hour_before(post: Post) -> None:
    post.hear(an(BookingConfirmed))
    post.fire_timers(until=STARTS_AT)

    reminders = [timer.due_at for timer in post.timers if isinstance(timer.body, ReminderDue)]
    assert reminders == [STARTS_AT - days(1), STARTS_AT - days(1 / 24)]
    assert post.written(Kind.REMINDER) == [CUSTOMER_EMAIL, PROVIDER_EMAIL] * 2


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize("minutes", [(), (30,), (15, 4 * 1440, 1440)])
def test_an_offering_says_when_its_people_are_reminded(post: Post, minutes: tuple[int, ...]) -> None:
    post.hear(an(BookingConfirmed, reminder_minutes=minutes))
    timers = [timer.body for timer in post.timers if isinstance(timer.body, ReminderDue)]
    post.fire_timers(until=STARTS_AT)

    due = [STARTS_AT - timedelta(minutes=one) for one in sorted(minutes, reverse=True)]
    assert [timer.due_at for timer in timers] == due
    assert [timer.until for timer in timers] == ([*due[1:], STARTS_AT] if due else [])
    assert post.written(Kind.REMINDER) == [CUSTOMER_EMAIL, PROVIDER_EMAIL] * len(minutes)


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize(("minutes_before", "until_before"), [(1000, 15), (10, 0)])
def test_after_an_outage_the_latest_of_an_offerings_own_reminders_comes(
    post: Post, minutes_before: int, until_before: int
) -> None:
    post.hear(an(BookingConfirmed, reminder_minutes=(15, 4 * 1440, 1440)))
    post.fire_late_timers(now=STARTS_AT - timedelta(minutes=minutes_before))

    assert post.written(Kind.REMINDER) == [CUSTOMER_EMAIL, PROVIDER_EMAIL]
    untils = {mail.until for mail in post.mails if mail.kind is Kind.REMINDER}
    assert untils == {STARTS_AT - timedelta(minutes=until_before)}


@pytest.mark.requirement("notify-people")
def test_a_reminder_that_the_release_before_has_set_is_of_use_until_its_next(post: Post) -> None:
    post.hear(an(BookingConfirmed))
    due_at = STARTS_AT - days(1)
    post.at(due_at).fire(ReminderDue(booking_id=BOOKING_ID, starts_at=STARTS_AT, due_at=due_at))

    assert {mail.until for mail in post.mails if mail.kind is Kind.REMINDER} == {STARTS_AT - days(1 / 24)}


@pytest.mark.requirement("notify-people")
def test_who_books_late_gets_the_reminders_that_are_left() -> None:
    post = Post(STARTS_AT - days(0.5))
    post.hear(an(BookingConfirmed))
    post.fire_timers(until=STARTS_AT)

    assert post.written(Kind.REMINDER) == [CUSTOMER_EMAIL, PROVIDER_EMAIL]


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize(
    "end",
    [
        an(booking.BookingCancelled, state="CANCELLED_BY_PROVIDER"),
        an(booking.PaymentFailed, state="PAYMENT_FAILED", reason="capture_failed"),
        an(booking.DisputeRaised, state="DISPUTED"),
    ],
)
def test_nobody_is_reminded_of_a_booking_that_is_not_confirmed_any_more(post: Post, end: booking.BookingEvent) -> None:
    post.hear(an(BookingConfirmed))
    post.hear(end)
    post.fire_timers(until=STARTS_AT)

    assert post.written(Kind.REMINDER) == []


@pytest.mark.requirement("notify-people")
def test_a_moved_booking_is_reminded_of_at_its_new_time_alone(post: Post) -> None:
    later = STARTS_AT + days(7)
    post.hear(an(BookingConfirmed))
    post.hear(_moved_to(later))
    post.fire_timers(until=STARTS_AT)
    assert post.written(Kind.REMINDER) == []

    post.fire_timers(until=later)

    assert post.written(Kind.REMINDER) == [CUSTOMER_EMAIL, PROVIDER_EMAIL] * 2


@pytest.mark.requirement("notify-once")
def test_a_booking_moved_away_and_back_is_reminded_of_once(post: Post) -> None:
    post.hear(an(BookingConfirmed))
    post.hear(_moved_to(STARTS_AT + days(7)))
    post.hear(_moved_to(STARTS_AT))
    post.fire_timers(until=STARTS_AT)

    assert post.written(Kind.REMINDER) == [CUSTOMER_EMAIL, PROVIDER_EMAIL] * 2


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize(
    ("hours_before", "reminders"),
    [(23, 1), (2, 1), (1, 1), (0.5, 1), (0, 0), (-5, 0)],
)
def test_after_an_outage_one_reminder_at_most_and_none_after_the_start(
    post: Post, hours_before: float, reminders: int
) -> None:
    post.hear(an(BookingConfirmed))
    post.fire_timers(until=STARTS_AT - days(2))
    back = STARTS_AT - days(hours_before / 24)
    post.fire_late_timers(now=back)

    assert post.written(Kind.REMINDER) == [CUSTOMER_EMAIL, PROVIDER_EMAIL] * reminders
    assert {mail.until for mail in post.mails if mail.kind is Kind.REMINDER} == (
        {STARTS_AT - days(1 / 24) if back < STARTS_AT - days(1 / 24) else STARTS_AT} if reminders else set()
    )


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize(
    ("before", "meanwhile"),
    [
        (an(BookingConfirmed), an(booking.BookingCancelled, state="CANCELLED_BY_CUSTOMER")),
        (an(booking.DisputeRaised, state="DISPUTED"), an(booking.DisputeResolved, state="RESOLVED_SPLIT")),
    ],
)
def test_what_happened_during_an_outage_is_heard_before_the_timers_that_it_kept(
    post: Post, before: booking.BookingEvent, meanwhile: booking.BookingEvent
) -> None:
    post.hear(before)
    back = STARTS_AT - days(0.5)
    (late,) = [timer for timer in post.timers if timer.due_at <= back]
    post.at(back).fire(late.body)
    post.hear(meanwhile)
    post.fire_timers(until=STARTS_AT)

    assert post.written(Kind.REMINDER) == post.written(Kind.DISPUTE_STILL_OPEN) == []


@pytest.mark.requirement("disputes")
def test_the_admin_hears_daily_of_a_dispute_that_is_open_for_a_week(post: Post) -> None:
    post.hear(an(booking.DisputeRaised, state="DISPUTED"))
    post.fire_timers(until=NOW + days(9))
    assert post.written(Kind.DISPUTE_STILL_OPEN) == [ADMIN_EMAIL] * 3

    post.hear(an(booking.DisputeResolved, state="RESOLVED_SPLIT"))
    post.fire_timers(until=NOW + days(30))

    assert post.written(Kind.DISPUTE_STILL_OPEN) == [ADMIN_EMAIL] * 3


def test_letters_use_the_address_of_their_own_event(post: Post) -> None:
    post.hear(an(BookingConfirmed))
    post.hear(an(booking.BookingRescheduled, customer=customer(email="new@example.org")))
    post.fire_timers(until=STARTS_AT)

    assert set(post.written(Kind.REMINDER)) == {"new@example.org", PROVIDER_EMAIL}


def _moved_to(start: datetime) -> booking.BookingRescheduled:
    end = start + timedelta(hours=1)
    to = {"starts_at": start, "ends_at": end}
    return an(booking.BookingRescheduled, to=to, starts_at=start, ends_at=end)
