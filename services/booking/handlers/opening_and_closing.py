"""OpenSlot and CloseSlot: hours offered one by one, and hours that are not after all (requirement schedule)."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from booking_contracts.booking import CloseSlot, OpenSlot, SlotClosed, SlotOpened
from booking_contracts.codes import Code, Rejected

from services.booking.lifecycle.bookable import is_offered
from services.booking.lifecycle.cancellation import cancel_with_slot
from services.booking.lifecycle.hours_gone import close_entry
from services.booking.lifecycle.passed_deadlines import catch_up, catch_up_slot
from services.booking.local_messages import SlotClosing
from services.booking.model import actors
from services.booking.model.catalogue import Offering
from services.booking.model.closing import CLOSED_WITH_SLOT, Closing, Rest
from services.booking.model.slots import new_slot
from services.booking.model.waitlist import OPEN
from services.booking.work import BookingWork
from services.chassis.messages import Accepted, Message


def open_slot(message: Message[OpenSlot], work: BookingWork) -> Accepted:
    """A one-off slot, or a closed one again; never below the seats taken."""
    command = message.body
    offering = owned_offering(message.key, command.offering_id, work)
    actors.require_owner(command.actor, offering.provider_id)
    if command.starts_at <= work.now:
        raise Rejected(Code.SLOT_IN_PAST, "The slot would have started; choose a later time.")
    slot = work.slot(offering.offering_id, command.starts_at) or new_slot(offering, command.starts_at)
    if work.closing_of(slot.slot_id) is not None:
        raise Rejected(Code.TOO_BUSY, "The slot's bookings are still being cancelled; send it again with a new id.")
    catch_up_slot(work, slot)
    slot = work.slot(offering.offering_id, command.starts_at) or slot
    capacity = command.capacity or slot.capacity
    if capacity < slot.taken:
        problem = f"is below the {slot.taken} seats taken"
        raise _bad_capacity(problem)
    if command.capacity is not None and not offering.can_charge(command.capacity):
        raise _bad_capacity("times the offering's price is more than can be paid at once")
    own = command.capacity is not None or (slot.opened and slot.own_capacity)
    slot = work.put(replace(slot, capacity=capacity, own_capacity=own, opened=True, closed=False))
    work.freed.add(slot.slot_id)
    work.announce(
        work.provider(offering.provider_id),
        SlotOpened,
        offering_id=slot.offering_id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        capacity=slot.capacity,
    )
    return Accepted(result={"capacity": slot.capacity})


def close_slot(message: Message[CloseSlot], work: BookingWork) -> Accepted:
    """Nothing more is booked there; what is booked is cancelled as by the provider, with everything back.

    A slice of it now, the rest by SlotClosing; `cancelled` counts them all.
    """
    command = message.body
    offering = owned_offering(message.key, command.offering_id, work)
    actors.require_owner(command.actor, offering.provider_id)
    slot = work.slot(offering.offering_id, command.starts_at)
    if command.starts_at <= work.now:
        raise Rejected(Code.SLOT_IN_PAST, "The slot has started; cancel its bookings one by one.")
    if slot is None and not is_offered(work, offering, command.starts_at):
        raise Rejected(Code.SLOT_NOT_OFFERED, "No such slot is offered; ask for availability.")
    slot = slot or new_slot(offering, command.starts_at)
    if not slot.closed:
        work.put(replace(slot, closed=True))
        times = {"starts_at": slot.starts_at, "ends_at": slot.ends_at}
        work.announce(work.provider(slot.provider_id), SlotClosed, offering_id=slot.offering_id, **times)
    new = Closing(slot.slot_id, work.now, command.actor, message.id, message.correlation_id)
    closing = work.closing_of(slot.slot_id) or new
    cancelled = _end_slice(work, closing)
    catch_up_slot(work, slot)
    rest = work.find(Rest, slot.slot_id)
    if rest is not None and rest.living:
        _go_on(work, work.put(closing))
        cancelled += rest.cancelled
    return Accepted(result={"cancelled": cancelled})


def slot_closing(message: Message[SlotClosing], work: BookingWork) -> None:
    """The next slice of a closed slot."""
    closing = work.closing_of(message.body.slot_id)
    if closing is None:
        return
    _end_slice(work, closing)
    rest = work.find(Rest, closing.slot_id)
    if rest is not None and rest.living:
        _go_on(work, closing)
    else:
        work.put(replace(closing, over=True))


def _go_on(work: BookingWork, closing: Closing) -> None:
    work.remind(SlotClosing(slot_id=closing.slot_id), key=str(closing.slot_id), due_at=work.now)


def _end_slice(work: BookingWork, closing: Closing) -> int:
    """All that this batch holds of the slot's line and bookings; returns how many bookings were cancelled."""
    for entry in [entry for entry in work.entries_on(closing.slot_id) if entry.state in OPEN]:
        with work.on_behalf_of(closing):
            close_entry(work, entry, "not_offered")
    found = [booking for booking in work.bookings_on(closing.slot_id) if booking.state in CLOSED_WITH_SLOT]
    cancelled = [booking for booking in found if closing.cancels(booking)]
    for booking in cancelled:
        cancel_with_slot(work, booking, closing)
    for booking in found:
        catch_up(work, work.booking(booking.booking_id))
    return len(cancelled)


def _bad_capacity(problem: str) -> Rejected:
    return Rejected(Code.INVALID_COMMAND, f"capacity {problem}.", field="capacity", problem=problem)


def owned_offering(key: str, offering_id: UUID, work: BookingWork) -> Offering:
    """The offering of a slot command, whose key is the offering's provider id."""
    offering = work.offering(offering_id)
    if key != str(offering.provider_id):
        problem = f"must be the id of the offering's provider, {offering.provider_id}"
        raise Rejected(Code.INVALID_COMMAND, f"key {problem}.", field="key", problem=problem)
    return offering
