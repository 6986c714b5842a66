"""The local messages of webhooks: what the worker tells handlers, and what handlers set themselves."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.chassis.messages import LocalBody


class EventWaits(LocalBody):
    """An event that names a booking which is not known yet, so that nobody knows whose it is; looked at again.

    `content` is the event as it is posted, `sequence` its ce_sequence. `tries` counts the looks before this one.
    """

    event_id: UUID
    type: str
    booking_id: UUID
    content: str
    tries: int
    sequence: int = 0


class WebhookEnded(LocalBody):
    """A delivery to a subscriber succeeded or, with a reason, failed."""

    booking_id: UUID
    event_id: UUID
    subscription_id: UUID
    reason: str | None = None


class SubscriberDisabled(LocalBody):
    """A subscriber was switched off, not by a person: its owner is to be told. `why` is a clause of a sentence."""

    subscription_id: UUID
    url: str
    owner_email: str
    why: str
    disabled_at: datetime


class NoticeEnded(LocalBody):
    """The mail server took the letter to an owner, or with a reason never will."""

    subscription_id: UUID
    reason: str | None = None
