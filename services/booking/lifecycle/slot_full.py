"""SLOT_FULL, with what helps: what is left, whether one can wait, and other slots (rules.md, Slots: `alternatives`)."""

from __future__ import annotations

from booking_contracts.codes import Code, Rejected
from booking_contracts.envelope import rfc3339

from services.booking.lifecycle.own_offers import entry_details
from services.booking.model import waitlist
from services.booking.model.availability import Alternatives
from services.booking.model.catalogue import Offering
from services.booking.model.slots import Slot
from services.booking.model.waitlist import Entry
from services.booking.model.wish import Wish
from services.booking.work import BookingWork

MOST_ALTERNATIVES = 5


def slot_full(work: BookingWork, offering: Offering, slot: Slot, wish: Wish, own: Entry | None) -> Rejected:
    """The refusal that helps: what is left, whether one can wait, and up to five other slots where the party fits.

    Who has a place in the line already (`own`), or an offer, is told of that instead.
    """
    waitable = offering.waitlist and work.now < waitlist.closes_at(offering, slot.starts_at)
    known = work.find(Alternatives, offering.offering_id)
    found = []
    for starts_at, seats_left in known.free if known else ():
        other = work.slot(offering.offering_id, starts_at)
        seats_left = other.seats_left if other else seats_left
        if starts_at != slot.starts_at and seats_left >= wish.seats:
            found.append((starts_at, seats_left))
    return Rejected(
        Code.SLOT_FULL,
        _instead(slot, own, waitable=waitable),
        None,
        seats_left=slot.seats_left,
        waitlist_open=waitable,
        alternatives=[
            {"starts_at": rfc3339(starts_at), "seats_left": seats_left}
            for starts_at, seats_left in found[:MOST_ALTERNATIVES]
        ],
        **entry_details(own),
    )


def _instead(slot: Slot, own: Entry | None, *, waitable: bool) -> str:
    if own is not None and own.holds:
        return (
            f"{own.seats} seats are held for you: accept them with AcceptOffer and entry_id {own.entry_id}, or book at "
            f"most {own.seats + slot.seats_left} seats for who waits with that entry."
        )
    left = f"{slot.seats_left} seats are left"
    if own is not None:
        return f"{left}, and you wait already (entry {own.entry_id}): you are told when it is your turn."
    return f"{left}; choose another slot{' or join the waitlist' if waitable else ''}."
