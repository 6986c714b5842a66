"""The one reply to every command (contract.md, Replies)."""

from __future__ import annotations

from pydantic import Field, JsonValue

from booking_contracts.codes import Code
from booking_contracts.envelope import Event
from booking_contracts.types import Id


class CommandAccepted(Event, domain="booking", topic="booking.replies", key="command_id"):
    """What an accepted command did; how the saga ends is told by events."""

    command_id: Id
    booking_id: Id | None = None
    state: str | None = None
    result: dict[str, JsonValue] = Field(default_factory=dict)


class CommandRejected(Event, domain="booking", topic="booking.replies", key="command_id"):
    """Why a command was refused, and what to do about it."""

    command_id: Id
    booking_id: Id | None = None
    code: Code
    message: str
    details: dict[str, JsonValue] = Field(default_factory=dict)
