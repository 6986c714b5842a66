"""Refusals that many commands share."""

from __future__ import annotations

from uuid import UUID

from booking_contracts.codes import Code, Rejected

from services.booking.model.booking import Booking
from services.booking.model.standing import OF_BOOKING


def illegal(booking: Booking) -> Rejected:
    """The state table does not know this command in this state."""
    return Rejected(
        Code.ILLEGAL_TRANSITION,
        OF_BOOKING[booking.state],
        booking.booking_id,
        state=booking.state.value,
    )


def not_allowed(message: str, subject: UUID | None = None) -> Rejected:
    """The refusal of somebody else's business."""
    return Rejected(Code.NOT_ALLOWED, message, subject)
