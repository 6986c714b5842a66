"""A refund: money on its way back to the payer, followed to the end (requirement refund-logic)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from services.payments.model import idempotency_keys


class RefundStatus(StrEnum):
    """`failed` can follow `succeeded`: the bank may send money back days later."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


FAILED_STATUSES = ("failed", "canceled")
"""Stripe's words for a refund whose money is in our balance again; `pending` and `requires_action` may yet end so."""
CARD_GONE = frozenset({"expired_or_canceled_card", "lost_or_stolen_card"})
"""Failures that every refund to the same card meets, whatever its amount (docs.stripe.com: Failed refunds)."""
DISPUTED = "charge_disputed"
"""Stripe refunds nothing while a chargeback is open."""
FINAL = frozenset(
    {
        *CARD_GONE,
        "merchant_request",
        "charge_already_refunded",
        "amount_too_large",
        "charge_for_pending_refund_disputed",
        DISPUTED,
    }
)
"""Failures that the same refund meets again (docs.stripe.com: Failed refunds)."""
RETRY_AFTER = (timedelta(hours=1), timedelta(hours=4), timedelta(hours=24))


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund of a payment; `number` counts them from 1 and makes the idempotency key."""

    refund_id: UUID
    booking_id: UUID
    number: int
    attempt: int
    payment_intent: str | None
    """None for a refund to a wallet, which is done when it is posted."""
    amount_minor: int
    status: RefundStatus = RefundStatus.PENDING
    stripe_refund: str | None = None
    failure: str | None = None
    calling: bool = False
    tries: int = 1
    parked: bool = False
    """Failed, and no further try helps: an operator has to act."""
    paid_outside: bool = False
    """An operator has paid it by other means: what Stripe still tells of it is over."""

    @property
    def row_key(self) -> UUID:
        return self.refund_id

    @property
    def shown_id(self) -> str:
        """The id that events and reads carry: Stripe's as soon as it is known."""
        return self.stripe_refund or str(self.refund_id)

    @property
    def idempotency_key(self) -> str:
        """Of this try (idempotency_keys.py)."""
        return idempotency_keys.of_refund(self.booking_id, self.attempt, self.number, self.tries)

    def retry_after(self, failure: str) -> timedelta | None:
        """How long to wait after a failure; None when it is to be parked."""
        if failure in FINAL or self.tries > len(RETRY_AFTER):
            return None
        return RETRY_AFTER[self.tries - 1]
