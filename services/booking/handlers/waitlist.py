"""JoinWaitlist, LeaveWaitlist, AcceptOffer (requirement waitlist-handling; rules.md, Waitlist)."""

from __future__ import annotations

from uuid import UUID

from booking_contracts.booking import (
    AcceptOffer,
    JoinWaitlist,
    LeaveWaitlist,
    WaitlistJoined,
)
from booking_contracts.codes import Code, Rejected
from booking_contracts.types import Actor

from services.booking.handlers.placing import open_booking
from services.booking.lifecycle.entry_steps import watch
from services.booking.lifecycle.own_offers import leave
from services.booking.lifecycle.passed_deadlines import catch_up_entry
from services.booking.lifecycle.precedence import admitted, admitted_to_line
from services.booking.model import actors, waitlist
from services.booking.model.booking import Booking
from services.booking.model.illegal_transition import illegal_entry
from services.booking.model.people import Party
from services.booking.model.waitlist import Entry, EntryState
from services.booking.model.wish import Wish
from services.booking.work import BookingWork
from services.chassis.messages import Accepted, Message

WAITS = "A customer waits in their own name; an admin acts on"


def join_waitlist(message: Message[JoinWaitlist], work: BookingWork) -> Accepted:
    """A place at the end of the line of a slot where the party does not fit."""
    command = message.body
    offering = work.offering(command.offering_id)
    actors.require_self(command.actor, command.customer, WAITS)
    party = Party(command.customer, command.attendee)
    slot = admitted_to_line(work, offering, command.starts_at, party, command.seats, command.entry_id)
    place, position = work.end_of_line(slot.slot_id)
    provider = work.provider(offering.provider_id)
    entry = waitlist.new_entry(command.entry_id, offering, provider, slot, command.seats, party, place, work.now)
    entry = work.say_of(work.put(entry), WaitlistJoined, position=position)
    watch(work, entry)
    return Accepted(state=entry.state, result={"position": position})


def leave_waitlist(message: Message[LeaveWaitlist], work: BookingWork) -> Accepted:
    """Gives the place up; offered seats pass on."""
    entry = _open_entry(work, message.body.entry_id, message.body.actor)
    entry = leave(work, entry)
    return Accepted(state=entry.state)


def accept_offer(message: Message[AcceptOffer], work: BookingWork) -> Accepted:
    """The offer's hold passes to a booking at the price of this moment; who comes may be named anew."""
    command = message.body
    if work.find(Booking, command.booking_id) is not None:
        raise Rejected(Code.BOOKING_EXISTS, "The booking id is taken; use a new one.", command.booking_id)
    entry = _open_entry(work, command.entry_id, command.actor)
    if entry.state is not EntryState.OFFERED:
        raise illegal_entry(entry)
    offering = work.offering(entry.offering_id)
    party = Party(entry.customer, command.attendee or entry.attendee)
    wish = Wish(entry.seats)
    room = admitted(work, offering, entry.starts_at, party, wish, offer=entry)
    return open_booking(work, command.booking_id, offering, room, party, wish, command.actor, command.payment)


def _open_entry(work: BookingWork, entry_id: UUID, actor: Actor) -> Entry:
    """The entry, of this actor, that is still open; an offer past its deadline ends first, and stays ended."""
    entry = work.find(Entry, entry_id)
    if entry is None:
        raise Rejected(Code.ENTRY_NOT_FOUND, f"There is no waitlist entry {entry_id}.")
    actors.require_self(actor, entry.customer, WAITS)
    entry = catch_up_entry(work, entry)
    if entry.state is EntryState.EXPIRED:
        raise Rejected(Code.OFFER_EXPIRED, "The offer was open until its deadline; join again.")
    if entry.state not in waitlist.OPEN:
        raise illegal_entry(entry)
    return entry
