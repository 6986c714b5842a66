"""What is known of a booking, the last event seen of it; and of its provider, who may have moved since."""

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


@dataclass(frozen=True, slots=True)
class KnownProvider:
    """How a provider is reached today. `sequence` is the ce_sequence of the ProviderRegistered that told it."""

    provider_id: UUID
    sequence: int
    name: str
    email: str
    timezone: str

    @property
    def row_key(self) -> UUID:
        return self.provider_id


@dataclass(frozen=True, slots=True)
class RemindersOff:
    """A mailbox (`addresses.person_of`) that wants no reminders."""

    person: bytes

    @property
    def row_key(self) -> bytes:
        return self.person


def as_of_today(event: BookingEvent, provider: KnownProvider | None) -> BookingEvent:
    """An event that letters are written from later on: it names its provider as they were then."""
    if provider is None:
        return event
    reaching = {"provider_name": provider.name, "provider_email": provider.email}
    return event.model_copy(update={**reaching, "provider_timezone": provider.timezone})


def starts_at(event: BookingEvent) -> datetime:
    """When the booking takes place, as of this event."""
    return event.to.starts_at if isinstance(event, BookingRescheduled) else event.starts_at
