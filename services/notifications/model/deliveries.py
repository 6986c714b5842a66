"""A delivery: one letter's way to one person, and what became of it (requirement notify-once)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID, uuid5

from services.notifications.model.addresses import mailbox
from services.notifications.model.letters import Audience, Kind

Channel = Literal["email"]
Line = tuple[UUID, str]
"""(booking or waitlist entry, mailbox)."""
LONGEST_IN_LINE = timedelta(days=4)
"""Longer than a letter is tried: what became of those before it will never be known."""


class State(StrEnum):
    """PENDING until the mail server has taken the letter, or never will; the other two are final."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One per (event, recipient, channel). `reason` says why it failed."""

    delivery_id: UUID
    booking_id: UUID
    """The booking, or the waitlist entry, that the letter is about."""
    event_id: UUID
    recipient: str
    channel: Channel
    kind: Kind
    audience: Audience
    state: State
    created_at: datetime
    settled_at: datetime | None = None
    reason: str | None = None
    mail: str | None = None
    """The letter while it waits for those before it in its line; None from when it is on its way."""

    @property
    def row_key(self) -> UUID:
        return self.delivery_id

    @property
    def line(self) -> Line:
        """Letters of one line are sent one after the other, in the order they were written."""
        return self.booking_id, mailbox(self.recipient)

    @property
    def waits(self) -> bool:
        return self.mail is not None


@dataclass(frozen=True, slots=True)
class Stream:
    """How many outcomes of one booking's deliveries have been told: the last number of its event stream."""

    booking_id: UUID
    sequence: int

    @property
    def row_key(self) -> UUID:
        return self.booking_id


def delivery_id(event_id: UUID, recipient: str, channel: Channel = "email") -> UUID:
    """The same for the same event, recipient and channel, so that a letter can be written once only."""
    return uuid5(event_id, f"{channel}:{mailbox(recipient)}")


def message_id(delivery: UUID, domain: str) -> str:
    """The Message-ID of a delivery's mail (RFC 5322, 3.6.4): however often it is sent, mail programs see one."""
    return f"<{delivery}@{domain}>"
