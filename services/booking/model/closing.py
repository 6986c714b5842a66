"""What CloseSlot leaves to do: a slot is closed at once, its bookings and its line end in slices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from booking_contracts.types import Actor

from services.booking.model.booking import Booking
from services.booking.model.deadlines import overdue
from services.booking.model.states import LIVING

CLOSED_WITH_SLOT = LIVING


@dataclass(frozen=True, slots=True)
class Closing:
    """A slot that was closed at an instant, by whom and with which command; its row goes when nothing is left to end.

    Until then what was on the slot counts as ended already: whatever meets it first ends it as the command would have.
    """

    slot_id: UUID
    closed_at: datetime
    actor: Actor
    command_id: UUID
    correlation_id: str
    over: bool = False

    @property
    def row_key(self) -> UUID:
        return self.slot_id

    def cancels(self, booking: Booking) -> bool:
        """Pending and confirmed bookings; a hold that was over when the slot was closed expires instead."""
        return booking.state in CLOSED_WITH_SLOT and not overdue(booking, self.closed_at)


@dataclass(frozen=True, slots=True)
class Rest:
    """What a closed slot has beyond the slice that this batch holds."""

    slot_id: UUID
    cancelled: int
    """Bookings that are to be cancelled."""
    living: int
    """These, holds that are over, and the line."""

    @property
    def row_key(self) -> UUID:
        return self.slot_id
