"""What a timeline is made of: who told, asked, reminded or wrote to whom, when, and how long it took."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Lane(StrEnum):
    """Who takes part, from left to right as they are drawn."""

    CALLER = "caller"
    """Whoever publishes commands and hears events: other teams' systems, by Kafka and by webhooks."""
    BOOKING = "booking"
    PAYMENTS = "payments"
    STRIPE = "stripe"
    NOTIFICATIONS = "notifications"
    PEOPLE = "people"
    """Who gets letters, and operators."""


class Kind(StrEnum):
    MESSAGE = "message"
    TIMER = "timer"
    CALL = "call"
    WEBHOOK = "webhook"
    LETTER = "letter"
    MONEY = "money"
    STEP = "step"
    ACT = "act"
    ASIDE = "aside"


class Tone(StrEnum):
    """How it stands."""

    DONE = "done"
    OPEN = "open"
    FAILED = "failed"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True)
class Mark:
    """One of them. `until`: when it had come, or was done; None where that is not known, or not yet so. `message_id`:
    of the message, by which its raw form is found."""

    at: datetime
    sender: Lane
    hearer: Lane
    kind: Kind
    label: str
    detail: str = ""
    until: datetime | None = None
    tone: Tone = Tone.DONE
    message_id: UUID | str | None = None

    @property
    def seconds(self) -> float | None:
        """How long it took; None where that is not known."""
        return None if self.until is None else max(0.0, (self.until - self.at).total_seconds())


def short(kind: str | None) -> str:
    """booking.PlaceBooking.v1 → PlaceBooking; local.AskAgain → AskAgain."""
    parts = (kind or "unknown").split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def lane_of(kind: str) -> Lane:
    """Which of our services says events of this type."""
    return Lane.PAYMENTS if kind.startswith("payments.") else Lane.BOOKING
