"""RescheduleBooking: a booking moves to another slot of its offering (requirements rescheduling-logic,
modification-validation)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from booking_contracts.booking import BookingRescheduled, RescheduleBooking
from booking_contracts.codes import Code, Rejected
from booking_contracts.types import Actor, Period

from services.booking.handlers.cancelling import illegal
from services.booking.handlers.checking import checked_slot
from services.booking.handlers.ending import expire_if_due, expire_what_is_due
from services.booking.model import actors, refunds
from services.booking.model.booking import Booking
from services.booking.model.placing import Wish
from services.booking.model.quotes import Quote
from services.booking.model.slots import Slot, new_slot
from services.booking.model.states import State
from services.booking.model.wording import rfc_3339
from services.booking.work import BookingWork
from services.chassis.messages import Accepted, Message


def reschedule_booking(message: Message[RescheduleBooking], work: BookingWork) -> Accepted:
    """Old seats are given back and new ones taken in one step; a refusal changes nothing. The price stays."""
    command = message.body
    booking = work.booking(command.booking_id)
    actors.require_party(command.actor, booking)
    booking = expire_if_due(work, booking)
    work.keep()
    _require_movable(booking, command.starts_at)
    offering = work.offering(booking.offering_id)
    slot = work.slot(offering.offering_id, command.starts_at) or new_slot(offering, command.starts_at)
    expire_what_is_due(work, slot)
    wish = Wish(booking.seats, movable_until=_limit(booking, command.actor))
    slot = checked_slot(work, offering, command.starts_at, wish, leaving=booking)
    booking = _moved(work, booking, slot, command.actor)
    return Accepted(
        booking.booking_id,
        booking.state,
        {"starts_at": rfc_3339(booking.starts_at), "ends_at": rfc_3339(booking.ends_at)},
    )


def _require_movable(booking: Booking, starts_at: datetime) -> None:
    if booking.state is not State.CONFIRMED:
        raise illegal(booking)
    if starts_at == booking.starts_at:
        problem = "is when the booking takes place already"
        raise Rejected(
            Code.INVALID_COMMAND, f"starts_at {problem}.", booking.booking_id, field="starts_at", problem=problem
        )


def _limit(booking: Booking, actor: Actor) -> datetime:
    """Customers until the change deadline, providers and admins until the start."""
    minutes = booking.terms.change_deadline_minutes if actor.kind == "customer" else 0
    return booking.starts_at - timedelta(minutes=minutes)


def _moved(work: BookingWork, booking: Booking, slot: Slot, actor: Actor) -> Booking:
    work.occupy(slot)
    before = Period(starts_at=booking.starts_at, ends_at=booking.ends_at)
    booking = work.relocate(booking, slot, actor, **_refund_after(booking, actor, work.now))
    for quote in list(work.all(Quote)):
        if quote.booking_id == booking.booking_id and not quote.dead:
            work.put(replace(quote, dead=True))
    work.watch_deadline(booking)
    after = Period(starts_at=booking.starts_at, ends_at=booking.ends_at)
    return work.say(booking, BookingRescheduled, by=actor, from_=before, to=after)


def _refund_after(booking: Booking, actor: Actor, now: datetime) -> dict[str, int | bool]:
    """No moving away to cancel for free: a customer's move caps what comes back at what was due at that instant.

    Whom the provider moves gets everything back, whatever moves came before.
    """
    if actor.kind == "customer":
        return {"refund_cap_percent": refunds.due_percent(booking, now)}
    return {"refund_cap_percent": 100, "full_refund": True}
