"""Who does not pay may not keep others out by beginning again and again (model/hoarding.py has the rule)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from booking_contracts.codes import Code, Rejected
from booking_contracts.envelope import rfc3339
from pydantic import JsonValue

from services.booking.model import hoarding, waitlist
from services.booking.model.booking import Booking
from services.booking.model.catalogue import Offering
from services.booking.model.hoarding import Held
from services.booking.model.people import Person
from services.booking.model.slots import Slot
from services.booking.model.waitlist import Line
from services.booking.work import BookingWork


def held_seconds(work: BookingWork, slot: Slot, payer: Person) -> int:
    """For how long somebody's unpaid tries have held seats of a slot, those that go on included."""
    known = work.find(Held, (slot.slot_id, payer))
    here = [hoarding.as_of(booking, work.now) for booking in work.paid_by(payer, slot.slot_id)]
    return max([known.seconds if known else 0, *here])


def check_renewal(work: BookingWork, offering: Offering, slot: Slot, payer: Person, older: Sequence[Booking]) -> None:
    """Refuses another try where the time for all of them is used up and others want the slot.

    `older` is what would end by it, and is left as it is.
    """
    held = held_seconds(work, slot, payer)
    if not hoarding.is_used_up(held, offering):
        return
    until = _wanted_until(work, offering, slot, payer)
    if until is None:
        return
    details: dict[str, JsonValue] = {"held_seconds": held, "until": rfc3339(until)}
    what = "Choose"
    if older:
        what = f"Pay booking {older[0].booking_id}, which still holds seats, or choose"
        details["pending_booking_id"] = str(older[0].booking_id)
    raise Rejected(
        Code.DEADLINE_PASSED,
        f"Your unpaid tries have held seats of this slot for {held // 60} minutes, and others want it. {what} another "
        "slot, or join the waitlist; you can book this one again as soon as nobody else wants it.",
        None,
        **details,
    )


def note_wanted(work: BookingWork, slot: Slot, payer: Person) -> None:
    """Somebody was refused who holds nothing there; that stays, whatever becomes of their command."""
    known = work.find(Held, (slot.slot_id, payer))
    going_on = known is not None and known.going_on
    holds = going_on or any(booking.lives for booking in work.paid_by(payer, slot.slot_id))
    if not holds and not hoarding.is_noted(slot, work.now):
        work.put(replace(slot, wanted_at=work.now, wanted_by=payer.id))
        work.keep()


def _wanted_until(work: BookingWork, offering: Offering, slot: Slot, payer: Person) -> datetime | None:
    """Until when others want seats of the slot, as far as is known now; None: nobody does."""
    end = waitlist.closes_at(offering, slot.starts_at)
    line = work.find(Line, slot.slot_id)
    waiting = waitlist.in_line(work.entries_on(slot.slot_id))
    if (line and line.beyond > 0) or any(not entry.party.payer.is_(payer) for entry in waiting):
        return end
    asked = hoarding.wanted_until(slot, offering, payer)
    return min(asked, end) if asked is not None and work.now < asked else None
