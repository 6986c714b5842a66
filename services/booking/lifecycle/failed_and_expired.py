"""How bookings end that are not paid: PAYMENT_FAILED or EXPIRED, and for which reason (rules.md, People; requirement
failure-handling). Seats and status go in one step."""

from __future__ import annotations

from booking_contracts.booking import BookingExpired, PaymentFailed
from booking_contracts.types import SYSTEM

from services.booking import saga
from services.booking.model.booking import Booking, PaymentStatus
from services.booking.model.states import State
from services.booking.work import BookingWork

CUSTOMER_MESSAGES = {
    "declined": "Your payment was declined and nothing was charged. Please book again with another card.",
    "INSUFFICIENT_FUNDS": "There is not enough money for this booking; nothing was charged.",
    "abandoned": "You left the payment. Nothing was charged, and the slot is still available.",
    "superseded": "You started again; this try was replaced by your newer one. Nothing was charged for it.",
    "action_failed": "Your bank did not confirm the payment; nothing was charged. Please try again.",
    "capture_failed": "Your payment could not be collected, so the booking had to be ended. Nothing was charged.",
}


def fail(
    work: BookingWork, booking: Booking, reason: str, message: str | None = None, code: str | None = None
) -> Booking:
    """PAYMENT_FAILED, with the sentence that the customer may be shown, and the code of a decline."""
    booking = work.move(booking, State.PAYMENT_FAILED, SYSTEM, reason=reason)
    message = message or CUSTOMER_MESSAGES[reason]
    return _end(work, booking, PaymentFailed, reason=reason, customer_message=message, code=code)


def expire(work: BookingWork, booking: Booking) -> Booking:
    """EXPIRED: nobody approved it in time, or nobody paid."""
    reason = "approval" if booking.state is State.PENDING_APPROVAL else "payment"
    return _end(work, work.move(booking, State.EXPIRED), BookingExpired, reason=reason)


def _end(
    work: BookingWork, booking: Booking, event: type[PaymentFailed | BookingExpired], **fields: str | None
) -> Booking:
    """Give back what the current attempt may have reserved, and say what happened."""
    if booking.payment_status in (PaymentStatus.IN_FLIGHT, PaymentStatus.AUTHORIZED):
        saga.void(work, booking)
    return work.say(booking, event, **fields)
