"""Which slots are free, and why one is not (requirement availability-query; rules.md, Slots)."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge
from itertools import groupby, islice
from typing import Literal, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

from services.booking.model.catalogue import Offering
from services.booking.model.notice_and_horizon import window
from services.booking.model.schedule import Schedule, starts_between
from services.booking.model.slots import Slot, as_of_today, new_slot

Reason = Literal["closed", "too_soon", "too_far", "provider_busy", "held", "full"]

MOST_SLOTS = 10_000
"""Slots of one answer, and rows that it may take: 62 days of three offerings with a slot each half hour are fewer."""


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


class TooManySlots(Exception):
    """An answer would hold, or take, more slots than one may."""

    def __init__(self) -> None:
        super().__init__(f"That is more than {MOST_SLOTS} slots: ask for less, with from and to closer together.")


@dataclass(frozen=True, slots=True)
class Calendar:
    """All that is known of one provider: schedule, zone, the rows of its slots, and what is held there."""

    zone: ZoneInfo
    schedule: Schedule | None
    slots: Sequence[Slot]
    holds: Mapping[UUID, Holds]

    def view(self, offerings: Iterable[Offering], start: datetime, end: datetime, now: datetime) -> list[SlotView]:
        """What is offered or was closed with start ≤ starts_at < end, from now on, in order. Raises TooManySlots."""
        known = _Known(self.slots, self.holds)
        shown = (slot for offering in offerings for slot in self._of(offering, known, start, end, now))
        found = list(islice(shown, MOST_SLOTS + 1))
        if len(found) > MOST_SLOTS:
            raise TooManySlots
        return sorted(found, key=lambda slot: (slot["starts_at"], slot["offering_id"]))

    def of(self, offering: Offering, start: datetime, end: datetime, now: datetime) -> Iterator[SlotView]:
        """One offering's, in order, each made when it is asked for."""
        return self._of(offering, _Known(self.slots, self.holds), start, end, now)

    def _of(
        self, offering: Offering, known: _Known, start: datetime, end: datetime, now: datetime
    ) -> Iterator[SlotView]:
        rows, (earliest, latest) = known.by_offering[offering.offering_id], window(offering, now)
        for starts_at in self._starts(offering, rows, max(start, now), end):
            if starts_at > now:
                row = rows.get(starts_at)
                slot = as_of_today(row, offering) if row else new_slot(offering, starts_at)
                live = self.holds.get(slot.slot_id, Holds()).live
                yield _shown(slot, _reason(slot, known.busy, live, earliest, latest))

    def _starts(
        self, offering: Offering, rows: Mapping[datetime, Slot], start: datetime, end: datetime
    ) -> Iterator[datetime]:
        """Of slots opened or closed one by one, and of the schedule's."""
        single = sorted(at for at, slot in rows.items() if (slot.opened or slot.closed) and start <= at < end)
        offered = starts_between(self.schedule, offering, self.zone, start, end) if self.schedule else ()
        return (at for at, _ in groupby(merge(single, offered)))


def _shown(slot: Slot, reason: Reason | None) -> SlotView:
    return SlotView(
        offering_id=slot.offering_id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        seats_left=slot.seats_left,
        free=reason is None,
        reason=reason,
    )


class _Known:
    """A provider's slots as they are now: holds that are over do not count, whether or not anything has swept them."""

    def __init__(self, slots: Iterable[Slot], holds: Mapping[UUID, Holds]) -> None:
        self.by_offering: defaultdict[UUID, dict[datetime, Slot]] = defaultdict(dict)
        active: list[Slot] = []
        for slot in slots:
            over = holds.get(slot.slot_id, Holds()).over
            current = replace(slot, taken=slot.taken - over) if over else slot
            self.by_offering[slot.offering_id][slot.starts_at] = current
            if current.active:
                active.append(current)
        self.busy = _Busy(active)


class _Busy:
    """A provider's active slots; they never overlap, so one search tells."""

    def __init__(self, active: Iterable[Slot]) -> None:
        ordered = sorted((slot.busy_from, slot.busy_until) for slot in active)
        self._from, self._until = [since for since, _ in ordered], [until for _, until in ordered]

    def meets(self, slot: Slot) -> bool:
        """Whether one of them overlaps the slot; touching is allowed."""
        before = bisect_left(self._from, slot.busy_until)
        return before > 0 and self._until[before - 1] > slot.busy_from


def _reason(slot: Slot, busy: _Busy, live: int, earliest: datetime, latest: datetime) -> Reason | None:
    """The first reason in the order that the rules give them."""
    if slot.closed:
        return "closed"
    if slot.starts_at < earliest:
        return "too_soon"
    if slot.starts_at > latest:
        return "too_far"
    if not slot.active and busy.meets(slot):
        return "provider_busy"
    if slot.seats_left > 0:
        return None
    return "held" if live else "full"
