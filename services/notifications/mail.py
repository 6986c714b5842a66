"""What handlers ask of the gateway, and what comes back."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Self
from uuid import UUID

from booking_contracts.booking import BookingEvent, WaitlistEvent
from booking_contracts.envelope import Event
from booking_contracts.registry import BY_TYPE
from pydantic import BaseModel, ConfigDict

from services.chassis.messages import LocalBody
from services.chassis.stored import Stored, newer
from services.notifications.model.letters import Audience, Kind, Letter

SEND_MAIL = "send_mail"


class EventText(BaseModel):
    """An event as it is stored: its type and its body as JSON text."""

    model_config = ConfigDict(frozen=True)
    type: str
    body: str

    @classmethod
    def of(cls, event: Event) -> Self:
        return cls(type=event.ce_type, body=event.model_dump_json(by_alias=True))

    def read(self, where: str) -> Event:
        """The event. `where` is the table it is in. Raises NewerBuild where it is not in the contract of this build."""
        return _event(self.type, where).json(self.body)


@cache
def _event(name: str, where: str) -> Stored[Event]:
    kind = BY_TYPE.get(name)
    if kind is None or not issubclass(kind, Event):
        raise newer(f"{where}, type of event", repr(name), "it is not in the contract")
    return Stored(kind, f"{where}, {name}")


class MailToSend(BaseModel):
    """All that it takes to render one letter, the same each time it is sent."""

    model_config = ConfigDict(frozen=True)
    delivery_id: UUID
    message_id: str
    written_at: datetime
    sequence: int
    kind: Kind
    audience: Audience
    recipient: str
    name: str
    locale: str
    timezone: str
    event: EventText
    known: EventText | None
    """The booking, where the event itself does not describe it."""
    until: datetime | None = None
    """From then on it is of no use, and not sent."""

    @classmethod
    def of(cls, letter: Letter, *, delivery_id: UUID, message_id: str, written_at: datetime, sequence: int) -> Self:
        """`sequence` is the booking's ce_sequence as of the letter."""
        known = letter.booking if letter.booking is not letter.event else None
        return cls(
            delivery_id=delivery_id,
            message_id=message_id,
            written_at=written_at,
            sequence=sequence,
            kind=letter.kind,
            audience=letter.audience,
            recipient=letter.recipient,
            name=letter.name,
            locale=letter.locale,
            timezone=letter.timezone,
            event=EventText.of(letter.event),
            known=EventText.of(known) if known else None,
            until=letter.until,
        )

    def letter(self) -> Letter:
        """The letter as it was when it was written."""
        event = self.event.read("gateway_call")
        about = self.known.read("gateway_call") if self.known else event
        return Letter(
            kind=self.kind,
            audience=self.audience,
            recipient=self.recipient,
            name=self.name,
            locale=self.locale,
            timezone=self.timezone,
            event=event,
            booking=about if isinstance(about, BookingEvent | WaitlistEvent) else None,
            until=self.until,
        )


class MailSent(LocalBody):
    """The mail server took the letter."""

    delivery_id: UUID


class MailRefused(LocalBody):
    """No mail server will ever take the letter, or none did in time."""

    delivery_id: UUID
    reason: str
