"""JoinWaitlist, LeaveWaitlist, AcceptOffer (requirement waitlist-handling; rules.md, Waitlist)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from booking_contracts.booking import (
    AcceptOffer,
    JoinWaitlist,
    LeaveWaitlist,
    WaitlistAccepted,
    WaitlistJoined,
    WaitlistLeft,
)
from booking_contracts.codes import Code, Rejected
from booking_contracts.types import Actor, Customer

from services.booking.handlers import offers
from services.booking.handlers.checking import check_provider_free, checked_slot, is_offered
from services.booking.handlers.ending import expire_what_is_due
from services.booking.handlers.placing import new_booking, open_booking
from services.booking.model import actors, placing, waitlist
from services.booking.model.booking import Booking
from services.booking.model.catalogue import Offering
from services.booking.model.placing import Wish
from services.booking.model.slots import Slot, new_slot
from services.booking.model.standing import OF_ENTRY
from services.booking.model.waitlist import Entry, EntryState
from services.booking.work import BookingWork
from services.chassis.messages import Accepted, Message


def join_waitlist(message: Message[JoinWaitlist], work: BookingWork) -> Accepted:
    """A place at the end of the line of a slot where the party does not fit."""
    command = message.body
    offering = work.offering(command.offering_id)
    _require_self(command.actor, command.customer)
    slot = work.slot(offering.offering_id, command.starts_at) or new_slot(offering, command.starts_at)
    expire_what_is_due(work, slot)
    slot = _full_slot(work, offering, command.starts_at, command, slot)
    place, position = work.end_of_line(slot.slot_id)
    entry = waitlist.new_entry(
        command.entry_id,
        offering,
        work.provider(offering.provider_id),
        slot,
        command.seats,
        command.customer,
        place,
        work.now,
    )
    entry = work.say_of(work.put(entry), WaitlistJoined, position=position)
    offers.watch(work, entry)
    return Accepted(state=entry.state, result={"position": position})


def _full_slot(work: BookingWork, offering: Offering, starts_at: datetime, command: JoinWaitlist, slot: Slot) -> Slot:
    """The slot, where waiting makes sense; else the refusal that says why not."""
    slot = work.slot(offering.offering_id, starts_at) or slot
    wish = Wish(command.seats)
    placing.check_seats(wish, offering, slot)
    open_ones = [entry for entry in work.entries_on(slot.slot_id) if entry.state in waitlist.OPEN]
    twice = any(entry.customer.id == command.customer.id for entry in open_ones)
    if twice or work.find(Entry, command.entry_id) is not None:
        raise Rejected(Code.ALREADY_WAITING, "This customer, or this entry id, is on the waitlist already.")
    if not offering.waitlist or work.now >= waitlist.closes_at(offering, starts_at):
        raise Rejected(Code.WAITLIST_CLOSED, "There is no waitlist for this slot, or no more; choose another slot.")
    placing.check_offered(starts_at, slot, work.now, offered=is_offered(work, offering, starts_at))
    placing.check_window(offering, starts_at, work.now)
    if not slot.active:
        check_provider_free(work, slot)
    if placing.fits(wish, slot):
        raise Rejected(Code.SLOT_AVAILABLE, "The seats are free; place a booking.", seats_left=slot.seats_left)
    return slot


def leave_waitlist(message: Message[LeaveWaitlist], work: BookingWork) -> Accepted:
    """Gives the place up; offered seats pass on."""
    entry = _open_entry(work, message.body.entry_id, message.body.actor)
    entry = offers.end_entry(work, entry, EntryState.LEFT, WaitlistLeft)
    return Accepted(state=entry.state)


def accept_offer(message: Message[AcceptOffer], work: BookingWork) -> Accepted:
    """The offer's hold passes to a booking at the price of this moment."""
    command = message.body
    if work.find(Booking, command.booking_id) is not None:
        raise Rejected(Code.BOOKING_EXISTS, "The booking id is taken; use a new one.", command.booking_id)
    entry = _open_entry(work, command.entry_id, command.actor)
    if entry.state is not EntryState.OFFERED:
        raise _illegal(entry)
    offering = work.offering(entry.offering_id)
    wish = Wish(entry.seats, own_seats=entry.seats)
    placing.check_payable(wish, offering)
    slot = checked_slot(work, offering, entry.starts_at, wish, held=True)
    entry = offers.step(work, entry, EntryState.ACCEPTED, booking_id=command.booking_id)
    work.say_of(entry, WaitlistAccepted, booking_id=command.booking_id)
    booking = new_booking(work, command.booking_id, offering, slot, wish, entry.customer, None)
    return open_booking(work, booking, command.actor, command.payment)


def _open_entry(work: BookingWork, entry_id: UUID, actor: Actor) -> Entry:
    """The entry, of this actor, that still hopes; an offer that is over ends first, for good."""
    entry = work.find(Entry, entry_id)
    if entry is None:
        raise Rejected(Code.ENTRY_NOT_FOUND, f"There is no waitlist entry {entry_id}.")
    _require_self(actor, entry.customer)
    entry = offers.brought_up_to_date(work, entry)
    work.keep()
    if entry.state is EntryState.EXPIRED:
        raise Rejected(Code.OFFER_EXPIRED, "The offer was open until its deadline; join again.")
    if entry.state not in waitlist.OPEN:
        raise _illegal(entry)
    return entry


def _illegal(entry: Entry) -> Rejected:
    return Rejected(Code.ILLEGAL_TRANSITION, OF_ENTRY[entry.state], state=entry.state.value)


def _require_self(actor: Actor, customer: Customer) -> None:
    if actor.kind == "admin" or (actor.kind == "customer" and actor.id == customer.id):
        return
    raise actors.not_allowed("A customer waits in their own name; an admin acts on booking.admin-commands.")
