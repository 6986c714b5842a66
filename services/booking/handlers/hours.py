"""SetSchedule and CloseSlot: when a provider works, and when not after all (requirement schedule)."""

from __future__ import annotations

from dataclasses import replace

from booking_contracts.booking import CloseSlot, ScheduleSet, SetSchedule, SlotClosed, WaitlistClosed
from booking_contracts.codes import Code, Rejected

from services.booking.handlers import offers
from services.booking.handlers.cancelling import cancel
from services.booking.handlers.catalogue import owned_offering
from services.booking.handlers.checking import is_offered
from services.booking.handlers.ending import expire_what_is_due
from services.booking.model import actors, refunds, waitlist
from services.booking.model.schedule import Hours, Schedule
from services.booking.model.slots import Slot, new_slot
from services.booking.model.states import PENDING, State
from services.booking.model.waitlist import EntryState
from services.booking.work import BookingWork
from services.chassis.messages import Accepted, Message


def set_schedule(message: Message[SetSchedule], work: BookingWork) -> Accepted:
    """Replaces the whole schedule; what is booked stays booked."""
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
    return Accepted()


def _hours(since: str, until: str) -> Hours:
    return Hours(_minute(since), _minute(until))


def _minute(wall: str) -> int:
    return int(wall[:2]) * 60 + int(wall[3:])


def close_slot(message: Message[CloseSlot], work: BookingWork) -> Accepted:
    """Nothing more is booked there; what is booked is cancelled as by the provider, with everything back."""
    command = message.body
    offering = owned_offering(message.key, command.offering_id, work)
    actors.require_owner(command.actor, offering.provider_id)
    slot = work.slot(offering.offering_id, command.starts_at)
    if command.starts_at <= work.now:
        raise Rejected(Code.SLOT_IN_PAST, "The slot has started; cancel its bookings one by one.")
    if slot is None and not is_offered(work, offering, command.starts_at):
        raise Rejected(Code.SLOT_NOT_OFFERED, "No such slot is offered; ask for availability.")
    slot = slot or new_slot(offering, command.starts_at)
    for entry in [entry for entry in work.entries_on(slot.slot_id) if entry.state in waitlist.OPEN]:
        offers.end_entry(work, entry, EntryState.CLOSED, WaitlistClosed)
    expire_what_is_due(work, slot)
    cancelled = _cancel_all(message, slot, work)
    slot = work.find(Slot, slot.slot_id) or slot
    if not slot.closed:
        slot = work.put(replace(slot, closed=True))
        times = {"starts_at": slot.starts_at, "ends_at": slot.ends_at}
        work.announce(work.provider(slot.provider_id), SlotClosed, offering_id=slot.offering_id, **times)
    return Accepted(result={"cancelled": cancelled})


def _cancel_all(message: Message[CloseSlot], slot: Slot, work: BookingWork) -> int:
    """Every pending and confirmed booking of the slot; returns how many."""
    found = [booking for booking in work.bookings_on(slot.slot_id) if booking.state in PENDING | {State.CONFIRMED}]
    for booking in found:
        paid = booking.state is State.CONFIRMED
        amounts = refunds.share(booking.price, 100) if paid else refunds.nothing(booking.price)
        actor = message.body.actor
        cancel(work, booking, actor, amounts, "the slot was closed", State.CANCELLED_BY_PROVIDER)
    return len(found)
