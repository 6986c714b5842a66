"""A booking: what was agreed, where it stands, how it is paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from booking_contracts.types import Attendee, Customer, Money, PaymentChoice

from services.booking.model.people import Party
from services.booking.model.states import DEAD, LIVING, OCCUPYING, State
from services.booking.model.terms import Terms


class PaymentStatus(StrEnum):
    """What booking knows of the current attempt."""

    NONE = "none"
    IN_FLIGHT = "in_flight"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Booking:
    """Price, currency, commission, provider, customer and offering never change (requirement price-integrity)."""

    booking_id: UUID
    state: State
    offering_id: UUID
    provider_id: UUID
    slot_id: UUID
    starts_at: datetime
    ends_at: datetime
    seats: int
    customer: Customer
    attendee: Attendee | None
    price: Money
    commission_bps: int
    approval: bool
    terms: Terms
    payment_id: UUID
    created_at: datetime
    deadline: datetime | None
    payment: PaymentChoice | None = None
    attempt: int = 0
    payment_status: PaymentStatus = PaymentStatus.NONE
    settlement_id: UUID | None = None
    refund_cap_percent: int = 100
    """The least percentage that was due when the customer moved the booking."""
    full_refund: bool = False
    """The provider moved the booking: the customer's cancellation gives 100 %."""
    sequence: int = 0
    history_number: int = 0
    once_per_customer: bool = False
    """Whether who comes may have no other living booking on the slot; as the offering was when the seats were taken."""
    captured_minor: int | None = None
    """What was captured, where that is less than the price; None otherwise, and as long as it is not known."""
    held_seconds: int = 0
    """For how long its payer's unpaid tries have held seats of the slot, as of its beginning or its unpaid end."""

    @property
    def row_key(self) -> UUID:
        return self.booking_id

    @property
    def escrow(self) -> Money:
        """What its end shares out: the price, or the lesser amount that was captured (rules.md, Amounts)."""
        taken = self.price.amount if self.captured_minor is None else self.captured_minor
        return Money(amount=taken, currency=self.price.currency)

    @property
    def party(self) -> Party:
        return Party(self.customer, self.attendee)

    @property
    def lives(self) -> bool:
        """Whether its session is still to come."""
        return self.state in LIVING

    @property
    def dead(self) -> bool:
        return self.state in DEAD

    @property
    def occupies(self) -> bool:
        """Whether its seats count."""
        return self.state in OCCUPYING
