"""Nobody waits twice for a slot (rules.md, Waitlist: ALREADY_WAITING; requirement waitlist-handling)."""

from __future__ import annotations

from booking_contracts.codes import Code, Rejected

from services.booking.lifecycle.own_offers import entry_details
from services.booking.model.waitlist import Entry


def check_waits_once(own: Entry | None, same_id: Entry | None) -> None:
    """Nobody waits twice, or with an offer in hand; `same_id` is the entry that has the new one's id."""
    if own is not None and own.holds:
        text = f"{own.seats} seats are held for you already: accept them with AcceptOffer and entry_id {own.entry_id}."
    elif own is not None:
        text = f"You wait for this slot already (entry {own.entry_id}); leave that place first to wait for other seats."
    elif same_id is not None:
        text = "The entry id is taken; use a new one."
    else:
        return
    raise Rejected(Code.ALREADY_WAITING, text, None, **entry_details(own))
