"""Providers, offerings and slots to book in a benchmark, made over Kafka like everything else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from booking_contracts.booking import CommandAccepted, PlaceBooking
from booking_contracts.envelope import uuid7
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import customer, customer_actor, provider_actor

from tests.bench.wire import Wire, prepared


@dataclass(frozen=True)
class Room:
    """One slot to book."""

    offering_id: UUID
    starts_at: datetime

    def place(self, who: str, **changes: object) -> PlaceBooking:
        """A PlaceBooking of one seat, by card unless `changes` says otherwise."""
        return sample.place_booking(
            offering_id=self.offering_id,
            starts_at=self.starts_at,
            customer=customer(who, name=who.title(), email=f"{who}@example.com"),
            actor=customer_actor(who),
            **changes,
        )


async def open_rooms(wire: Wire, *, providers: int, slots: int, capacity: int, **offering: object) -> list[Room]:
    """So many providers with one offering and so many slots each, one provider's side by side."""
    ids = [(uuid7(), uuid7()) for _ in range(providers)]
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=7)
    rooms = []
    for provider_id, _ in ids:
        await wire.publish(prepared(sample.register_provider(provider_id=provider_id)))
    await _answered(wire, [str(provider_id).encode() for provider_id, _ in ids])
    for provider_id, offering_id in ids:
        actor = provider_actor(provider_id)
        defined = sample.define_offering(
            provider_id=provider_id, offering_id=offering_id, capacity=capacity, actor=actor, **offering
        )
        await wire.publish(prepared(defined, provider_id))
        for number in range(slots):
            room = Room(offering_id, start + timedelta(hours=2 * number))
            slot = sample.open_slot(offering_id=offering_id, starts_at=room.starts_at, actor=actor)
            await wire.publish(prepared(slot, provider_id))
            rooms.append(room)
    wanted = wire.counts[CommandAccepted.ce_type] + providers * (slots + 1)
    while wire.counts[CommandAccepted.ce_type] < wanted:
        await wire.changed()
    return rooms


async def _answered(wire: Wire, keys: list[bytes]) -> None:
    await wire.until(CommandAccepted.ce_type, keys)
