"""PayBooking: a booking that was placed without a payment, or whose last try failed, is paid now."""

from __future__ import annotations

from dataclasses import replace

from booking_contracts.booking import PayBooking
from booking_contracts.codes import Code, Rejected

from services.booking import saga
from services.booking.handlers.cancelling import illegal
from services.booking.lifecycle.ending import expire_if_due
from services.booking.model import actors
from services.booking.model.booking import PaymentStatus
from services.booking.model.states import State
from services.booking.work import BookingWork
from services.chassis.messages import Accepted, Message


def pay_booking(message: Message[PayBooking], work: BookingWork) -> Accepted:
    """Starts the next attempt, unless one is in flight."""
    command = message.body
    booking = work.booking(command.booking_id)
    actors.require_customer(command.actor, booking)
    booking = expire_if_due(work, booking)
    work.keep()
    if booking.state is State.EXPIRED:
        raise Rejected(Code.DEADLINE_PASSED, "The time to pay is over; book again.", booking.booking_id)
    if booking.state is not State.PENDING_PAYMENT:
        raise illegal(booking)
    if booking.payment_status is PaymentStatus.IN_FLIGHT:
        raise Rejected(
            Code.ILLEGAL_TRANSITION,
            "A payment is on its way; abandon it first or wait for its outcome.",
            booking.booking_id,
            state=booking.state.value,
            reason="payment_in_progress",
        )
    booking = saga.authorize(work, replace(booking, payment=command.payment))
    return Accepted(booking.booking_id, booking.state)
