"""Whether a slot can be had at all, and the refusal where it is full; admission.py decides who may ask
(requirement modification-validation)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from booking_contracts.codes import Code, Rejected
from booking_contracts.envelope import rfc3339
from pydantic import JsonValue

from services.booking.model import placing, waitlist
from services.booking.model.availability import Alternatives
from services.booking.model.booking import Booking
from services.booking.model.catalogue import Offering
from services.booking.model.placing import Wish
from services.booking.model.schedule import Schedule, offers
from services.booking.model.slots import Crowded, Slot, new_slot
from services.booking.model.waitlist import Entry
from services.booking.work import BookingWork

MOST_ALTERNATIVES = 5


def checked_slot(
    work: BookingWork,
    offering: Offering,
    starts_at: datetime,
    wish: Wish,
    *,
    leaving: Booking | None = None,
    held: bool = False,
) -> Slot:
    """The slot where seats may be had if any are left, or what is refused first (rules.md, Precedence of codes).

    `leaving` is a booking that gives its seats elsewhere back by moving here. Seats `held` by an offer of the
    waitlist stay offered, whatever schedule, notice and horizon have become.
    """
    slot = work.slot(offering.offering_id, starts_at)
    offered = held or is_offered(work, offering, starts_at)
    placing.check_offered(starts_at, slot, work.now, offered=offered)
    placing.check_movable(wish, work.now)
    if not held:
        placing.check_window(offering, starts_at, work.now)
    if wish.expected_price is not None:
        placing.check_price(wish, placing.total(offering.price, wish.seats))
    slot = slot or new_slot(offering, starts_at)
    if not slot.active:
        check_provider_free(work, slot, leaving)
    return slot


def is_offered(work: BookingWork, offering: Offering, starts_at: datetime) -> bool:
    """Opened on its own, or part of the provider's schedule."""
    slot = work.slot(offering.offering_id, starts_at)
    if slot is not None and slot.opened:
        return True
    schedule = work.find(Schedule, offering.provider_id)
    zone = ZoneInfo(work.provider(offering.provider_id).timezone)
    return schedule is not None and offers(schedule, offering, zone, starts_at)


def is_bookable(work: BookingWork, slot: Slot) -> bool:
    """Whether its seats could be booked now if they were free: it is offered, neither too soon nor too far ahead."""
    offering = work.offering(slot.offering_id)
    earliest, latest = placing.window(offering, work.now)
    return earliest <= slot.starts_at <= latest and is_offered(work, offering, slot.starts_at)


def check_provider_free(work: BookingWork, slot: Slot, leaving: Booking | None = None) -> None:
    """No other active slot of the provider overlaps; the one that `leaving` leaves empty does not count."""
    if work.find(Crowded, slot.slot_id) is not None:
        raise placing.provider_busy()
    others = list(work.slots_of(slot.provider_id))
    if leaving is not None:
        others = [
            replace(other, taken=other.taken - leaving.seats) if other.slot_id == leaving.slot_id else other
            for other in others
        ]
    placing.check_provider_free(slot, others)


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


def entry_details(entry: Entry | None) -> dict[str, JsonValue]:
    """What a refusal says of the entry that its reader has."""
    if entry is None:
        return {}
    deadline = {"deadline": rfc3339(entry.deadline)} if entry.deadline else {}
    return {"entry_id": str(entry.entry_id), "entry_state": entry.state.value, **deadline}
