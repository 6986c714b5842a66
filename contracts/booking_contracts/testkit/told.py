"""Events as the services send them, for tests of a team's own handlers."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from booking_contracts.envelope import Envelope, Event, uuid7


def told(event: Event, *, sequence: int = 1, event_id: UUID | None = None) -> Envelope:
    """An event in its envelope: `await publish(broker, event.topic, told(event))` (booking_contracts.faststream)."""
    identity = event_id or uuid7()
    return Envelope(
        id=identity,
        type=event.ce_type,
        source=f"/{event.domain}",
        key=event.key,
        time=datetime.now(UTC),
        body=event.model_dump_json(by_alias=True).encode(),
        correlation_id=str(identity),
        sequence=sequence,
    )
