"""Who comes has one booking on a slot, where its offering wants that (rules.md, Booking flows: `once_per_customer`).

Who is the same person: people.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from booking_contracts.codes import Code, Rejected

from services.booking.model.booking import Booking
from services.booking.model.catalogue import Offering


def check_comes_once(
    offering: Offering, theirs: Iterable[Booking], *, replaced: Collection[Booking] = (), moving: Booking | None = None
) -> None:
    """`theirs` are the bookings of who comes on the slot. In the way is none that would be `replaced`, nor the one that
    is `moving`."""
    if not offering.once_per_customer:
        return
    for booking in theirs:
        if booking.lives and booking not in replaced and booking.booking_id != (moving and moving.booking_id):
            raise booked_already(booking)


def booked_already(booking: Booking) -> Rejected:
    """The refusal of a second booking of the same person on a slot where one is all that can be had."""
    return Rejected(
        Code.BOOKING_EXISTS,
        "Who comes has a booking for this time already, and one is all that can be had; change or cancel that one.",
        booking_id=str(booking.booking_id),
    )
