"""The steps of a waitlist entry: its state, the seats that an offer holds, and its timer (rules.md, Waitlist)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from booking_contracts.booking import WaitlistEvent

from services.booking.local_messages import EntryDue
from services.booking.model.waitlist import Entry, EntryState, may_become
from services.booking.work import BookingWork


def step(work: BookingWork, entry: Entry, to: EntryState, **changes: Any) -> Entry:
    """A step of the entry's state table; offered seats are held, and given back when the offer ends."""
    assert may_become(entry.state, to), f"{entry.state} → {to} is not in the table"
    after = work.put(replace(entry, **{"state": to, "deadline": None, **changes}))
    if entry.holds != after.holds:
        work.take(entry.slot_id, after.seats if after.holds else -entry.seats)
    return after


def end_entry(work: BookingWork, entry: Entry, to: EntryState, event: type[WaitlistEvent], **fields: str) -> Entry:
    """An entry ends: it gets no seats any more."""
    return work.say_of(step(work, entry, to), event, **fields)


def watch(work: BookingWork, entry: Entry) -> None:
    """Come back when the entry's offer or its line is over."""
    work.remind(EntryDue(entry_id=entry.entry_id), key=str(entry.entry_id), due_at=entry.deadline or entry.closes_at)
