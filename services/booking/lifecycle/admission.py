"""The one way in: who books, accepts an offer, moves a booking or joins a line meets the same rules, in the same order
(requirements modification-validation, conflict-check, waitlist-handling)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from booking_contracts.booking import WaitlistAccepted
from booking_contracts.codes import Code, Rejected

from services.booking.lifecycle import hoarding, offers
from services.booking.lifecycle.due import catch_up_slot
from services.booking.lifecycle.ending import supersede
from services.booking.lifecycle.seats import checked_slot, entry_details, slot_full
from services.booking.model import placing, waitlist
from services.booking.model.booking import Booking
from services.booking.model.catalogue import Offering
from services.booking.model.people import Party
from services.booking.model.placing import Wish
from services.booking.model.slots import Slot, new_slot
from services.booking.model.states import State
from services.booking.model.waitlist import Entry, EntryState
from services.booking.work import BookingWork


@dataclass(frozen=True, slots=True)
class Admitted:
    """A slot with room, and what gives its seats there to who is let in: own unpaid tries, an own offer."""

    slot: Slot
    older: Sequence[Booking] = ()
    offer: Entry | None = None


def admitted(
    work: BookingWork,
    offering: Offering,
    starts_at: datetime,
    party: Party,
    wish: Wish,
    *,
    offer: Entry | None = None,
    moving: Booking | None = None,
) -> Admitted:
    """Room for a party, or the refusal that comes first.

    `offer` is the one that is accepted; else one that the customer has there is taken. `moving` is a booking that comes
    from another slot, with the price and the people it has.
    """
    slot = _looked_at(work, offering, starts_at)
    own = own_entry(work, slot, party)
    if offer is None and own is not None and own.holds and _is_for(own, party):
        offer = own
    older = [] if moving else _own_tries(work, slot, party)
    held = [*(booking.seats for booking in older), *([offer.seats] if offer else [])]
    wish = replace(wish, own_seats=sum(held))
    _check_party(work, offering, slot, party, wish, older, moving)
    slot = checked_slot(work, offering, starts_at, wish, leaving=moving, held=offer is not None)
    if not placing.fits(wish, slot):
        hoarding.note_wanted(work, slot, party.payer)
        raise slot_full(work, offering, slot, wish, own)
    if offer is None and moving is None:
        hoarding.check_renewal(work, offering, slot, party.payer, older)
    return Admitted(slot, older, offer)


def admitted_to_line(
    work: BookingWork, offering: Offering, starts_at: datetime, party: Party, seats: int, entry_id: UUID
) -> Slot:
    """The full slot where the party may wait, or the refusal that comes first."""
    slot = _looked_at(work, offering, starts_at)
    wish = Wish(seats)
    _check_party(work, offering, slot, party, wish, _own_tries(work, slot, party))
    _check_waits_once(own_entry(work, slot, party), work.find(Entry, entry_id))
    if not offering.waitlist or work.now >= waitlist.closes_at(offering, starts_at):
        raise Rejected(Code.WAITLIST_CLOSED, "There is no waitlist for this slot, or no more; choose another slot.")
    slot = checked_slot(work, offering, starts_at, wish)
    if placing.fits(wish, slot):
        raise Rejected(Code.SLOT_AVAILABLE, "The seats are free; place a booking.", seats_left=slot.seats_left)
    return slot


def take_over(work: BookingWork, room: Admitted, booking_id: UUID) -> None:
    """The seats of older tries and of the offer are free for the booking, and both end, in the same step."""
    for booking in room.older:
        supersede(work, booking)
    if room.offer is not None:
        entry = offers.step(work, room.offer, EntryState.ACCEPTED, booking_id=booking_id)
        work.say_of(entry, WaitlistAccepted, booking_id=booking_id)


def own_entry(work: BookingWork, slot: Slot, party: Party) -> Entry | None:
    """The customer's place in the slot's line, or the offer that they have; they have one at most."""
    found = (entry for entry in work.entries_on(slot.slot_id) if entry.customer.id == party.customer.id)
    return next((entry for entry in found if entry.state in waitlist.OPEN), None)


def _looked_at(work: BookingWork, offering: Offering, starts_at: datetime) -> Slot:
    """The slot, after what is over there has ended."""
    slot = work.slot(offering.offering_id, starts_at) or new_slot(offering, starts_at)
    catch_up_slot(work, slot)
    return work.slot(offering.offering_id, starts_at) or slot


def _is_for(entry: Entry, party: Party) -> bool:
    """Seats that are offered for one attendee are not for another; where one of both says nothing, they are."""
    return None in (entry.attendee, party.attendee) or entry.party.comer.is_(party.comer)


def _own_tries(work: BookingWork, slot: Slot, party: Party) -> list[Booking]:
    """The same customer's unpaid tries for the same attendee on this slot: their next try takes the seats over."""
    return [
        booking
        for booking in work.paid_by(party.payer, slot.slot_id)
        if booking.state is State.PENDING_PAYMENT
        and (booking.customer.id, booking.party.attendee_id) == (party.customer.id, party.attendee_id)
    ]


def _check_party(
    work: BookingWork,
    offering: Offering,
    slot: Slot,
    party: Party,
    wish: Wish,
    older: Sequence[Booking],
    moving: Booking | None = None,
) -> None:
    """Who comes is named, they are not too many and not there already, and what they cost can be paid.

    A booking that moves was agreed before: its people and its price stay as they are.
    """
    if moving is None:
        placing.check_attendee(offering, party.attendee)
    placing.check_seats(wish, offering, slot)
    if moving is None:
        placing.check_payable(wish, offering)
    if offering.once_per_customer:
        for booking in work.attended_by(party.comer, slot.slot_id):
            if booking.lives and booking not in older and booking.booking_id != (moving and moving.booking_id):
                raise placing.booked_already(booking)


def _check_waits_once(own: Entry | None, same_id: Entry | None) -> None:
    if own is not None and own.holds:
        text = f"{own.seats} seats are held for you already: accept them with AcceptOffer and entry_id {own.entry_id}."
    elif own is not None:
        text = f"You wait for this slot already (entry {own.entry_id}); leave that place first to wait for other seats."
    elif same_id is not None:
        text = "The entry id is taken; use a new one."
    else:
        return
    raise Rejected(Code.ALREADY_WAITING, text, None, **entry_details(own))
