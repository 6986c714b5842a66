"""RescheduleBooking: a booking moves to another slot of its offering (requirements rescheduling-logic,
modification-validation)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from booking_contracts.booking import BookingRescheduled, RescheduleBooking
from booking_contracts.codes import Code, Rejected
from booking_contracts.envelope import rfc3339
from booking_contracts.types import Actor, Period

from services.booking.lifecycle.own_offers import leave
from services.booking.lifecycle.passed_deadlines import catch_up
from services.booking.lifecycle.precedence import admitted
from services.booking.model import actors, deadlines, refunds
from services.booking.model.booking import Booking
from services.booking.model.catalogue import Offering
from services.booking.model.illegal_transition import illegal
from services.booking.model.quotes import Quote
from services.booking.model.slots import Slot
from services.booking.model.states import State
from services.booking.model.wish import Wish
from services.booking.work import BookingWork
from services.chassis.messages import Accepted, Message


def reschedule_booking(message: Message[RescheduleBooking], work: BookingWork) -> Accepted:
    """Old seats are given back and new ones taken in one step; a refusal changes nothing. The price stays.

    Seats that the new slot's line offers its customer are taken; the entry is then left.
    """
    command = message.body
    booking = work.booking(command.booking_id)
    actors.require(command, booking)
    booking = catch_up(work, booking)
    _require_movable(booking, command.starts_at)
    offering = work.offering(booking.offering_id)
    wish = Wish(booking.seats, movable_until=deadlines.last_move(booking, command.actor.kind))
    room = admitted(work, offering, command.starts_at, booking.party, wish, moving=booking)
    if room.offer is not None:
        leave(work, room.offer)
    booking = _moved(work, booking, offering, room.slot, command.actor)
    return Accepted(
        booking.booking_id,
        booking.state,
        {"starts_at": rfc3339(booking.starts_at), "ends_at": rfc3339(booking.ends_at)},
    )


def _require_movable(booking: Booking, starts_at: datetime) -> None:
    if booking.state is not State.CONFIRMED:
        raise illegal(booking)
    if starts_at == booking.starts_at:
        problem = "is when the booking takes place already"
        raise Rejected(
            Code.INVALID_COMMAND, f"starts_at {problem}.", booking.booking_id, field="starts_at", problem=problem
        )


def _moved(work: BookingWork, booking: Booking, offering: Offering, slot: Slot, actor: Actor) -> Booking:
    work.occupy(slot)
    before = Period(starts_at=booking.starts_at, ends_at=booking.ends_at)
    changes = refunds.after_move(booking, actor, work.now)
    once = offering.once_per_customer
    booking = work.relocate(booking, slot, actor, once_per_customer=once, held_seconds=0, **changes)
    for quote in list(work.all(Quote)):
        if quote.booking_id == booking.booking_id and not quote.dead:
            work.put(replace(quote, dead=True))
    work.watch_deadline(booking)
    after = Period(starts_at=booking.starts_at, ends_at=booking.ends_at)
    reminders = booking.terms.reminder_minutes
    return work.say(booking, BookingRescheduled, by=actor, from_=before, to=after, reminder_minutes=reminders)
