"""A thousand letters, each another one, take less than a second of one core."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import UUID

import pytest
from booking_contracts import booking

from services.notifications.model.letters import Letter, letters_for
from services.notifications.rendering import render
from tests.notifications.builders import ADMIN_EMAIL, NOW, STARTS_AT, an, customer
from tests.notifications.test_attendees import TIM

MANY, SECONDS = 1_000, 1.0
KINDS: tuple[type[booking.BookingEvent], ...] = (
    booking.BookingConfirmed,
    booking.BookingRescheduled,
    booking.BookingCancelled,
)


def letters() -> list[Letter]:
    """The longest there are, with an invitation: other people, times and bookings each, in two languages."""
    found: list[Letter] = []
    for number in range(MANY // 3 + 1):
        who = customer(name=f"Anna {number}", email=f"anna{number}@example.org", locale=("en", "de")[number % 2])
        at = STARTS_AT + timedelta(hours=number)
        times = {"starts_at": at, "ends_at": at + timedelta(hours=1)}
        event = an(KINDS[number % 3], booking_id=UUID(int=number), attendee=TIM, customer=who, **times)
        found += letters_for(event, ADMIN_EMAIL)
    return found[:MANY]


@pytest.mark.requirement("notify-people")
def test_a_thousand_letters_take_less_than_a_second_of_a_core() -> None:
    """Once in five: other processes on the machine make a core slower, never faster."""
    written = letters()
    assert len(written) == MANY

    def seconds() -> float:
        began = time.process_time()
        for letter in written:
            render(letter, sender="Bookings <b@example.org>", message_id="<1@example.org>", now=NOW, sequence=2)
        return time.process_time() - began

    assert any(seconds() < SECONDS for _ in range(5))
