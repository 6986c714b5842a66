"""Chargebacks: the payer's bank takes the money back and Stripe asks who is right (requirement chargebacks)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Outcome(StrEnum):
    """`told`: Stripe has told of it and we are about to look; nothing is posted yet."""

    TOLD = "told"
    OPEN = "open"
    WON = "won"
    LOST = "lost"


def outcome_of(status: str) -> Outcome | None:
    """Stripe's dispute status as ours; None for inquiries (`warning_…`): no money has moved."""
    if status in ("won", "lost"):
        return Outcome(status)
    return None if status.startswith("warning") or status == "prevented" else Outcome.OPEN


@dataclass(frozen=True, slots=True)
class Chargeback:
    """One dispute, of a booking's payment or of a wallet's top-up; of neither where no row of ours knows it."""

    dispute_id: str
    booking_id: UUID | None
    payment_intent: str
    amount_minor: int
    currency: str
    outcome: Outcome = Outcome.TOLD
    calling: bool = False
    customer_id: str | None = None
    top_up_id: UUID | None = None
    frozen_minor: int = 0
    """What of the wallet is locked until it is closed."""

    @property
    def row_key(self) -> str:
        return self.dispute_id

    @property
    def closed(self) -> bool:
        return self.outcome in (Outcome.WON, Outcome.LOST)
