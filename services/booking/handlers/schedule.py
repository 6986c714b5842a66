"""SetSchedule: when a provider works (requirement schedule)."""

from __future__ import annotations

from booking_contracts.booking import ScheduleSet, SetSchedule

from services.booking.model import actors
from services.booking.model.schedule import Hours, Schedule
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


def _hours(since: str, until: str) -> Hours:
    return Hours(_minute(since), _minute(until))


def _minute(wall: str) -> int:
    return int(wall[:2]) * 60 + int(wall[3:])
