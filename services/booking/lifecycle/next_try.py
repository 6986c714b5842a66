"""A customer's unpaid booking on a slot gives its seats to their next try there (rules.md, Booking flows)."""

from __future__ import annotations

from services.booking.lifecycle.failed_and_expired import fail
from services.booking.model.booking import Booking
from services.booking.model.people import Party
from services.booking.model.slots import Slot
from services.booking.model.states import State
from services.booking.work import BookingWork


def own_tries(work: BookingWork, slot: Slot, party: Party) -> list[Booking]:
    """The same customer's unpaid tries for the same attendee on this slot: their next try takes the seats over."""
    return [
        booking
        for booking in work.paid_by(party.payer, slot.slot_id)
        if booking.state is State.PENDING_PAYMENT
        and (booking.customer.id, booking.party.attendee_id) == (party.customer.id, party.attendee_id)
    ]


def supersede(work: BookingWork, booking: Booking) -> Booking:
    """The same customer tries again: the older try ends and its seats pass on, in one transaction."""
    return fail(work, booking, "superseded")
