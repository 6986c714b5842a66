"""Parameters of the calls to Stripe, as they are stored before the call and sent again byte-identical."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

API_VERSION = "2026-10-28.endive"
"""The Stripe-Version that this build speaks; a stored call keeps the one it was written with."""


class StripeCall(BaseModel):
    """What every call carries. `asked_at` is on the service's clock: keys older than a day are not trusted.

    `look_first`: the call was made before and its result was lost, or it may have been made in a life that a restored
    database has forgotten. How Stripe's object stands by now counts, not what Stripe has stored under the key.
    """

    model_config = ConfigDict(frozen=True)

    asked_at: datetime
    api_version: str = API_VERSION
    look_first: bool = False


class AttemptCall(StripeCall):
    """A call about one attempt of a booking's payment."""

    booking_id: UUID
    attempt: int


class AuthorizeCall(AttemptCall):
    """Create a PaymentIntent with manual capture; confirm it when a payment method is named.

    `look_only`: the time to pay is over, so that what is there already counts, and nothing is made.
    """

    payment_id: UUID
    amount_minor: int
    currency: str
    payment_method: str | None
    look_only: bool = False


class IntentCall(AttemptCall):
    """Capture, cancel or retrieve a PaymentIntent."""

    payment_intent: str
    by_reconciler: bool = False


class RefundCall(AttemptCall):
    """Refund a part of a captured PaymentIntent, or look at a refund that was made."""

    payment_id: UUID
    refund_id: UUID
    payment_intent: str
    amount_minor: int
    tries: int
    stripe_refund: str | None = None


class DashboardRefundCall(StripeCall):
    """Look at a refund that was made at Stripe, not by us."""

    stripe_refund: str
    booking_id: UUID | None
    customer_id: str | None
    command_id: UUID | None
    looked: int


class TransferCall(AttemptCall):
    """Move a provider's earnings to the connected account, from the charge that paid for them."""

    payout_id: UUID
    tries: int
    amount_minor: int
    currency: str
    destination: str
    source_charge: str | None


class DisputeCall(StripeCall):
    """Look at a dispute."""

    dispute_id: str
    booking_id: UUID | None
    customer_id: str | None = None
    command_id: UUID | None = None
    looked: int = 0


class TopUpCall(StripeCall):
    """Charge a card for a wallet."""

    command_id: UUID
    customer_id: str
    amount_minor: int
    currency: str
    payment_method: str


class WithdrawCall(StripeCall):
    """Refund a part of a top-up, or look at the refund that was made."""

    command_id: UUID
    customer_id: str
    part_id: UUID
    payment_intent: str
    amount_minor: int
    stripe_refund: str | None = None
