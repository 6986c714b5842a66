"""PayBooking and AbandonPayment: a booking that was placed without a payment, or whose last try failed, is paid now; or
the customer gives up paying."""

from __future__ import annotations

from dataclasses import replace

from booking_contracts.booking import AbandonPayment, PayBooking, PaymentRequested
from booking_contracts.codes import Code, Rejected

from services.booking import saga
from services.booking.lifecycle.failed_and_expired import fail
from services.booking.lifecycle.passed_deadlines import catch_up
from services.booking.model import actors
from services.booking.model.booking import PaymentStatus
from services.booking.model.illegal_transition import illegal
from services.booking.model.states import State
from services.booking.work import BookingWork
from services.chassis.messages import Accepted, Message


def pay_booking(message: Message[PayBooking], work: BookingWork) -> Accepted:
    """Starts the next attempt, unless one is in flight."""
    command = message.body
    booking = work.booking(command.booking_id)
    actors.require(command, booking)
    booking = catch_up(work, booking)
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


def abandon_payment(message: Message[AbandonPayment], work: BookingWork) -> Accepted:
    """The customer closed the form: instant bookings end, approved ones stay payable (requirement failure-handling)."""
    booking = work.booking(message.body.booking_id)
    actors.require(message.body, booking)
    booking = catch_up(work, booking)
    if booking.state is not State.PENDING_PAYMENT:
        raise illegal(booking)
    if not booking.approval:
        booking = fail(work, booking, "abandoned")
    elif booking.payment_status is PaymentStatus.IN_FLIGHT and not saga.voided(
        work, booking.booking_id, booking.attempt
    ):
        saga.void(work, booking)
        booking = work.say(booking, PaymentRequested, attempt=booking.attempt, last_error="abandoned")
    return Accepted(booking.booking_id, booking.state)
