"""Parameters of the calls to Stripe, as they are stored before the call and sent again byte-identical."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

API_VERSION = "2026-10-28.endive"
"""The Stripe-Version that this build speaks; a stored call keeps the one it was written with."""


class StripeCall(BaseModel):
    """What every call carries. `asked_at` is on the service's clock: keys older than a day are not trusted."""

    model_config = ConfigDict(frozen=True)

    booking_id: UUID
    attempt: int
    asked_at: datetime
    api_version: str = API_VERSION


class AuthorizeCall(StripeCall):
    """Create a PaymentIntent with manual capture; confirm it when a payment method is named."""

    payment_id: UUID
    amount_minor: int
    currency: str
    payment_method: str | None


class IntentCall(StripeCall):
    """Capture, cancel or retrieve a PaymentIntent."""

    payment_intent: str


class RefundCall(StripeCall):
    """Refund a part of a captured PaymentIntent, or look at a refund that was made."""

    payment_id: UUID
    refund_id: UUID
    payment_intent: str
    amount_minor: int
    stripe_refund: str | None = None
