"""What a command cannot do in a state: ILLEGAL_TRANSITION, with where the booking or the waitlist entry stands and what
can be done with it then (docs/rules.md, Which command in which state)."""

from __future__ import annotations

from booking_contracts.codes import Code, Rejected

from services.booking.model.booking import Booking
from services.booking.model.states import State
from services.booking.model.waitlist import Entry, EntryState

OF_BOOKING = {
    State.PENDING_APPROVAL: "The booking waits for its provider; it can be approved, rejected or cancelled.",
    State.PENDING_PAYMENT: "The booking waits for its payment; it can be paid, abandoned or cancelled.",
    State.CONFIRMED: "The booking is confirmed; it can be moved or cancelled, and disputed from its start on.",
    State.PENDING_CONFIRMATION: "The session is over; its customer can confirm it or dispute it.",
    State.COMPLETED: "The session is over and its provider is paid; nothing is left to do.",
    State.DISPUTED: "The booking is disputed; an admin decides, nothing else can be done until then.",
    State.RESOLVED_REFUNDED: "The dispute was decided and the customer has the money back; nothing is left to do.",
    State.RESOLVED_RELEASED: "The dispute was decided and the provider is paid; nothing is left to do.",
    State.RESOLVED_SPLIT: "The dispute was decided and the money is divided; nothing is left to do.",
    State.CANCELLED_BY_CUSTOMER: "The booking was cancelled by its customer; place a new one.",
    State.CANCELLED_BY_PROVIDER: "The booking was cancelled by its provider; place a new one.",
    State.CANCELLED_BY_ADMIN: "The booking was cancelled by an admin; place a new one.",
    State.REJECTED_BY_PROVIDER: "The provider rejected the booking; choose another slot.",
    State.PAYMENT_FAILED: "The booking ended because it was not paid; place a new one.",
    State.EXPIRED: "The booking ended because its time ran out; place a new one.",
}

OF_ENTRY = {
    EntryState.WAITING: "No seats are offered to you yet; wait for the offer.",
    EntryState.OFFERED: "Seats are offered to you; accept them before the offer ends.",
    EntryState.ACCEPTED: "The offer was accepted already; see the booking that it became.",
    EntryState.EXPIRED: "The offer was open until its deadline; join again.",
    EntryState.LEFT: "You left this waitlist; join again to wait.",
    EntryState.CLOSED: "The waitlist of this slot has closed; choose another slot.",
}


def illegal(booking: Booking) -> Rejected:
    """The state table does not know this command in this state."""
    told = OF_BOOKING[booking.state]
    return Rejected(Code.ILLEGAL_TRANSITION, told, booking.booking_id, state=booking.state.value)


def illegal_entry(entry: Entry) -> Rejected:
    """The same of a waitlist entry."""
    return Rejected(Code.ILLEGAL_TRANSITION, OF_ENTRY[entry.state], state=entry.state.value)
