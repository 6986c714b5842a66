"""Freed seats go to the first in line that fits, in the transaction that frees them (requirement waitlist-handling)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from booking_contracts.booking import WaitlistOffered
from booking_contracts.codes import Rejected

from services.booking.lifecycle.bookable import is_bookable
from services.booking.lifecycle.entry_steps import step, watch
from services.booking.lifecycle.hours_gone import close_line
from services.booking.model.provider_busy import provider_free
from services.booking.model.slots import Crowded, Slot, Surveyed
from services.booking.model.waitlist import Entry, EntryState, Head, in_line
from services.booking.work import BookingWork
from services.chassis.messages import Accepted, Message
from services.chassis.service import Handler


def passing_on(handler: Handler) -> Handler:
    """The handler, and after it the offers of what it freed; also of what a refused message freed and kept."""

    def decide(message: Message[Any], work: BookingWork) -> Accepted | None:
        decided: Callable[[Message[Any], BookingWork], Accepted | None] = handler.decide
        try:
            answer = decided(message, work)
        except Rejected:
            work.undo()
            pass_on(work)
            work.keep()
            raise
        pass_on(work)
        return answer

    return replace(handler, decide=decide)


def pass_on(work: BookingWork) -> None:
    """Offer the seats that were freed since the last time; then those of slots that this makes usable again."""
    freed = sorted(work.freed)
    work.freed.clear()
    decided = [slot_id for slot_id in freed if _offer_seats(work, slot_id)]
    for slot_id in _usable_again(work, decided):
        _offer_seats(work, slot_id)


def _usable_again(work: BookingWork, freed: list[UUID]) -> list[UUID]:
    """Slots with a line that overlap one where nobody sits any more; the line that began first comes first."""
    left = [slot for slot_id in freed if (slot := work.find(Slot, slot_id)) is not None and not slot.active]
    if not left:
        return []
    lines = [(line[0], slot) for slot in work.slots_with_entries() if (line := in_line(work.entries_on(slot.slot_id)))]
    found = [
        (first.joined_at, slot.starts_at, slot.slot_id)
        for first, slot in lines
        if any(slot.provider_id == other.provider_id and work.today(slot).overlaps(other) for other in left)
    ]
    return [slot_id for _, _, slot_id in sorted(found)]


def _offer_seats(work: BookingWork, slot_id: UUID) -> bool:
    """Down the line: whoever fits into what is left. Where nobody does, the seats are open to all.

    Of hours that are not offered any more nothing is: the line ends. Returns whether it is decided: with its last seat
    a slot loses the times that it had, and one that is another today is looked at by a batch that holds what would be
    in its way.
    """
    slot, head, line = work.find(Slot, slot_id), work.find(Head, slot_id), in_line(work.entries_on(slot_id))
    if slot is None or slot.closed or not (line or head):
        return True
    if not is_bookable(work, slot):
        close_line(work, slot, line)
        return True
    if not _surveyed(work, slot):
        work.more_seats_later(slot_id)
        return False
    for entry in line:
        if head is not None and entry.place > head.until:
            break
        if work.now < entry.closes_at and (found := _with_room(work, slot_id, entry.seats)):
            _offer(work, entry, found)
    if head is not None and _with_room(work, slot_id, 1):
        work.more_seats_later(slot_id)
    return True


def _surveyed(work: BookingWork, row: Slot) -> bool:
    """Whether this batch knows what is in the way of a slot, as it is today."""
    slot, surveyed = work.today(row), work.find(Surveyed, row.slot_id)
    return slot == row or (surveyed is not None and surveyed.covers(slot))


def _with_room(work: BookingWork, slot_id: UUID, seats: int) -> Slot | None:
    """The slot, as it would be then, where so many seats can be offered: they are free, and its provider is there."""
    row = work.find(Slot, slot_id)
    assert row is not None
    slot = work.today(row)
    crowded = work.find(Crowded, slot_id) is not None
    usable = slot.active or (not crowded and provider_free(slot, work.slots_of(slot.provider_id)))
    return slot if usable and seats <= slot.seats_left else None


def _offer(work: BookingWork, entry: Entry, slot: Slot) -> None:
    work.occupy(slot)
    deadline = entry.offer_deadline(work.now)
    entry = step(work, entry, EntryState.OFFERED, deadline=deadline, ends_at=slot.ends_at)
    work.say_of(entry, WaitlistOffered, deadline=deadline)
    watch(work, entry)
