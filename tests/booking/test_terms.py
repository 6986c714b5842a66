"""What is agreed by who books."""

from __future__ import annotations

import pytest

from services.booking.model.terms import Terms, agreed
from tests.booking.builders import a_provider, an_offering


@pytest.mark.requirement("price-integrity")
def test_a_booking_agrees_to_what_offering_and_provider_say_that_day() -> None:
    offering = an_offering(
        hold_minutes=11,
        payment_hours=12,
        change_deadline_minutes=13,
        no_refund_minutes=14,
        dispute_window_hours=15,
        auto_complete_hours=16,
        reminder_minutes=(17, 18),
    )
    provider = a_provider(payout_account="acct_1", policy_version=3)
    assert agreed(offering, provider) == Terms(
        offering_title=offering.title,
        policy_version="flexible-3",
        tiers=provider.tiers,
        hold_minutes=11,
        payment_hours=12,
        change_deadline_minutes=13,
        no_refund_minutes=14,
        dispute_window_hours=15,
        auto_complete_hours=16,
        reminder_minutes=(17, 18),
        provider_name=provider.name,
        provider_email=provider.email,
        provider_timezone=provider.timezone,
        payout_account="acct_1",
    )
