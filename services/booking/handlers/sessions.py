"""CompleteSession and ConfirmSession: the session is over, and the customer is content."""

from __future__ import annotations

from booking_contracts.booking import CompleteSession, ConfirmSession
from booking_contracts.codes import Code, Rejected

from services.booking.lifecycle.passed_deadlines import catch_up, complete, release
from services.booking.model import actors
from services.booking.model.booking import Booking
from services.booking.model.illegal_transition import illegal
from services.booking.model.states import State
from services.booking.model.wording import named
from services.booking.work import BookingWork
from services.chassis.messages import Accepted, Message


def complete_session(message: Message[CompleteSession], work: BookingWork) -> Accepted:
    """The provider says that it took place; not before its end (requirement deadline-enforcement)."""
    actor = message.body.actor
    booking = work.booking(message.body.booking_id)
    actors.require(message.body, booking)
    booking = catch_up(work, booking)
    if booking.state is not State.CONFIRMED:
        raise illegal(booking)
    if work.now < booking.ends_at:
        sentence = f"The session ends at {named(booking.ends_at)}; complete it then."
        raise Rejected(Code.TOO_EARLY, sentence, booking.booking_id)
    booking = complete(work, booking, actor)
    return Accepted(booking.booking_id, booking.state)


def confirm_session(message: Message[ConfirmSession], work: BookingWork) -> Accepted:
    """The customer, or the attendee, confirms before the window closes: the escrow is released now."""
    actor = message.body.actor
    booking = work.booking(message.body.booking_id)
    actors.require(message.body, booking)
    booking = catch_up(work, booking)
    require_open_window(booking)
    if booking.state is not State.PENDING_CONFIRMATION:
        raise illegal(booking)
    booking = release(work, booking, actor)
    return Accepted(booking.booking_id, booking.state)


def require_open_window(booking: Booking) -> None:
    """After early confirmation, too, there is nothing left to confirm or to dispute: the money is released."""
    if booking.state is State.COMPLETED:
        sentence = "The time to confirm or dispute is over and the provider is paid."
        raise Rejected(Code.WINDOW_CLOSED, sentence, booking.booking_id)
