"""What slots must hold: the seats of bookings and offers, no more than fit, and nobody who waits for free ones."""

from __future__ import annotations

from collections import Counter

from tests.faults.facts import Facts


def seats(facts: Facts) -> list[str]:
    """Seats taken on a slot are those of its bookings and offers, and fit."""
    held = _held(facts)
    wrong = [
        f"slot {slot.slot_id}: {slot.taken} taken, bookings and offers hold {held[slot.slot_id]}"
        for slot in facts.slots
        if slot.taken != held[slot.slot_id]
    ]
    return wrong + [
        f"slot {slot.slot_id} is oversold: {held[slot.slot_id]} of {slot.capacity}"
        for slot in facts.slots
        if held[slot.slot_id] > slot.capacity
    ]


def waitlist(facts: Facts) -> list[str]:
    """Nobody waits beside seats that fit, and who accepted an offer has a booking; the slots overlap no other."""
    held, bookings = _held(facts), {booking.booking_id for booking in facts.bookings}
    free = {slot.slot_id: slot.capacity - held[slot.slot_id] for slot in facts.slots}
    wrong = [
        f"{one.entry_id} waits for {one.seats} seats of slot {one.slot_id}, where {free[one.slot_id]} are free"
        for one in facts.line
        if one.state == "WAITING" and one.seats <= free[one.slot_id]
    ]
    return wrong + [
        f"{one.entry_id} is {one.state} with booking {one.booking_id}"
        for one in facts.line
        if (one.booking_id in bookings) != (one.state == "ACCEPTED")
    ]


def _held(facts: Facts) -> Counter[str]:
    """Seats held on each slot: by bookings, and by offers of its waitlist."""
    held: Counter[str] = Counter()
    for booking in facts.bookings:
        held[booking.slot_id] += booking.seats if booking.occupies else 0
    for one in facts.line:
        held[one.slot_id] += one.seats if one.state == "OFFERED" else 0
    return held
