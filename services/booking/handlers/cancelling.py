"""CancelBooking (requirements cancellation-state-machine, refund-policy)."""

from __future__ import annotations

from booking_contracts.booking import CancelBooking
from booking_contracts.codes import Code, Rejected
from booking_contracts.types import Actor

from services.booking.lifecycle.cancellation import cancel
from services.booking.lifecycle.passed_deadlines import catch_up
from services.booking.model import actors, deadlines, quotes, refunds
from services.booking.model.booking import Booking
from services.booking.model.illegal_transition import illegal
from services.booking.model.quotes import Quote
from services.booking.model.states import CANCELLED, PENDING, State
from services.booking.model.wording import named
from services.booking.work import BookingWork
from services.chassis.messages import Accepted, Message


def cancel_booking(message: Message[CancelBooking], work: BookingWork) -> Accepted:
    """Four effects at once: status, seats, settlement when paid, notification."""
    command = message.body
    booking = work.booking(command.booking_id)
    actors.require(command, booking)
    booking = still_cancellable(work, booking, command.actor)
    amounts = refunds.due(booking, command.actor, work.now)
    if command.quote_id is not None:
        amounts = quotes.promised(work.find(Quote, command.quote_id), booking, command.actor, work.now)
    booking = cancel(work, booking, command.actor, amounts, command.reason)
    return Accepted(
        booking.booking_id,
        booking.state,
        {"refund": amounts.refund.model_dump(), "kept": amounts.kept.model_dump()},
    )


def still_cancellable(work: BookingWork, booking: Booking, actor: Actor) -> Booking:
    """Allowed: PENDING_* always, CONFIRMED until the change deadline (provider and admin: until auto-complete,
    which has happened by now where it is due)."""
    booking = catch_up(work, booking)
    if booking.state in CANCELLED:
        raise Rejected(Code.ALREADY_CANCELLED, "The booking is cancelled already.", booking.booking_id)
    if booking.state not in PENDING | {State.CONFIRMED}:
        raise illegal(booking)
    limit = deadlines.change_deadline(booking)
    if actor.kind == "customer" and booking.state is State.CONFIRMED and work.now >= limit:
        raise Rejected(Code.DEADLINE_PASSED, f"Cancelling was possible until {named(limit)}.", booking.booking_id)
    return booking
