"""RaiseDispute and ResolveDispute (requirement disputes): the escrow stays until an admin decides where it goes.

That a dispute is still open, notifications tells the admin by timers of its own: it knows of DisputeRaised.
"""

from __future__ import annotations

from booking_contracts.booking import DisputeRaised, DisputeResolved, RaiseDispute, ResolveDispute
from booking_contracts.codes import Code, Rejected

from services.booking import saga
from services.booking.handlers.sessions import require_open_window
from services.booking.lifecycle.passed_deadlines import catch_up
from services.booking.model import actors, dispute_resolution
from services.booking.model.illegal_transition import illegal
from services.booking.model.states import State
from services.booking.work import BookingWork
from services.chassis.messages import Accepted, Message


def raise_dispute(message: Message[RaiseDispute], work: BookingWork) -> Accepted:
    """From the start on, until the window closes; of a dispute and an auto-release at once, one wins."""
    command = message.body
    booking = work.booking(command.booking_id)
    actors.require(command, booking)
    booking = catch_up(work, booking)
    require_open_window(booking)
    if booking.state not in (State.CONFIRMED, State.PENDING_CONFIRMATION):
        raise illegal(booking)
    if booking.state is State.CONFIRMED and work.now < booking.starts_at:
        sentence = "The session has not begun; cancel the booking, or dispute it from its start on."
        raise Rejected(Code.TOO_EARLY, sentence, booking.booking_id)
    booking = work.move(booking, State.DISPUTED, command.actor, reason=command.reason, deadline=None)
    booking = work.say(booking, DisputeRaised, by=command.actor, reason=command.reason)
    return Accepted(booking.booking_id, booking.state)


def resolve_dispute(message: Message[ResolveDispute], work: BookingWork) -> Accepted:
    """An admin's decision: what the customer and the provider get adds up to what is in escrow."""
    command = message.body
    booking = work.booking(command.booking_id)
    actors.require_admin(command.actor, "resolves disputes", booking.booking_id)
    booking = catch_up(work, booking)
    if booking.state is not State.DISPUTED:
        raise illegal(booking)
    outcome = dispute_resolution.outcome(booking, refund=command.refund, release=command.release)
    booking = work.move(booking, outcome, command.actor, reason=command.note)
    booking = saga.settle(work, booking, refund=command.refund, release=command.release)
    booking = work.say(booking, DisputeResolved, refund=command.refund, release=command.release, note=command.note)
    return Accepted(booking.booking_id, booking.state)
