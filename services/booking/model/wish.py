"""What somebody wants of a slot, and whether it can be had there: by who books, accepts an offer, moves or joins a line
(requirements conflict-check, modification-validation)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from booking_contracts.codes import Code, Rejected
from booking_contracts.types import Attendee, Money

from services.booking.model.catalogue import Offering
from services.booking.model.slots import Slot
from services.booking.model.wording import named


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants: `seats` on a slot; `own_seats` are theirs there already and count as free.

    `movable_until` is the instant from which a booking that moves there can no longer be moved by its mover.
    """

    seats: int
    own_seats: int = 0
    expected_price: Money | None = None
    movable_until: datetime | None = None


def check_seats(wish: Wish, offering: Offering, slot: Slot | None) -> None:
    """A party larger than the slot can never fit."""
    capacity = slot.capacity if slot else offering.capacity
    if wish.seats > capacity:
        problem = f"is more than the {capacity} seats of the slot"
        raise Rejected(Code.INVALID_COMMAND, f"seats {problem}.", field="seats", problem=problem)


def check_attendee(offering: Offering, attendee: Attendee | None) -> None:
    """Who comes is named where the offering wants that."""
    if offering.attendee_required and attendee is None:
        problem = "is required for this offering"
        raise Rejected(Code.INVALID_COMMAND, f"attendee {problem}.", field="attendee", problem=problem)


def check_movable(wish: Wish, now: datetime) -> None:
    """Moving is possible before the mover's limit (requirement deadline-enforcement)."""
    if wish.movable_until is not None and now >= wish.movable_until:
        raise Rejected(Code.DEADLINE_PASSED, f"Moving was possible until {named(wish.movable_until)}.")


def fits(wish: Wish, slot: Slot) -> bool:
    """Whether the seats can be had: held and confirmed never exceed capacity (requirement overbooking-prevention)."""
    return wish.seats <= slot.seats_left + wish.own_seats
