"""A command as it goes to Kafka."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from booking_contracts.client.booking_client import topic_of
from booking_contracts.envelope import Envelope, uuid7


@dataclass(frozen=True)
class Sendable:
    topic: str
    envelope: Envelope


def of(command: Any, key: str | None = None) -> Sendable:
    """A command under a new id."""
    body = command.model_dump_json(by_alias=True, exclude_none=True, exclude_unset=True).encode()
    return Sendable(topic_of(command), envelope_of(uuid7(), command.ce_type, key or command.key, body))


def envelope_of(command_id: UUID, kind: str, key: str, body: bytes) -> Envelope:
    return Envelope(
        id=command_id,
        type=kind,
        source="/faults",
        key=key,
        time=datetime.now(UTC),
        body=body,
        correlation_id=str(command_id),
    )
