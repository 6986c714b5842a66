"""A message on the wire: CloudEvents 1.0 headers (binary mode) and a JSON body, to and from Kafka.

Source: contract.md, A message; CloudEvents Kafka protocol binding 1.0, section 3.2.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Self
from uuid import UUID

from pydantic import BaseModel
from pydantic.config import ExtraValues

from booking_contracts.types import Fact, Value

Header = tuple[str, bytes]


class MessageBody(BaseModel):
    """The body of a message; a subclass names its type, its topic and the field that is its Kafka key."""

    ce_type: ClassVar[str]
    topic: ClassVar[str]
    key_field: ClassVar[str]

    domain: ClassVar[str] = ""

    def __init_subclass__(
        cls, *, domain: str = "", topic: str = "", key: str = "", version: int = 1, **kwargs: Any
    ) -> None:
        super().__init_subclass__(**kwargs)
        cls.domain, cls.topic = domain or cls.domain, topic or getattr(cls, "topic", "")
        cls.key_field = key or getattr(cls, "key_field", "")
        cls.ce_type = f"{cls.domain}.{cls.__name__}.v{version}"

    @property
    def key(self) -> str:
        """The Kafka key that this body belongs under."""
        return str(getattr(self, self.key_field))


class Command(Value, MessageBody):
    """An imperative: strict, an unknown field is refused."""


class Event(Fact, MessageBody):
    """A fact in the past tense; consumers ignore fields that they do not know, in the values inside it too."""

    @classmethod
    def model_validate_json(
        cls,
        json_data: str | bytes | bytearray,
        *,
        strict: bool | None = None,
        extra: ExtraValues | None = "ignore",
        context: object = None,
        by_alias: bool | None = None,
        by_name: bool | None = None,
    ) -> Self:
        """Read an event. Money, Customer … are strict in a command; in an event they ignore unknown fields."""
        return super().model_validate_json(
            json_data, strict=strict, extra=extra, context=context, by_alias=by_alias, by_name=by_name
        )


def uuid7() -> UUID:
    """A time-ordered UUID (RFC 9562, version 7)."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | (random >> 62 & 0xFFF) << 64
    return UUID(int=value | 0x2 << 62 | random & (1 << 62) - 1)


def rfc3339(instant: datetime) -> str:
    """An instant as RFC 3339 in UTC with `Z`."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stands in a message's headers, and its body as bytes of JSON."""

    id: UUID
    type: str
    source: str
    key: str
    time: datetime
    body: bytes
    correlation_id: str
    causation_id: str | None = None
    sequence: int | None = None
    reply_to: str | None = None
    traceparent: str | None = None

    def headers(self) -> list[Header]:
        """The Kafka headers of this message (contract.md, A message)."""
        pairs: list[tuple[str, str | None]] = [
            ("ce_specversion", "1.0"),
            ("ce_id", str(self.id)),
            ("ce_type", self.type),
            ("ce_source", self.source),
            ("ce_subject", self.key),
            ("ce_time", rfc3339(self.time)),
            ("content-type", "application/json"),
            ("ce_correlationid", self.correlation_id),
            ("ce_causationid", self.causation_id),
            ("ce_sequence", None if self.sequence is None else f"{self.sequence:012d}"),
            ("ce_replyto", self.reply_to),
            ("traceparent", self.traceparent),
        ]
        return [(name, value.encode()) for name, value in pairs if value is not None]


class BadEnvelope(ValueError):
    """A header is missing or unreadable. `field` names it; `id` is the message id where it can be read."""

    def __init__(self, field: str, problem: str, message_id: UUID | None) -> None:
        super().__init__(f"{field}: {problem}")
        self.field, self.problem, self.id = field, problem, message_id


def read_envelope(
    key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]], received_at: datetime
) -> Envelope:
    """Read a Kafka record; only `ce_id`, `ce_type` and the key are required of a client.

    Raises BadEnvelope, with the message id where it is readable, so that the sender can be answered.
    """
    found = {name.lower(): raw for name, raw in headers}

    def text(name: str, limit: int = 512) -> str | None:
        raw = found.get(name)
        if raw is None:
            return None
        try:
            decoded = raw.decode()
        except UnicodeDecodeError:
            raise BadEnvelope(name, "is not UTF-8", None) from None
        if len(decoded) > limit or any(ord(character) < 32 for character in decoded):
            raise BadEnvelope(name, f"is longer than {limit} or holds control characters", None)
        return decoded

    message_id = _read_id(text("ce_id"))
    try:
        if key is None:
            raise BadEnvelope("key", "is missing", None)
        kind = text("ce_type")
        if not kind:
            raise BadEnvelope("ce_type", "is missing", None)
        try:
            key_text = key.decode()
        except UnicodeDecodeError:
            raise BadEnvelope("key", "is not UTF-8", None) from None
        if "\x00" in key_text or len(key_text) > 256:
            raise BadEnvelope("key", "is longer than 256 or holds a null byte", None)
        return Envelope(
            id=message_id,
            type=kind,
            source=text("ce_source") or "unknown",
            key=key_text,
            time=received_at,
            body=value if value is not None else b"",
            correlation_id=text("ce_correlationid") or str(message_id),
            causation_id=text("ce_causationid"),
            sequence=_read_sequence(text("ce_sequence")),
            reply_to=text("ce_replyto", limit=64),
            traceparent=text("traceparent"),
        )
    except BadEnvelope as bad:
        raise BadEnvelope(bad.field, bad.problem, message_id) from None


def _read_id(text: str | None) -> UUID:
    if not text:
        raise BadEnvelope("ce_id", "is missing", None)
    try:
        return UUID(text)
    except ValueError:
        raise BadEnvelope("ce_id", "is not a UUID", None) from None


def _read_sequence(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise BadEnvelope("ce_sequence", "is not a number", None)
    return int(text)
