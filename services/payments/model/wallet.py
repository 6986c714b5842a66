"""Wallets: money that a customer has put in and not spent. One balance per currency (requirement wallet)."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.payments.model import idempotency_keys


@dataclass(frozen=True, slots=True)
class Wallet:
    """A customer's wallet: its lock, and the number of its last event. Its money is in the ledger."""

    customer_id: str
    sequence: int = 0

    @property
    def row_key(self) -> str:
        return self.customer_id


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account of a wallet holds, as posted so far; the database keeps it by itself."""

    account: str
    currency: str
    amount_minor: int = 0

    @property
    def row_key(self) -> Hashable:
        return (self.account, self.currency)


@dataclass(frozen=True, slots=True)
class Asked:
    """A wallet command that waits for Stripe; what its one reply will need."""

    command_id: UUID
    customer_id: str
    body_hash: bytes
    correlation_id: str
    reply_to: str | None
    answered: bool = False

    @property
    def row_key(self) -> UUID:
        return self.command_id


class TopUpStatus(StrEnum):
    PENDING = "pending"
    DONE = "done"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class TopUp:
    """Money put in by card. `refunded_minor` is what withdrawals have taken out of it, or are about to."""

    command_id: UUID
    customer_id: str
    amount_minor: int
    currency: str
    made_at: datetime
    status: TopUpStatus = TopUpStatus.PENDING
    payment_intent: str | None = None
    refunded_minor: int = 0
    closed: bool = False
    """Its card takes no refund any more."""

    @property
    def row_key(self) -> UUID:
        return self.command_id

    @property
    def left_minor(self) -> int:
        """What a withdrawal can still send back by this top-up."""
        return 0 if self.closed or self.status is not TopUpStatus.DONE else self.amount_minor - self.refunded_minor


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Money on its way back to the cards that it came from, part by part."""

    command_id: UUID
    customer_id: str
    amount_minor: int
    currency: str
    withdrawn_minor: int = 0
    parts: int = 0

    @property
    def row_key(self) -> UUID:
        return self.command_id

    @property
    def left_minor(self) -> int:
        return self.amount_minor - self.withdrawn_minor


class PartStatus(StrEnum):
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Part:
    """One refund of a withdrawal, of one top-up."""

    part_id: UUID
    command_id: UUID
    customer_id: str
    number: int
    top_up_id: UUID
    amount_minor: int
    status: PartStatus = PartStatus.PENDING
    stripe_refund: str | None = None

    @property
    def row_key(self) -> UUID:
        return self.part_id

    @property
    def idempotency_key(self) -> str:
        """Of its refund (idempotency_keys.py)."""
        return idempotency_keys.of_withdrawal(self.command_id, self.number)


def newest_first(top_ups: list[TopUp]) -> list[TopUp]:
    """In the order in which a withdrawal uses them (rules.md, Payment)."""
    return sorted(top_ups, key=lambda top_up: (top_up.made_at, str(top_up.command_id)), reverse=True)
