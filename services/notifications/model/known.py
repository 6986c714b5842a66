"""What is known of a booking: the last event seen of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from booking_contracts.booking import BookingEvent, BookingRescheduled


@dataclass(frozen=True, slots=True)
class KnownBooking:
    """Names the people of a booking to events that name none, and its state to timers.

    `sequence` is the event's ce_sequence. `event` is None once the contact data in it has been erased.
    """

    booking_id: UUID
    sequence: int
    state: str
    event: BookingEvent | None

    @property
    def row_key(self) -> UUID:
        return self.booking_id


def starts_at(event: BookingEvent) -> datetime:
    """When the booking takes place, as of this event."""
    return event.to.starts_at if isinstance(event, BookingRescheduled) else event.starts_at
