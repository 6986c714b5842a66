"""Who wants seats is refused for the same reasons in the same order: who books, accepts an offer, moves, joins a line
(rules.md, Precedence of codes; requirements modification-validation, conflict-check, waitlist-handling).

What comes before this order, what is not found and NOT_ALLOWED, stands at the top of each command's handler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from booking_contracts.codes import Code, Rejected

from services.booking.lifecycle import hoarding
from services.booking.lifecycle.bookable import check_provider_free, is_offered
from services.booking.lifecycle.next_try import own_tries
from services.booking.lifecycle.own_offers import offer_for, own_entry
from services.booking.lifecycle.passed_deadlines import catch_up_slot
from services.booking.lifecycle.slot_full import slot_full
from services.booking.lifecycle.waits_once import check_waits_once
from services.booking.model import waitlist
from services.booking.model.booking import Booking
from services.booking.model.catalogue import Offering
from services.booking.model.notice_and_horizon import check_window
from services.booking.model.once_per_customer import check_comes_once
from services.booking.model.people import Party
from services.booking.model.price import check_payable, check_price, total
from services.booking.model.slots import Slot, check_offered, new_slot
from services.booking.model.waitlist import Entry
from services.booking.model.wish import Wish, check_attendee, check_movable, check_seats, fits
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
    offer = offer or offer_for(own, party)
    older = [] if moving else own_tries(work, slot, party)
    held = [*(booking.seats for booking in older), *([offer.seats] if offer else [])]
    wish = replace(wish, own_seats=sum(held))
    _check_party(work, offering, slot, party, wish, older, moving)
    slot = _checked_slot(work, offering, starts_at, wish, leaving=moving, held=offer is not None)
    if not fits(wish, slot):
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
    _check_party(work, offering, slot, party, wish, own_tries(work, slot, party))
    check_waits_once(own_entry(work, slot, party), work.find(Entry, entry_id))
    if not offering.waitlist or work.now >= waitlist.closes_at(offering, starts_at):
        raise Rejected(Code.WAITLIST_CLOSED, "There is no waitlist for this slot, or no more; choose another slot.")
    slot = _checked_slot(work, offering, starts_at, wish)
    if fits(wish, slot):
        raise Rejected(Code.SLOT_AVAILABLE, "The seats are free; place a booking.", seats_left=slot.seats_left)
    return slot


def _looked_at(work: BookingWork, offering: Offering, starts_at: datetime) -> Slot:
    """The slot, after what is over there has ended."""
    slot = work.slot(offering.offering_id, starts_at) or new_slot(offering, starts_at)
    catch_up_slot(work, slot)
    return work.slot(offering.offering_id, starts_at) or slot


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
        check_attendee(offering, party.attendee)
    check_seats(wish, offering, slot)
    if moving is None:
        check_payable(wish, offering)
    theirs = work.attended_by(party.comer, slot.slot_id)
    check_comes_once(offering, theirs, replaced=older, moving=moving)


def _checked_slot(
    work: BookingWork,
    offering: Offering,
    starts_at: datetime,
    wish: Wish,
    *,
    leaving: Booking | None = None,
    held: bool = False,
) -> Slot:
    """The slot where seats may be had if any are left, or what is refused first.

    `leaving` is a booking that gives its seats elsewhere back by moving here. Seats `held` by an offer of the
    waitlist stay offered, whatever schedule, notice and horizon have become.
    """
    slot = work.slot(offering.offering_id, starts_at)
    offered = held or is_offered(work, offering, starts_at)
    check_offered(starts_at, slot, work.now, offered=offered)
    check_movable(wish, work.now)
    if not held:
        check_window(offering, starts_at, work.now)
    if wish.expected_price is not None:
        check_price(wish, total(offering.price, wish.seats))
    slot = slot or new_slot(offering, starts_at)
    if not slot.active:
        check_provider_free(work, slot, leaving)
    return slot
