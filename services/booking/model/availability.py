"""Which slots are free, and why one is not (requirement availability-query; rules.md, Slots)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal, TypedDict
from uuid import UUID

from services.booking.model.catalogue import Offering
from services.booking.model.slots import Slot

Reason = Literal["closed", "too_soon", "too_far", "provider_busy", "held", "full"]


class SlotView(TypedDict):
    """A slot as the contract shows it; `reason` is None exactly when it is free."""

    offering_id: UUID
    starts_at: datetime
    ends_at: datetime
    seats_left: int
    free: bool
    reason: Reason | None


def view(
    offerings: Mapping[UUID, Offering],
    slots: Sequence[Slot],
    holds: Mapping[UUID, tuple[int, int]],
    start: datetime,
    end: datetime,
    now: datetime,
) -> list[SlotView]:
    """The offered slots between start and end; `holds` is slot → seats of (holds that are over, live holds)."""
    current = [replace(slot, taken=slot.taken - holds.get(slot.slot_id, (0, 0))[0]) for slot in slots]
    shown = [
        slot
        for slot in current
        if slot.offering_id in offerings and slot.opened and start <= slot.starts_at < end and slot.starts_at > now
    ]
    busy = [slot for slot in current if slot.active]
    found: list[SlotView] = []
    for slot in sorted(shown, key=lambda slot: (slot.starts_at, slot.offering_id)):
        live = holds.get(slot.slot_id, (0, 0))[1]
        reason = _reason(offerings[slot.offering_id], slot, busy, live, now)
        found.append(
            SlotView(
                offering_id=slot.offering_id,
                starts_at=slot.starts_at,
                ends_at=slot.ends_at,
                seats_left=slot.seats_left,
                free=reason is None,
                reason=reason,
            )
        )
    return found


def _reason(offering: Offering, slot: Slot, busy: Sequence[Slot], live: int, now: datetime) -> Reason | None:
    """The first reason in the order that the rules give them."""
    if slot.closed:
        return "closed"
    if slot.starts_at - now < timedelta(minutes=offering.minimum_notice_minutes):
        return "too_soon"
    if slot.starts_at - now > timedelta(days=offering.horizon_days):
        return "too_far"
    if not slot.active and any(other.slot_id != slot.slot_id and slot.overlaps(other) for other in busy):
        return "provider_busy"
    if slot.seats_left > 0:
        return None
    return "held" if live else "full"
