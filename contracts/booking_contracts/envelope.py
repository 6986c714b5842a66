"""A message on the wire: CloudEvents 1.0 headers (binary mode) and a JSON body, to and from Kafka.

Source: CloudEvents Kafka protocol binding 1.0, section 3.2; contract.md, A message.
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

from booking_contracts.given_twice import given_twice
from booking_contracts.headers import MOST_KEY, check_all, checked, read_id, read_sequence, text
from booking_contracts.headers import BadEnvelope as BadEnvelope
from booking_contracts.headers import safe_text as safe_text
from booking_contracts.types import Fact, Value, refusal

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
    """An imperative: strict, an unknown field is refused, and one that is given twice."""

    @classmethod
    def model_validate_json(
        cls,
        json_data: str | bytes | bytearray,
        *,
        strict: bool | None = None,
        extra: ExtraValues | None = None,
        context: object = None,
        by_alias: bool | None = None,
        by_name: bool | None = None,
    ) -> Self:
        """Read a command, whose members have the names of its JSON Schema: `from`, not `from_`, which is Python's.

        Raises pydantic.ValidationError, whose location names the field.
        """
        if by_alias is None and by_name is None:
            by_alias, by_name = True, False
        found = super().model_validate_json(
            json_data, strict=strict, extra=extra, context=context, by_alias=by_alias, by_name=by_name
        )
        if (twice := given_twice(json_data)) is not None:
            raise refusal(cls, twice, "is given twice")
        return found


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


def read_envelope(
    key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | None]], received_at: datetime
) -> Envelope:
    """Read a Kafka record; only `ce_id`, `ce_type` and the key are required of a client.

    Names count in any case; of a header that is there twice the last counts, as with `lastHeader` of Kafka's client.
    A header without a value is not there. Raises BadEnvelope, with the message id where it is readable, so that the
    sender can be answered.
    """
    given = list(headers)
    found = {name.lower(): raw for name, raw in given if raw is not None}
    message_id: UUID | None = None
    try:
        message_id = read_id(text(found, "ce_id"))
        check_all(given)
        if key is None:
            raise BadEnvelope("key", "is missing", None)
        kind = text(found, "ce_type")
        if not kind:
            raise BadEnvelope("ce_type", "is missing", None)
        return Envelope(
            id=message_id,
            type=kind,
            source=text(found, "ce_source") or "unknown",
            key=checked("key", key, MOST_KEY),
            time=received_at,
            body=value if value is not None else b"",
            correlation_id=text(found, "ce_correlationid") or str(message_id),
            causation_id=text(found, "ce_causationid"),
            sequence=read_sequence(text(found, "ce_sequence")),
            reply_to=text(found, "ce_replyto"),
            traceparent=text(found, "traceparent"),
        )
    except BadEnvelope as bad:
        raise BadEnvelope(bad.field, bad.problem, message_id) from None
