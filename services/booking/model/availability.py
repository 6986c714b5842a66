"""Which slots are free, and why one is not (requirement availability-query; rules.md, Slots)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

from services.booking.model.catalogue import Offering
from services.booking.model.schedule import Schedule, starts_between
from services.booking.model.slots import Slot, new_slot, slot_id

Reason = Literal["closed", "too_soon", "too_far", "provider_busy", "held", "full"]


class SlotView(TypedDict):
    """A slot as the contract shows it; `reason` is None exactly when it is free."""

    offering_id: UUID
    starts_at: datetime
    ends_at: datetime
    seats_left: int
    free: bool
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class Holds:
    """Seats of a slot that are held by unpaid bookings and offers: those that are over, and the live ones."""

    over: int = 0
    live: int = 0


@dataclass(frozen=True, slots=True)
class Alternatives:
    """Other free slots of an offering, soonest first, each with its seats left: for the answer SLOT_FULL."""

    offering_id: UUID
    free: tuple[tuple[datetime, int], ...]

    @property
    def row_key(self) -> UUID:
        return self.offering_id


@dataclass(frozen=True, slots=True)
class Calendar:
    """All that is known of one provider: schedule, zone, the rows of its slots, and what is held there."""

    zone: ZoneInfo
    schedule: Schedule | None
    slots: Sequence[Slot]
    holds: Mapping[UUID, Holds]

    def view(self, offerings: Iterable[Offering], start: datetime, end: datetime, now: datetime) -> list[SlotView]:
        """What is offered or was closed with start ≤ starts_at < end, from now on, in order."""
        rows = {slot.slot_id: self._current(slot) for slot in self.slots}
        busy = _Busy(slot for slot in rows.values() if slot.active)
        found = [
            self._shown(offering, slot, busy, now)
            for offering in offerings
            for slot in self._offered(offering, rows, max(start, now), end)
            if slot.starts_at > now
        ]
        return sorted(found, key=lambda shown: (shown["starts_at"], shown["offering_id"]))

    def _current(self, slot: Slot) -> Slot:
        """Holds that are over do not count, whether or not anything has swept them."""
        return replace(slot, taken=slot.taken - self.holds.get(slot.slot_id, Holds()).over)

    def _offered(self, offering: Offering, rows: Mapping[UUID, Slot], start: datetime, end: datetime) -> list[Slot]:
        found = {
            slot.starts_at: slot
            for slot in rows.values()
            if slot.offering_id == offering.offering_id
            and (slot.opened or slot.closed)
            and start <= slot.starts_at < end
        }
        if self.schedule is not None:
            for starts_at in starts_between(self.schedule, offering, self.zone, start, end):
                if starts_at not in found:
                    row = rows.get(slot_id(offering.offering_id, starts_at))
                    found[starts_at] = row or new_slot(offering, starts_at)
        return list(found.values())

    def _shown(self, offering: Offering, slot: Slot, busy: _Busy, now: datetime) -> SlotView:
        live = self.holds.get(slot.slot_id, Holds()).live
        reason = _reason(offering, slot, busy, live, now)
        return SlotView(
            offering_id=slot.offering_id,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
            seats_left=slot.seats_left,
            free=reason is None,
            reason=reason,
        )


class _Busy:
    """A provider's active slots; they never overlap, so one search tells."""

    def __init__(self, active: Iterable[Slot]) -> None:
        ordered = sorted((slot.busy_from, slot.busy_until) for slot in active)
        self._from, self._until = [since for since, _ in ordered], [until for _, until in ordered]

    def meets(self, slot: Slot) -> bool:
        """Whether one of them overlaps the slot; touching is allowed."""
        before = bisect_left(self._from, slot.busy_until)
        return before > 0 and self._until[before - 1] > slot.busy_from


def _reason(offering: Offering, slot: Slot, busy: _Busy, live: int, now: datetime) -> Reason | None:
    """The first reason in the order that the rules give them."""
    if slot.closed:
        return "closed"
    if slot.starts_at - now < timedelta(minutes=offering.minimum_notice_minutes):
        return "too_soon"
    if slot.starts_at - now > timedelta(days=offering.horizon_days):
        return "too_far"
    if not slot.active and busy.meets(slot):
        return "provider_busy"
    if slot.seats_left > 0:
        return None
    return "held" if live else "full"
