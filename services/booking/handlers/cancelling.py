"""CancelBooking (requirements cancellation-state-machine, refund-policy)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from booking_contracts.booking import CancelBooking
from booking_contracts.codes import Code, Rejected
from booking_contracts.types import Actor

from services.booking.lifecycle.due import catch_up
from services.booking.lifecycle.ending import cancel
from services.booking.model import actors, refunds
from services.booking.model.booking import Booking
from services.booking.model.illegal_transition import illegal
from services.booking.model.quotes import Quote
from services.booking.model.refunds import Amounts
from services.booking.model.states import CANCELLED, PENDING, State
from services.booking.model.wording import named
from services.booking.work import BookingWork
from services.chassis.messages import Accepted, Message


def cancel_booking(message: Message[CancelBooking], work: BookingWork) -> Accepted:
    """Four effects at once: status, seats, settlement when paid, notification."""
    command = message.body
    booking = work.booking(command.booking_id)
    actors.require_party(command.actor, booking, attendee_too=True)
    booking = still_cancellable(work, booking, command.actor)
    amounts = amounts_due(work, booking, command.actor)
    if command.quote_id is not None:
        amounts = honoured(work, booking, command.actor, command.quote_id)
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
    limit = booking.starts_at - timedelta(minutes=booking.terms.change_deadline_minutes)
    if actor.kind == "customer" and booking.state is State.CONFIRMED and work.now >= limit:
        raise Rejected(Code.DEADLINE_PASSED, f"Cancelling was possible until {named(limit)}.", booking.booking_id)
    return booking


def amounts_due(work: BookingWork, booking: Booking, actor: Actor) -> Amounts:
    if booking.state is not State.CONFIRMED or actor.kind == "system":
        return refunds.nothing(booking.price)
    return refunds.on_cancellation(booking, actor.kind, work.now)


def honoured(work: BookingWork, booking: Booking, actor: Actor, quote_id: UUID) -> Amounts:
    """What a quote promised. Raises QUOTE_EXPIRED where it is unknown, dead, or another actor's."""
    quote = work.find(Quote, quote_id)
    if quote is None or not quote.honoured(booking, actor, work.now):
        raise Rejected(Code.QUOTE_EXPIRED, "The quote no longer holds; ask for a new one.", booking.booking_id)
    return quote.amounts
