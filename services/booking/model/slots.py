"""Slots: when an offering takes place, and how many seats are taken there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID, uuid5

from booking_contracts.codes import Code, Rejected

from services.booking.model.catalogue import Offering

SLOTS = UUID("6f1b7c52-6d0c-5a0e-9d0b-3f3f0c6f8a10")


@lru_cache(10_000)
def slot_id(offering_id: UUID, starts_at: datetime) -> UUID:
    """A slot's id follows from what it is, so that it is known before its row exists."""
    return uuid5(SLOTS, f"{offering_id}/{starts_at.timestamp():.6f}")


@dataclass(frozen=True, slots=True)
class Slot:
    """One occurrence. `busy_from` to `busy_until` includes buffers; `taken` counts seats of live bookings and offers.

    The database keeps `taken` and whether the slot is active by itself, from the bookings' rows. Times and capacity are
    those of the offering when the first of these seats was taken; where none is, those of today count (`as_of_today`).
    """

    slot_id: UUID
    offering_id: UUID
    provider_id: UUID
    starts_at: datetime
    ends_at: datetime
    busy_from: datetime
    busy_until: datetime
    capacity: int
    taken: int = 0
    opened: bool = False
    """Opened one by one (OpenSlot), not by a schedule."""
    closed: bool = False
    own_capacity: bool = False
    """Whether the command that opened it named its capacity; else it has the offering's."""
    wanted_at: datetime | None = None
    """When somebody who held nothing here was last refused for lack of seats (hoarding.py)."""
    wanted_by: str | None = None
    """The customer id of that somebody."""

    @property
    def row_key(self) -> UUID:
        return self.slot_id

    @property
    def active(self) -> bool:
        """Whether somebody holds a seat: it then keeps the provider busy."""
        return self.taken > 0

    @property
    def seats_left(self) -> int:
        return self.capacity - self.taken

    def overlaps(self, other: Slot) -> bool:
        """Whether the widened ranges overlap; touching is allowed (rules.md, Slots)."""
        return self.busy_from < other.busy_until and other.busy_from < self.busy_until


def new_slot(offering: Offering, starts_at: datetime, *, opened: bool = False) -> Slot:
    """A slot as an offering makes it; it ends `duration_minutes` of elapsed time after its start."""
    ends_at = starts_at + timedelta(minutes=offering.duration_minutes)
    return Slot(
        slot_id=slot_id(offering.offering_id, starts_at),
        offering_id=offering.offering_id,
        provider_id=offering.provider_id,
        starts_at=starts_at,
        ends_at=ends_at,
        busy_from=starts_at - timedelta(minutes=offering.buffer_before_minutes),
        busy_until=ends_at + timedelta(minutes=offering.buffer_after_minutes),
        capacity=offering.capacity,
        opened=opened,
    )


def check_offered(starts_at: datetime, slot: Slot | None, now: datetime, *, offered: bool) -> None:
    """The slot lies ahead and is offered: by the schedule, or opened on its own, and not closed."""
    if now >= starts_at:
        raise Rejected(Code.SLOT_IN_PAST, "The slot has started; choose a later one.")
    if not offered or (slot is not None and slot.closed):
        raise Rejected(Code.SLOT_NOT_OFFERED, "No such slot is offered; ask for availability and choose one of those.")


def as_of_today(slot: Slot, offering: Offering) -> Slot:
    """A slot where nobody has a seat, as its offering makes it now; one with living bookings or offers keeps what it
    has until they are gone. A capacity that was named for this slot alone is not the offering's, and stays."""
    if slot.active:
        return slot
    today = new_slot(offering, slot.starts_at, opened=slot.opened)
    capacity = slot.capacity if slot.opened and slot.own_capacity else today.capacity
    return replace(
        today,
        closed=slot.closed,
        own_capacity=slot.own_capacity,
        capacity=capacity,
        wanted_at=slot.wanted_at,
        wanted_by=slot.wanted_by,
    )


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A batch holds all of the provider's active slots, under the provider's lock, that overlap this range of a slot:
    only then may the slot come to life with it."""

    slot_id: UUID
    busy_from: datetime
    busy_until: datetime

    @property
    def row_key(self) -> UUID:
        return self.slot_id

    def covers(self, slot: Slot) -> bool:
        return self.busy_from <= slot.busy_from and slot.busy_until <= self.busy_until


@dataclass(frozen=True, slots=True)
class Crowded:
    """A slot that cannot come to life: more of its provider's active slots overlap it than one batch looks at."""

    slot_id: UUID

    @property
    def row_key(self) -> UUID:
        return self.slot_id
