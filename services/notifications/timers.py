"""The local messages that notifications sets itself."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid5

from services.chassis.messages import LocalBody


class ReminderDue(LocalBody):
    """Time to remind of a booking, if it is still confirmed for `starts_at`; a stale one decides to nothing."""

    booking_id: UUID
    starts_at: datetime
    due_at: datetime

    @property
    def occasion(self) -> UUID:
        """One per booking, start and time: a booking moved away and back has two timers and gets one letter."""
        return uuid5(self.booking_id, f"reminder {self.starts_at.isoformat()} {self.due_at.isoformat()}")


class DisputeWaits(LocalBody):
    """A dispute may still be open; comes back daily while it is."""

    booking_id: UUID


class MailWaits(LocalBody):
    """A letter may still wait for those before it. Their outcomes send it on; this does where none comes."""

    delivery_id: UUID
