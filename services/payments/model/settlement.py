"""What an escrow is split into when it ends: the one place where commission is computed (rules.md, Amounts)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

BPS = 10_000


@dataclass(frozen=True, slots=True)
class Split:
    """Minor units. `release_minor` is gross: commission and the provider's part add up to it."""

    refund_minor: int
    release_minor: int
    commission_minor: int

    @property
    def provider_minor(self) -> int:
        return self.release_minor - self.commission_minor


def after_loss(refund_minor: int, lost_minor: int) -> int:
    """What is still to be refunded when a lost chargeback has given the payer a part already (rules.md, Payment)."""
    return max(0, refund_minor - lost_minor)


def split(
    escrow_minor: int,
    refund_minor: int,
    release_minor: int,
    commission_bps: int,
    *,
    refund_step: int = 1,
    payout_step: int = 1,
) -> Split:
    """Divide what is in escrow as asked: the payer first, then the provider, never more than there is.

    In steps that a card can be refunded and a provider be paid in (booking_contracts.currencies): the refund rounds up,
    as far as the escrow reaches, the commission down; what no transfer can carry of an odd release is commission too.
    """
    refund = min(-(-refund_minor // refund_step), escrow_minor // refund_step) * refund_step
    release = min(release_minor, escrow_minor - refund)
    commission = release * commission_bps // BPS // payout_step * payout_step + release % payout_step
    return Split(refund, release, commission)


@dataclass(frozen=True, slots=True)
class Settlement:
    """One request to end an escrow; `via` is set when it is done, the amounts then say what was done.

    What the payer got by a lost chargeback counts as refunded.
    """

    settlement_id: UUID
    booking_id: UUID
    refund_minor: int
    release_minor: int
    answers_void: bool = False
    """Made for a VoidPayment that found the money captured; answered by PaymentVoided."""
    via: str | None = None
    commission_minor: int = 0

    @property
    def row_key(self) -> UUID:
        return self.settlement_id

    @property
    def provider_minor(self) -> int:
        return self.release_minor - self.commission_minor
