"""How bookings end before a session: expiry, failure, supersession, cancellation. Seats and status go in one step
(requirement failure-handling)."""

from __future__ import annotations

from booking_contracts.booking import BookingCancelled, BookingExpired, PaymentFailed
from booking_contracts.types import SYSTEM, Actor

from services.booking import saga
from services.booking.model import refunds
from services.booking.model.booking import Booking, PaymentStatus
from services.booking.model.closing import Closing
from services.booking.model.refunds import Amounts
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

BY = {
    "customer": State.CANCELLED_BY_CUSTOMER,
    "provider": State.CANCELLED_BY_PROVIDER,
    "admin": State.CANCELLED_BY_ADMIN,
}


def cancel(
    work: BookingWork,
    booking: Booking,
    actor: Actor,
    amounts: Amounts,
    reason: str | None,
    to: State | None = None,
    cause: str | None = None,
) -> Booking:
    """End a booking that somebody cancels, and give back what is due; `to` where the state is not the actor's own."""
    paid = booking.state is State.CONFIRMED
    booking = work.move(booking, to or BY[actor.kind], actor, reason=reason, deadline=None)
    if paid:
        booking = saga.settle(work, booking, refund=amounts.refund, release=amounts.kept)
    elif booking.payment_status is PaymentStatus.IN_FLIGHT:
        saga.void(work, booking)
    refund, kept = amounts.refund, amounts.kept
    return work.say(booking, BookingCancelled, by=actor, reason=reason, cause=cause, refund=refund, kept=kept)


def cancel_with_slot(work: BookingWork, booking: Booking, closing: Closing) -> Booking:
    """The slot was closed: CANCELLED_BY_PROVIDER, whoever closed it, with everything back."""
    paid = booking.state is State.CONFIRMED
    amounts = refunds.share(booking.escrow, 100) if paid else refunds.nothing(booking.price)
    with work.on_behalf_of(closing):
        to = State.CANCELLED_BY_PROVIDER
        return cancel(work, booking, closing.actor, amounts, "the slot was closed", to, "slot_closed")


def fail(
    work: BookingWork, booking: Booking, reason: str, message: str | None = None, code: str | None = None
) -> Booking:
    """PAYMENT_FAILED, with the sentence that the customer may be shown, and the code of a decline."""
    booking = work.move(booking, State.PAYMENT_FAILED, SYSTEM, reason=reason)
    message = message or CUSTOMER_MESSAGES[reason]
    return end(work, booking, PaymentFailed, reason=reason, customer_message=message, code=code)


def supersede(work: BookingWork, booking: Booking) -> Booking:
    """The same customer tries again: the older try ends and its seats pass on, in one transaction."""
    return fail(work, booking, "superseded")


def end(
    work: BookingWork, booking: Booking, event: type[PaymentFailed | BookingExpired], **fields: str | None
) -> Booking:
    """Give back what the current attempt may have reserved, and say what happened."""
    if booking.payment_status in (PaymentStatus.IN_FLIGHT, PaymentStatus.AUTHORIZED):
        saga.void(work, booking)
    return work.say(booking, event, **fields)
