"""Whether a slot is there to be booked: it is offered, and its provider is free (rules.md, Slots)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from services.booking.model import provider_busy
from services.booking.model.booking import Booking
from services.booking.model.catalogue import Offering
from services.booking.model.notice_and_horizon import window
from services.booking.model.schedule import Schedule, offers
from services.booking.model.slots import Crowded, Slot
from services.booking.work import BookingWork


def is_offered(work: BookingWork, offering: Offering, starts_at: datetime) -> bool:
    """Opened on its own, or part of the provider's schedule."""
    slot = work.slot(offering.offering_id, starts_at)
    if slot is not None and slot.opened:
        return True
    schedule = work.find(Schedule, offering.provider_id)
    zone = ZoneInfo(work.provider(offering.provider_id).timezone)
    return schedule is not None and offers(schedule, offering, zone, starts_at)


def is_bookable(work: BookingWork, slot: Slot) -> bool:
    """Whether its seats could be booked now if they were free: it is offered, neither too soon nor too far ahead."""
    offering = work.offering(slot.offering_id)
    earliest, latest = window(offering, work.now)
    return earliest <= slot.starts_at <= latest and is_offered(work, offering, slot.starts_at)


def check_provider_free(work: BookingWork, slot: Slot, leaving: Booking | None = None) -> None:
    """No other active slot of the provider overlaps; the one that `leaving` leaves empty does not count."""
    if work.find(Crowded, slot.slot_id) is not None:
        raise provider_busy.provider_busy()
    others = list(work.slots_of(slot.provider_id))
    if leaving is not None:
        others = [
            replace(other, taken=other.taken - leaving.seats) if other.slot_id == leaving.slot_id else other
            for other in others
        ]
    provider_busy.check_provider_free(slot, others)
