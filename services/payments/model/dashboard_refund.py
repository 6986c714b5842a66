"""Refunds that somebody made in Stripe's dashboard: the ledger follows, and what we still owe shrinks by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.payments.model.refund import Refund


@dataclass(frozen=True, slots=True)
class DashboardRefund:
    """One of them: of a booking's payment, where `refund_id` is its row beside our own, or of a wallet's top-up."""

    stripe_refund: str
    booking_id: UUID | None
    refund_id: UUID | None
    customer_id: str | None
    top_up_id: UUID | None
    payment_intent: str
    amount_minor: int
    currency: str
    lost_minor: int
    """What no account covered: our loss, until a person gets it back."""
    failed: bool = False

    @property
    def row_key(self) -> str:
        return self.stripe_refund


@dataclass(frozen=True, slots=True)
class Cover:
    """Whose money it was, in minor units: owed to the payer already, still in escrow, or nobody's: a loss.

    `instead_of` is a failed refund of ours that it stands for, `less_of` one that is smaller by it.
    """

    owed_minor: int
    escrow_minor: int
    lost_minor: int
    instead_of: Refund | None = None
    less_of: Refund | None = None


def cover(amount_minor: int, failed: Sequence[Refund], escrow_minor: int) -> Cover:
    """A failed refund of ours first: somebody made by hand what we could not. Then what is in escrow."""
    instead_of = max(
        (refund for refund in failed if refund.amount_minor <= amount_minor),
        key=lambda refund: refund.amount_minor,
        default=None,
    )
    less_of = failed[0] if failed and instead_of is None else None
    owed = instead_of.amount_minor if instead_of else amount_minor if less_of else 0
    from_escrow = min(amount_minor - owed, escrow_minor)
    return Cover(owed, from_escrow, amount_minor - owed - from_escrow, instead_of, less_of)
