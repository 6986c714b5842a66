"""A payout: a provider's earnings on their way to the connected account (requirement provider-payouts)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from services.payments.model import idempotency_keys


class PayoutStatus(StrEnum):
    """`failed` is tried again; `parked` waits for an operator; `no_account` until the provider has one."""

    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    PARKED = "parked"
    NO_ACCOUNT = "no_account"


SLICE = 100
"""How many payouts that had no account are made in one go."""
RETRY_AFTER = (timedelta(hours=1), timedelta(hours=4), timedelta(hours=12), timedelta(hours=24))
"""When a transfer that Stripe refused is tried again; after the last one it is parked."""


@dataclass(frozen=True, slots=True)
class ProviderAccount:
    """Where a provider is paid today, as booking last told; None for one who has no account any more."""

    provider_id: UUID
    account: str | None

    @property
    def row_key(self) -> UUID:
        return self.provider_id


@dataclass(frozen=True, slots=True)
class Payout:
    """One transfer. `number` counts a booking's payouts from 1, `tries` those of this one; 0 without an account."""

    payout_id: UUID
    booking_id: UUID
    number: int
    attempt: int
    provider_id: UUID
    account: str | None
    amount_minor: int
    currency: str
    source_charge: str | None
    status: PayoutStatus = PayoutStatus.PENDING
    transfer_id: str | None = None
    failure: str | None = None
    tries: int = 1
    reversed_minor: int = 0
    """What somebody has taken back of it at Stripe."""

    @property
    def row_key(self) -> UUID:
        return self.payout_id

    @property
    def idempotency_key(self) -> str:
        """Of this try (idempotency_keys.py)."""
        return idempotency_keys.of_payout(self.booking_id, self.attempt, self.number, self.tries)

    @property
    def retry_after(self) -> timedelta | None:
        """How long to wait after this failure; None when it is to be parked."""
        return RETRY_AFTER[self.tries - 1] if self.tries <= len(RETRY_AFTER) else None
