"""What the plain applications say to each other: JSON, the key is the booking's id, the type stands in a header."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel

BOOKING_COMMANDS = "plain.booking.commands"
BOOKING_EVENTS = "plain.booking.events"
PAYMENTS_COMMANDS = "plain.payments.commands"
PAYMENTS_EVENTS = "plain.payments.events"
TOPICS = (BOOKING_COMMANDS, BOOKING_EVENTS, PAYMENTS_COMMANDS, PAYMENTS_EVENTS)

Method = Literal["card", "wallet"]


class Message(BaseModel):
    """Everything is about one booking."""

    topic: ClassVar[str]
    booking_id: UUID

    @classmethod
    def kind(cls) -> str:
        """The header `ce_type`, as the contract of the real system forms it."""
        return f"{cls.topic.split('.')[1]}.{cls.__name__}.v1"


class PlaceBooking(Message):
    topic = BOOKING_COMMANDS
    slot_id: UUID
    customer_id: str
    customer_email: str
    method: Method
    payment_method: str | None = None


class BookingPlaced(Message):
    topic = BOOKING_EVENTS
    slot_id: UUID
    customer_id: str


class BookingConfirmed(Message):
    topic = BOOKING_EVENTS
    slot_id: UUID
    starts_at: datetime
    customer_id: str
    customer_email: str
    provider_email: str


class BookingFailed(Message):
    topic = BOOKING_EVENTS
    reason: str


class AuthorizePayment(Message):
    topic = PAYMENTS_COMMANDS
    customer_id: str
    amount_minor: int
    currency: str
    method: Method
    payment_method: str | None


class CapturePayment(Message):
    topic = PAYMENTS_COMMANDS


class PaymentAuthorized(Message):
    topic = PAYMENTS_EVENTS
    amount_minor: int


class PaymentDeclined(Message):
    topic = PAYMENTS_EVENTS
    code: str


class PaymentCaptured(Message):
    topic = PAYMENTS_EVENTS
    amount_minor: int
