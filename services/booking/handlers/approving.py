"""ApproveBooking and RejectBooking (requirement approval-flow): no authorisation before approval."""

from __future__ import annotations

from dataclasses import replace

from booking_contracts.booking import ApproveBooking, BookingApproved, BookingRejected, RejectBooking
from booking_contracts.codes import Code, Rejected
from booking_contracts.envelope import rfc3339
from booking_contracts.types import PaymentChoice

from services.booking import saga
from services.booking.lifecycle.passed_deadlines import catch_up
from services.booking.model import actors, deadlines
from services.booking.model.booking import Booking
from services.booking.model.illegal_transition import illegal
from services.booking.model.states import State
from services.booking.work import BookingWork
from services.chassis.messages import Accepted, Message

WALLET = PaymentChoice(method="wallet")


def approve_booking(message: Message[ApproveBooking], work: BookingWork) -> Accepted:
    """Answers PENDING_PAYMENT and tries the payment named at Place, or else the wallet.

    Where the try fails the booking stays payable until the payment deadline.
    """
    actor = message.body.actor
    booking = work.booking(message.body.booking_id)
    actors.require(message.body, booking)
    booking = _awaiting_approval(work, booking)
    deadline = deadlines.of_payment(booking, work.now)
    booking = work.move(booking, State.PENDING_PAYMENT, actor, deadline=deadline)
    work.watch_deadline(booking)
    booking = work.say(booking, BookingApproved)
    booking = saga.authorize(work, replace(booking, payment=booking.payment or WALLET))
    return Accepted(booking.booking_id, booking.state, {"deadline": rfc3339(deadline)})


def reject_booking(message: Message[RejectBooking], work: BookingWork) -> Accepted:
    """The provider does not want it; the seats are free at once and nothing was ever charged."""
    command = message.body
    booking = work.booking(command.booking_id)
    actors.require(command, booking)
    booking = _awaiting_approval(work, booking)
    booking = work.move(booking, State.REJECTED_BY_PROVIDER, command.actor, reason=command.reason, deadline=None)
    booking = work.say(booking, BookingRejected, reason=command.reason)
    return Accepted(booking.booking_id, booking.state)


def _awaiting_approval(work: BookingWork, booking: Booking) -> Booking:
    """PENDING_APPROVAL before its deadline; after it the answer is the same whether or not the timer has run."""
    booking = catch_up(work, booking)
    if booking.state is State.EXPIRED:
        raise Rejected(Code.DEADLINE_PASSED, "The time to decide is over; the request has expired.", booking.booking_id)
    if booking.state is not State.PENDING_APPROVAL:
        raise illegal(booking)
    return booking
