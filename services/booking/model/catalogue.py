"""Providers and what they offer."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from booking_contracts.types import MAX_AMOUNT_MINOR, REMINDER_MINUTES, Money, Tier


@dataclass(frozen=True, slots=True)
class Provider:
    """Who offers. A changed policy counts for later bookings only, the rest at once; `sequence` numbers its events on
    catalogue.events."""

    provider_id: UUID
    name: str
    email: str
    timezone: str
    payout_account: str | None
    policy: str
    tiers: tuple[Tier, ...]
    policy_version: int = 1
    sequence: int = 0

    @property
    def row_key(self) -> UUID:
        return self.provider_id


@dataclass(frozen=True, slots=True)
class Offering:
    """What is offered: how long, for how much a seat, to how many, on which terms. Times in minutes, hours, days."""

    offering_id: UUID
    provider_id: UUID
    title: str
    duration_minutes: int
    price: Money
    capacity: int
    approval: bool
    commission_bps: int = 0
    buffer_before_minutes: int = 0
    buffer_after_minutes: int = 0
    minimum_notice_minutes: int = 0
    horizon_days: int = 365
    change_deadline_minutes: int = 60
    no_refund_minutes: int = 120
    hold_minutes: int = 15
    approval_hours: int = 24
    payment_hours: int = 24
    dispute_window_hours: int = 48
    auto_complete_hours: int = 2
    waitlist: bool = True
    offer_minutes: int = 60
    slot_step_minutes: int | None = None
    attendee_required: bool = False
    once_per_customer: bool = False
    reminder_minutes: tuple[int, ...] = REMINDER_MINUTES

    @property
    def row_key(self) -> UUID:
        return self.offering_id

    @property
    def shape(self) -> tuple[int | None, ...]:
        """What decides when and how long its slots are, and how many seats they have."""
        buffers = self.buffer_before_minutes, self.buffer_after_minutes
        return self.duration_minutes, self.slot_step_minutes, *buffers, self.capacity

    def can_charge(self, seats: int) -> bool:
        """Whether a message can carry what so many seats cost."""
        return self.price.amount * seats <= MAX_AMOUNT_MINOR
