"""The local messages that booking sets itself."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.chassis.messages import LocalBody


class DeadlineReached(LocalBody):
    """Time may have taken a booking's next step: a hold, approval, payment or dispute deadline, auto-completion.

    It asks the booking itself (model/deadlines.py), so one that a reschedule made stale changes nothing.
    """

    booking_id: UUID


class AskAgain(LocalBody):
    """A step of the saga may be without an answer."""

    booking_id: UUID
    step: str
    attempt: int
    asked: int


class EntryDue(LocalBody):
    """An offer's deadline, or the end of a line, may have come for a waitlist entry; a stale one does nothing."""

    entry_id: UUID


class SlotClosing(LocalBody):
    """More of a closed slot's bookings and line are to end; keyed by the slot."""

    slot_id: UUID


class SeatsLeft(LocalBody):
    """More people wait who fit into a slot's free seats than one batch asked; keyed by the slot."""

    slot_id: UUID


class LineClosing(LocalBody):
    """More people may wait for a slot that is not offered any more than one batch has told so; keyed by the slot."""

    slot_id: UUID


class HoursChanged(LocalBody):
    """Lines of a provider may wait for hours that are gone, or beside room that an edit of the offering has made: those
    after a place in the order of start and slot.

    Keyed by the provider.
    """

    provider_id: UUID
    after: tuple[datetime, UUID] | None = None
