"""Messages of the notifications service: what became of each delivery."""

from __future__ import annotations

from typing import Literal

from booking_contracts.envelope import Event
from booking_contracts.types import Id


class DeliveryEvent(Event, domain="notifications", topic="notifications.events", key="booking_id"):
    """The outcome of one delivery: one per (event, recipient, channel)."""

    booking_id: Id
    event_id: Id
    recipient: str
    channel: Literal["email", "webhook"]


class DeliverySucceeded(DeliveryEvent):
    pass


class DeliveryFailed(DeliveryEvent):
    reason: str


EVENTS: tuple[type[DeliveryEvent], ...] = (DeliverySucceeded, DeliveryFailed)
