"""What time alone does to a session: it completes itself, and its escrow is released (requirements ghost-provider,
double-confirmation). A command that comes after the instant but before the timer does the same first."""

from __future__ import annotations

from datetime import timedelta

from booking_contracts.booking import BookingCompleted, SessionCompleted
from booking_contracts.types import SYSTEM, Actor, Money

from services.booking import saga
from services.booking.model.booking import Booking
from services.booking.model.states import State
from services.booking.work import BookingWork


def finish_if_due(work: BookingWork, booking: Booking) -> Booking:
    """One step at most: the dispute window starts when PENDING_CONFIRMATION is entered, however late that is."""
    if booking.due_at is None or work.now < booking.due_at:
        return booking
    if booking.state is State.CONFIRMED:
        return complete(work, booking, SYSTEM)
    if booking.state is State.PENDING_CONFIRMATION:
        return release(work, booking, SYSTEM)
    return booking


def complete(work: BookingWork, booking: Booking, by: Actor) -> Booking:
    """The session is over; from now on the customer can confirm or dispute, until the deadline."""
    deadline = work.now + timedelta(hours=booking.terms.dispute_window_hours)
    booking = work.move(booking, State.PENDING_CONFIRMATION, by, deadline=deadline)
    work.watch_deadline(booking)
    return work.say(booking, SessionCompleted, by=by)


def release(work: BookingWork, booking: Booking, by: Actor) -> Booking:
    """All of the escrow to the provider, once: the state is left in the step that asks for it (requirement escrow).

    SettlePayment may overtake the capture: payments captures first, so nothing is released before it is captured.
    """
    booking = work.move(booking, State.COMPLETED, by, deadline=None)
    nothing = Money(amount=0, currency=booking.price.currency)
    booking = saga.settle(work, booking, refund=nothing, release=booking.price)
    return work.say(booking, BookingCompleted, release=booking.price)
