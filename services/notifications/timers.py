"""The local messages that notifications sets itself."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid5

from services.chassis.messages import LocalBody
from services.notifications.model.occasions import LATE


class Occasion(LocalBody):
    """Time to look whether a booking is to be written about; a stale one changes nothing.

    `again` is one that came late, and comes again behind the events that were late with it.
    """

    booking_id: UUID
    due_at: datetime | None = None
    again: bool = False

    def late(self, now: datetime) -> bool:
        """Whether events may have to be heard first; no for one that was set without `due_at`."""
        return not self.again and self.due_at is not None and now - self.due_at > LATE


class ReminderDue(Occasion):
    """Time to remind of a booking, if it is still confirmed for `starts_at`; of use `until` then."""

    starts_at: datetime
    due_at: datetime
    until: datetime | None = None

    @property
    def occasion(self) -> UUID:
        """One per booking, start and time: a booking moved away and back has two timers and gets one letter."""
        return uuid5(self.booking_id, f"reminder {self.starts_at.isoformat()} {self.due_at.isoformat()}")


class SeatsHeld(Occasion):
    """Time to say until when a booking can be paid, if it is not paid."""

    @property
    def occasion(self) -> UUID:
        return uuid5(self.booking_id, "seats held")


class DisputeWaits(Occasion):
    """A dispute may still be open; comes back daily while it is."""


class MailWaits(LocalBody):
    """A letter may still wait for those before it. Their outcomes send it on; this does where none comes."""

    delivery_id: UUID
