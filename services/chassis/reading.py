"""From a Kafka record or a row to a message, or to a refusal that names what is wrong (requirement bad-input)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from booking_contracts.codes import Code
from booking_contracts.envelope import BadEnvelope, Command, Envelope, read_envelope, uuid7
from booking_contracts.refusals import BODY, Problem, problems_of
from booking_contracts.topics import MAX_BODY_BYTES
from pydantic import ValidationError

from services.chassis.messages import Message, Origin, Raw, Refused
from services.chassis.service import Service


@dataclass(frozen=True, slots=True)
class Unread:
    """A local message that this build cannot read, as far as it is needed to set it aside."""

    message: Message[Any]
    error: str
    newer: bool = False
    """It has a type that only a newer build knows."""


Read = Message[Any] | Refused | Unread | None


class Reader:
    """Reads what a service consumes; never raises. None means: an event of a type that this build does not know."""

    def __init__(self, service: Service) -> None:
        self._service, self._handlers = service, service.by_type

    def read(self, raw: Raw, now: datetime) -> Read:
        """A record of Kafka, one that waited as a row, a timer, or the result of a call."""
        is_local = raw.topic.startswith("local.")
        try:
            return self._local(raw) if is_local else self._record(raw, now)
        except Exception as error:  # a fault of ours, whatever it is: it must not stop the others
            problem = f"{type(error).__name__}: {error}"
            if not is_local:
                return _undecodable(raw, problem)
            return Unread(_unread(raw), problem, newer=raw.topic not in self._handlers)

    def _record(self, raw: Raw, now: datetime) -> Message[Any] | Refused | None:
        if raw.undecodable:
            return _undecodable(raw, raw.undecodable)
        is_command = raw.topic in self._service.command_topics
        body_hash = hashlib.sha256(raw.body).digest()
        try:
            headers = [(name, value.encode("latin-1")) for name, value in raw.headers]
            envelope = read_envelope(raw.key, raw.body, headers, now)
        except BadEnvelope as bad:
            return Refused(
                raw,
                Code.INVALID_COMMAND,
                bad.field,
                bad.problem,
                id=bad.id if is_command else None,
                body_hash=body_hash,
            )
        handler = self._handlers.get(envelope.type)
        if handler is None or issubclass(handler.body, Command) != is_command:
            if not is_command:
                return None
            return _refuse(raw, envelope, body_hash, Code.UNKNOWN_TYPE, Problem("ce_type", "is not known"))
        if len(raw.body) > MAX_BODY_BYTES:
            wrong = Problem(BODY, f"is larger than {MAX_BODY_BYTES} bytes")
            return _refuse(raw, envelope, body_hash, Code.INVALID_COMMAND, wrong)
        try:
            body = handler.body.model_validate_json(raw.body, context=self._service.reading if is_command else None)
        except ValidationError as error:
            return _refuse(raw, envelope, body_hash, Code.INVALID_COMMAND, *problems_of(error))
        key_field = getattr(body, "key_field", "")
        expected = getattr(body, key_field, None)
        if expected is not None and str(expected) != envelope.key:
            wrong = Problem("key", f"must be the {key_field} of the body, {expected}")
            return _refuse(raw, envelope, body_hash, Code.INVALID_COMMAND, wrong)
        return Message(
            id=envelope.id,
            type=envelope.type,
            key=envelope.key,
            body=body,
            origin=Origin.COMMAND if is_command else Origin.EVENT,
            raw=raw,
            correlation_id=envelope.correlation_id,
            reply_to=envelope.reply_to,
            traceparent=envelope.traceparent,
            body_hash=body_hash,
        )

    def _local(self, raw: Raw) -> Message[Any]:
        """A local message; its body was written by us, so a fault in it is a fault of ours and raises.

        By a newer build it may have been written with more fields, also in a command that waits in it.
        """
        headers = dict(raw.headers)
        body = self._handlers[raw.topic].body.model_validate_json(raw.body, extra="ignore")
        return Message(
            id=UUID(headers["ce_id"]),
            type=raw.topic,
            key=(raw.key or b"").decode(),
            body=body,
            origin=Origin.GATEWAY if raw.row is None else Origin.LOCAL,
            raw=raw,
            correlation_id=headers["ce_correlationid"],
            traceparent=headers.get("traceparent"),
        )


def _undecodable(raw: Raw, problem: str) -> Refused:
    return Refused(raw, Code.INVALID_COMMAND, "record", f"cannot be decoded: {problem}")


def _unread(raw: Raw) -> Message[Any]:
    headers = dict(raw.headers)
    try:
        message_id = UUID(headers["ce_id"])
    except (KeyError, ValueError):
        message_id = raw.row or uuid7()
    return Message(
        id=message_id,
        type=raw.topic,
        key=(raw.key or b"").decode("utf-8", "replace"),
        body=None,
        origin=Origin.GATEWAY if raw.row is None else Origin.LOCAL,
        raw=raw,
        correlation_id=headers.get("ce_correlationid", str(message_id)),
    )


def _refuse(raw: Raw, envelope: Envelope, body_hash: bytes, code: Code, first: Problem, *more: Problem) -> Refused:
    return Refused(
        raw,
        code,
        first.field,
        first.problem,
        id=envelope.id,
        type=envelope.type,
        correlation_id=envelope.correlation_id,
        reply_to=envelope.reply_to,
        body_hash=body_hash,
        more=more,
    )
