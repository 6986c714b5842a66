"""The local messages of payments: what Stripe answered, what Stripe told, what has to wait a moment.

They hold ids, amounts and codes only: never a client secret, never card data.
"""

from __future__ import annotations

from uuid import UUID

from booking_contracts.payments import AuthorizePayment, SettlePayment

from services.chassis.messages import LocalBody
from services.payments.model.payment import Operation


class IntentSeen(LocalBody):
    """How Stripe's PaymentIntent of an attempt stands after a call; `status` is empty when there is none."""

    booking_id: UUID
    attempt: int
    operation: Operation
    payment_intent: str | None = None
    status: str = ""
    capturable_minor: int = 0
    received_minor: int = 0
    error_code: str | None = None
    decline_code: str | None = None


class LeftoverCancelled(LocalBody):
    """The PaymentIntent of an attempt that had failed is out of the way; `received_minor` must be 0."""

    booking_id: UUID
    attempt: int
    payment_intent: str
    status: str
    received_minor: int = 0


class RefundSeen(LocalBody):
    """How a refund stands after a call; `stripe_refund` is None when Stripe refused to make it."""

    booking_id: UUID
    refund_id: UUID
    status: str
    stripe_refund: str | None = None
    failure: str | None = None


class IntentChanged(LocalBody):
    """A Stripe event about the PaymentIntent of an attempt. The event's copy may be old: only its type counts."""

    event_id: str
    event_type: str
    booking_id: UUID
    attempt: int
    payment_intent: str
    looked: int = 0
    """How often it was looked at while another call was open."""


class RefundChanged(LocalBody):
    """A Stripe event about a refund of ours."""

    event_id: str
    event_type: str
    booking_id: UUID
    refund_id: UUID
    stripe_refund: str
    status: str


class AuthorizeLater(LocalBody):
    """An authorisation that waits until the attempt before it is out of the way."""

    booking_id: UUID
    command: AuthorizePayment


class SettleLater(LocalBody):
    """A settlement that waits for the one before it."""

    booking_id: UUID
    command: SettlePayment
