"""SetSchedule and CloseSlot: when a provider works, and when not after all (requirement schedule)."""

from __future__ import annotations

from dataclasses import replace

from booking_contracts.booking import CloseSlot, ScheduleSet, SetSchedule, SlotClosed, WaitlistClosed
from booking_contracts.codes import Code, Rejected

from services.booking.handlers.catalogue import owned_offering
from services.booking.lifecycle import offers
from services.booking.lifecycle.ending import cancel_with_slot, expire_if_due, expire_what_is_due
from services.booking.lifecycle.seats import is_offered
from services.booking.local_messages import HoursChanged, SlotClosing
from services.booking.model import actors
from services.booking.model.closing import CLOSED_WITH_SLOT, Closing, Rest
from services.booking.model.schedule import Hours, Schedule
from services.booking.model.slots import new_slot
from services.booking.model.waitlist import OPEN, EntryState, LinesAhead
from services.booking.work import BookingWork
from services.chassis.messages import Accepted, Message


def set_schedule(message: Message[SetSchedule], work: BookingWork) -> Accepted:
    """Replaces the whole schedule; what is booked, and what is offered to who waits, stays so."""
    command = message.body
    provider = work.provider(command.provider_id)
    actors.require_owner(command.actor, command.provider_id)
    dated = [rule for rule in command.exceptions if rule.from_ is not None and rule.to is not None]
    work.put(
        Schedule(
            provider_id=provider.provider_id,
            weekly=tuple((rule.weekday, _hours(rule.from_, rule.to)) for rule in command.weekly),
            dated=tuple((rule.date, _hours(rule.from_ or "", rule.to or "")) for rule in dated),
            closed=frozenset(rule.date for rule in command.exceptions if rule.closed),
        )
    )
    work.announce(provider, ScheduleSet, weekly=command.weekly, exceptions=command.exceptions)
    work.look_at_lines(provider.provider_id)
    return Accepted()


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


def _hours(since: str, until: str) -> Hours:
    return Hours(_minute(since), _minute(until))


def _minute(wall: str) -> int:
    return int(wall[:2]) * 60 + int(wall[3:])


def close_slot(message: Message[CloseSlot], work: BookingWork) -> Accepted:
    """Nothing more is booked there; what is booked is cancelled as by the provider, with everything back.

    A slice of it now, the rest by SlotClosing; `cancelled` counts them all.
    """
    command = message.body
    offering = owned_offering(message.key, command.offering_id, work)
    actors.require_owner(command.actor, offering.provider_id)
    slot = work.slot(offering.offering_id, command.starts_at)
    if command.starts_at <= work.now:
        raise Rejected(Code.SLOT_IN_PAST, "The slot has started; cancel its bookings one by one.")
    if slot is None and not is_offered(work, offering, command.starts_at):
        raise Rejected(Code.SLOT_NOT_OFFERED, "No such slot is offered; ask for availability.")
    slot = slot or new_slot(offering, command.starts_at)
    if not slot.closed:
        work.put(replace(slot, closed=True))
        times = {"starts_at": slot.starts_at, "ends_at": slot.ends_at}
        work.announce(work.provider(slot.provider_id), SlotClosed, offering_id=slot.offering_id, **times)
    new = Closing(slot.slot_id, work.now, command.actor, message.id, message.correlation_id)
    closing = work.closing_of(slot.slot_id) or new
    cancelled = _end_slice(work, closing)
    expire_what_is_due(work, slot)
    rest = work.find(Rest, slot.slot_id)
    if rest is not None and rest.living:
        _go_on(work, work.put(closing))
        cancelled += rest.cancelled
    return Accepted(result={"cancelled": cancelled})


def slot_closing(message: Message[SlotClosing], work: BookingWork) -> None:
    """The next slice of a closed slot."""
    closing = work.closing_of(message.body.slot_id)
    if closing is None:
        return
    _end_slice(work, closing)
    rest = work.find(Rest, closing.slot_id)
    if rest is not None and rest.living:
        _go_on(work, closing)
    else:
        work.put(replace(closing, over=True))


def _go_on(work: BookingWork, closing: Closing) -> None:
    work.remind(SlotClosing(slot_id=closing.slot_id), key=str(closing.slot_id), due_at=work.now)


def _end_slice(work: BookingWork, closing: Closing) -> int:
    """All that this batch holds of the slot's line and bookings; returns how many bookings were cancelled."""
    for entry in [entry for entry in work.entries_on(closing.slot_id) if entry.state in OPEN]:
        with work.on_behalf_of(closing):
            offers.end_entry(work, entry, EntryState.CLOSED, WaitlistClosed, reason="not_offered")
    found = [booking for booking in work.bookings_on(closing.slot_id) if booking.state in CLOSED_WITH_SLOT]
    cancelled = [booking for booking in found if closing.cancels(booking)]
    for booking in cancelled:
        cancel_with_slot(work, booking, closing)
    for booking in found:
        expire_if_due(work, work.booking(booking.booking_id))
    return len(cancelled)
