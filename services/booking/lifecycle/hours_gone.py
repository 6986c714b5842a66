"""Lines that are in vain: who waits for hours that are gone is told, in slices (rules.md, Waitlist: `not_offered`)."""

from __future__ import annotations

from booking_contracts.booking import WaitlistClosed

from services.booking.lifecycle.bookable import is_bookable, is_offered
from services.booking.lifecycle.entry_steps import end_entry
from services.booking.local_messages import HoursChanged, LineClosing
from services.booking.model.slots import Slot
from services.booking.model.waitlist import Entry, EntryState, LinesAhead, in_line
from services.booking.work import BookingWork
from services.chassis.messages import Message


def close_entry(work: BookingWork, entry: Entry, reason: str) -> Entry:
    """Waiting is over, or an offer withdrawn; `reason`: line_over, from the minimum notice on, or not_offered."""
    return end_entry(work, entry, EntryState.CLOSED, WaitlistClosed, reason=reason)


def close_line(work: BookingWork, slot: Slot, line: list[Entry]) -> None:
    """Who waits is told that the hours are gone; those behind the ones that this batch holds, by later batches."""
    for entry in line:
        close_entry(work, entry, "not_offered")
    work.more_of_line_later(slot.slot_id)


def line_closing(message: Message[LineClosing], work: BookingWork) -> None:
    """The next slice of a line that is in vain; where the hours have come back, free seats are offered to it."""
    slot = work.find(Slot, message.body.slot_id)
    if slot is None or slot.closed:
        return
    line = in_line(work.entries_on(slot.slot_id))
    if line and not is_bookable(work, slot):
        close_line(work, slot, line)
    else:
        work.freed.add(slot.slot_id)


def hours_changed(message: Message[HoursChanged], work: BookingWork) -> None:
    """The next slots with a line, each looked at by a message of its own: the lines of slots that are offered no longer
    end, and where nobody sits an edit of the offering may have made room."""
    walk = message.body
    found = work.find(LinesAhead, (walk.provider_id, walk.after))
    if found is None:
        return
    for slot in found.lines:
        if not slot.opened and not is_offered(work, work.offering(slot.offering_id), slot.starts_at):
            work.more_of_line_later(slot.slot_id)
        elif not slot.active:
            work.more_seats_later(slot.slot_id)
    if found.more:
        last = found.lines[-1]
        following = HoursChanged(provider_id=walk.provider_id, after=(last.starts_at, last.slot_id))
        work.remind(following, key=str(walk.provider_id), due_at=work.now)
