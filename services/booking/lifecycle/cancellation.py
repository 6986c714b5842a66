"""What a cancellation does: seats and status in one step, then the money goes back (requirement
cancellation-state-machine; rules.md, Payment; Slots). Who may cancel until when: handlers/cancelling.py."""

from __future__ import annotations

from booking_contracts.booking import BookingCancelled
from booking_contracts.types import Actor

from services.booking import saga
from services.booking.model import refunds
from services.booking.model.booking import Booking, PaymentStatus
from services.booking.model.closing import Closing
from services.booking.model.refunds import Amounts
from services.booking.model.states import State
from services.booking.work import BookingWork

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
