"""What was agreed when a booking was made (rules.md, Terms)."""

from __future__ import annotations

from dataclasses import dataclass

from booking_contracts.types import REMINDER_MINUTES, Tier

from services.booking.model.catalogue import Offering, Provider


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed when the booking was made; later edits of offering or provider do not reach it.

    How to reach and to pay the provider is nobody's agreement: events and payments take that from the provider of today
    (event_fields.py, saga.py). `provider_name` to `payout_account` are written for the release before, which takes them
    from here.
    """

    offering_title: str
    policy_version: str
    tiers: tuple[Tier, ...]
    hold_minutes: int
    payment_hours: int
    change_deadline_minutes: int
    no_refund_minutes: int
    dispute_window_hours: int
    auto_complete_hours: int
    provider_name: str = ""
    provider_email: str = ""
    provider_timezone: str = ""
    payout_account: str | None = None
    reminder_minutes: tuple[int, ...] = REMINDER_MINUTES


def agreed(offering: Offering, provider: Provider) -> Terms:
    """What is agreed by who books now."""
    return Terms(
        offering_title=offering.title,
        provider_name=provider.name,
        provider_email=provider.email,
        provider_timezone=provider.timezone,
        payout_account=provider.payout_account,
        policy_version=f"{provider.policy}-{provider.policy_version}",
        tiers=provider.tiers,
        hold_minutes=offering.hold_minutes,
        payment_hours=offering.payment_hours,
        change_deadline_minutes=offering.change_deadline_minutes,
        no_refund_minutes=offering.no_refund_minutes,
        dispute_window_hours=offering.dispute_window_hours,
        auto_complete_hours=offering.auto_complete_hours,
        reminder_minutes=offering.reminder_minutes,
    )
