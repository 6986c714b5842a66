"""Under which name and in which language a person is written to, and which letter is one letter (notify-people)."""

from __future__ import annotations

from uuid import UUID

import pytest
from booking_contracts import booking

from services.notifications.model.deliveries import delivery_id
from services.notifications.model.letters import letters_for
from tests.notifications.builders import ADMIN_EMAIL, CUSTOMER_EMAIL, PROVIDER_EMAIL, an

EVENT = UUID(int=1)


@pytest.mark.requirement("notify-people")
def test_who_says_no_language_reads_english() -> None:
    told = letters_for(an(booking.DisputeRaised), ADMIN_EMAIL)
    assert {(letter.recipient, letter.name, letter.locale) for letter in told} == {
        (CUSTOMER_EMAIL, "Anna Arendt", "en"),
        (PROVIDER_EMAIL, "Paul Pianist", "en"),
        (ADMIN_EMAIL, "Admin", "en"),
    }


@pytest.mark.requirement("notify-once")
def test_a_delivery_is_one_for_event_recipient_and_channel() -> None:
    assert delivery_id(EVENT, "anna@Example.ORG") == delivery_id(EVENT, "anna@example.org", "email")
    others = {delivery_id(EVENT, of) for of in ("paul@example.org", "Anna@example.org")}
    others.add(delivery_id(UUID(int=2), CUSTOMER_EMAIL))
    assert delivery_id(EVENT, CUSTOMER_EMAIL) not in others
    assert delivery_id(EVENT, CUSTOMER_EMAIL) == UUID("e558bf1f-c468-56fa-a1a1-64d8d37e191e"), "a release changes none"
