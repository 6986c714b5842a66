"""Chargebacks: the payer's bank takes the money back and Stripe asks who is right (requirement chargebacks)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Outcome(StrEnum):
    """Where a dispute stands; none is the last: banks overturn what was lost and take again what was won.

    `told`: Stripe has told of it and we are about to look; nothing is posted yet.
    """

    TOLD = "told"
    OPEN = "open"
    WON = "won"
    LOST = "lost"


def outcome_of(status: str, *, withdrawn: bool | None = None) -> Outcome | None:
    """Stripe's dispute status as ours; None where no money is with the bank and none was: an inquiry (`warning_…`).

    `withdrawn`: whether the dispute's balance transactions say that the money is with the bank; None where it has none
    yet. They count more than the status: what is won is ours again once it was reinstated (docs.stripe.com: Disputes).
    """
    if withdrawn is None:
        if status in ("won", "lost"):
            return Outcome(status)
        return None if status.startswith("warning") or status == "prevented" else Outcome.OPEN
    if not withdrawn:
        return Outcome.WON
    return Outcome.LOST if status == "lost" else Outcome.OPEN


@dataclass(frozen=True, slots=True)
class Chargeback:
    """One dispute, of a booking's payment or of a wallet's top-up; of neither where an older build posted it so.

    The amount is what left Stripe's balance, in minor units of the balance's currency.
    """

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
    """What of the wallet is locked while it is open."""
    covered_minor: int = 0
    """What of a lost one came from the escrow or the wallet; with `owed_minor` less than the amount by our loss."""
    owed_minor: int = 0
    """What of a lost one was a refund that it had held up: the payer has it by the chargeback."""

    @property
    def row_key(self) -> str:
        return self.dispute_id
