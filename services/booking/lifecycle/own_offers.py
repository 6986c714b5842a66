"""Who has a place in a slot's line, or an offer there, and comes back: what they have is taken (rules.md, Waitlist;
requirement waitlist-handling)."""

from __future__ import annotations

from uuid import UUID

from booking_contracts.booking import WaitlistAccepted, WaitlistLeft
from booking_contracts.envelope import rfc3339
from pydantic import JsonValue

from services.booking.lifecycle import entry_steps
from services.booking.model import waitlist
from services.booking.model.people import Party
from services.booking.model.slots import Slot
from services.booking.model.waitlist import Entry, EntryState
from services.booking.work import BookingWork


def own_entry(work: BookingWork, slot: Slot, party: Party) -> Entry | None:
    """The customer's place in the slot's line, or the offer that they have; they have one at most."""
    found = (entry for entry in work.entries_on(slot.slot_id) if entry.customer.id == party.customer.id)
    return next((entry for entry in found if entry.state in waitlist.OPEN), None)


def offer_for(own: Entry | None, party: Party) -> Entry | None:
    """The offer whose seats a party takes: seats that are offered for one attendee are not for another; where one of
    both says nothing, they are."""
    if own is None or not own.holds:
        return None
    alike = None in (own.attendee, party.attendee) or own.party.comer.is_(party.comer)
    return own if alike else None


def accept(work: BookingWork, offer: Entry, booking_id: UUID) -> None:
    """The seats of an offer are free for a booking."""
    entry = entry_steps.step(work, offer, EntryState.ACCEPTED, booking_id=booking_id)
    work.say_of(entry, WaitlistAccepted, booking_id=booking_id)


def leave(work: BookingWork, entry: Entry) -> Entry:
    """The place is given up; or the offered seats go to a booking that moves there."""
    return entry_steps.end_entry(work, entry, EntryState.LEFT, WaitlistLeft)


def entry_details(entry: Entry | None) -> dict[str, JsonValue]:
    """What a refusal says of the entry that its reader has."""
    if entry is None:
        return {}
    deadline = {"deadline": rfc3339(entry.deadline)} if entry.deadline else {}
    return {"entry_id": str(entry.entry_id), "entry_state": entry.state.value, **deadline}
