"""Where the escrow of a disputed booking goes (rules.md, Which command in which state)."""

from __future__ import annotations

from booking_contracts.codes import Code, Rejected
from booking_contracts.currencies import card_step_minor
from booking_contracts.types import Money

from services.booking.model.booking import Booking
from services.booking.model.states import State


def outcome(booking: Booking, *, refund: Money, release: Money) -> State:
    """The state that a decision leads to. Raises AMOUNT_MISMATCH unless it shares out exactly what is in escrow, and
    INVALID_COMMAND for a refund that the card which has paid cannot be given."""
    escrow = booking.escrow
    same_currency = refund.currency == release.currency == escrow.currency
    if not same_currency or refund.amount + release.amount != escrow.amount:
        raise Rejected(
            Code.AMOUNT_MISMATCH,
            f"refund and release must add up to the {escrow.amount} {escrow.currency} (minor units) in escrow.",
            booking.booking_id,
            escrow=escrow.model_dump(),
        )
    step = card_step_minor(escrow.currency)
    if refund.amount % step and booking.payment is not None and booking.payment.method == "card":
        problem = f"must be a multiple of {step}: cards take {escrow.currency} back in steps of that"
        raise Rejected(Code.INVALID_COMMAND, f"refund {problem}.", booking.booking_id, field="refund", problem=problem)
    if refund.amount == 0:
        return State.RESOLVED_RELEASED
    return State.RESOLVED_REFUNDED if release.amount == 0 else State.RESOLVED_SPLIT
