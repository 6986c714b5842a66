"""Freed seats go to the first in line that fits, in the transaction that frees them (requirement waitlist-handling)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from booking_contracts.booking import WaitlistClosed, WaitlistEvent, WaitlistOffered, WaitlistOfferExpired
from booking_contracts.codes import Rejected

from services.booking.model.placing import provider_free
from services.booking.model.slots import Crowded, Slot
from services.booking.model.waitlist import OPEN, Entry, EntryState, Head, in_line, may_become
from services.booking.timers import EntryDue, SeatsLeft
from services.booking.work import BookingWork
from services.chassis.handlers import Handler
from services.chassis.messages import Accepted, Message


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
    for slot_id in freed:
        _offer_seats(work, slot_id)
    for slot_id in _usable_again(work, freed):
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
        if any(slot.provider_id == other.provider_id and slot.overlaps(other) for other in left)
    ]
    return [slot_id for _, _, slot_id in sorted(found)]


def _offer_seats(work: BookingWork, slot_id: UUID) -> None:
    """Down the line: whoever fits into what is left. Where nobody does, the seats are open to all."""
    head = work.find(Head, slot_id)
    for entry in in_line(work.entries_on(slot_id)):
        if head is not None and entry.place > head.until:
            break
        if entry.seats <= _seats_to_offer(work, slot_id) and work.now < entry.closes_at:
            _offer(work, entry)
    if head is not None and _seats_to_offer(work, slot_id) > 0:
        work.more_seats_later(slot_id)


def _seats_to_offer(work: BookingWork, slot_id: UUID) -> int:
    """Free seats of a slot that somebody may be offered: it is not closed, and its provider is there."""
    slot = work.find(Slot, slot_id)
    if slot is None or slot.closed:
        return 0
    crowded = work.find(Crowded, slot_id) is not None
    usable = slot.active or (not crowded and provider_free(slot, work.slots_of(slot.provider_id)))
    return slot.seats_left if usable else 0


def seats_left(message: Message[SeatsLeft], work: BookingWork) -> None:
    """More of a line is asked, after this message as after every other."""
    work.freed.add(message.body.slot_id)


def _offer(work: BookingWork, entry: Entry) -> None:
    deadline = entry.offer_deadline(work.now)
    entry = step(work, entry, EntryState.OFFERED, deadline=deadline)
    work.say_of(entry, WaitlistOffered, deadline=deadline)
    watch(work, entry)


def step(work: BookingWork, entry: Entry, to: EntryState, **changes: Any) -> Entry:
    """A step of the entry's state table; offered seats are held, and given back when the offer ends."""
    assert may_become(entry.state, to), f"{entry.state} → {to} is not in the table"
    after = work.put(replace(entry, **{"state": to, "deadline": None, **changes}))
    if entry.holds != after.holds:
        work.take(entry.slot_id, after.seats if after.holds else -entry.seats)
    return after


def end_entry(work: BookingWork, entry: Entry, to: EntryState, event: type[WaitlistEvent], **fields: str) -> Entry:
    """An entry hopes no longer."""
    return work.say_of(step(work, entry, to), event, **fields)


def brought_up_to_date(work: BookingWork, entry: Entry) -> Entry:
    """What the timer does, also done by a command that comes first; and what the closing of its slot does."""
    closing = work.closing_of(entry.slot_id)
    if closing is not None and entry.state in OPEN:
        with work.on_behalf_of(closing):
            return end_entry(work, entry, EntryState.CLOSED, WaitlistClosed, reason="not_offered")
    if entry.offer_over(work.now):
        return end_entry(work, entry, EntryState.EXPIRED, WaitlistOfferExpired)
    if entry.line_over(work.now):
        return end_entry(work, entry, EntryState.CLOSED, WaitlistClosed, reason="line_over")
    return entry


def watch(work: BookingWork, entry: Entry) -> None:
    """Come back when the entry's offer or its line is over."""
    work.remind(EntryDue(entry_id=entry.entry_id), key=str(entry.entry_id), due_at=entry.deadline or entry.closes_at)


def entry_due(message: Message[EntryDue], work: BookingWork) -> None:
    """The timer of an entry; one for an entry that moved on does nothing."""
    entry = work.find(Entry, message.body.entry_id)
    if entry is not None:
        brought_up_to_date(work, entry)
