"""A provider is never in two overlapping active slots (requirement provider-overlap; rules.md, Slots)."""

from __future__ import annotations

from collections.abc import Iterable

from booking_contracts.codes import Code, Rejected

from services.booking.model.slots import Slot


def provider_free(slot: Slot, others: Iterable[Slot]) -> bool:
    """Whether none of the provider's other active slots overlaps, buffers included; touching is allowed."""
    return not any(other.slot_id != slot.slot_id and other.active and slot.overlaps(other) for other in others)


def check_provider_free(slot: Slot, others: Iterable[Slot]) -> None:
    """A provider is never in two overlapping active slots, buffers included (requirement provider-overlap)."""
    if not provider_free(slot, others):
        raise provider_busy()


def provider_busy() -> Rejected:
    """The refusal of a slot that overlaps another active one."""
    return Rejected(Code.PROVIDER_BUSY, "The provider has another appointment then; choose another slot.")
