"""The outbox: messages written in the transaction that decided them (requirement outbox)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from booking_contracts.envelope import Envelope
from booking_contracts.headers import safe_text
from booking_contracts.topics import dead_letters

from services.chassis.clock import Clock
from services.chassis.dead_letters import Failed, copy_for_topic
from services.chassis.messages import Headers, Refused
from services.chassis.statements import Statements
from services.chassis.unit_of_work import Send


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A row of the outbox."""

    topic: str
    key: str | None
    headers: Headers
    body: bytes
    asked_at: datetime | None = None
    """Of the reply to a command: when that was published. How long the answer took, the relay knows."""


def from_send(send: Send, service: str, clock: Clock, asked_at: datetime | None = None) -> Outgoing:
    """The CloudEvents form of a message; correlation and trace go on from what caused it."""
    cause = send.cause
    envelope = Envelope(
        id=send.id,
        type=send.type,
        source=f"/{service}",
        key=send.key,
        time=clock.now(),
        body=send.body,
        correlation_id=cause.correlation_id if cause else str(send.id),
        causation_id=str(cause.id) if cause else None,
        sequence=send.sequence,
        reply_to=send.reply_to,
        traceparent=cause.traceparent if cause else None,
    )
    headers = [(name, value.decode("latin-1")) for name, value in envelope.headers()]
    return Outgoing(send.topic, send.key, headers, send.body, asked_at)


def from_dead_letter(item: Failed | Refused, service: str) -> Outgoing:
    """The copy of a dead letter for the topic that operators and alerts read."""
    if isinstance(item, Failed):
        raw, error = item.message.raw, item.error
    else:
        raw, error = item.raw, f"{item.code}: {item.field} {item.problem}"
    headers, body = copy_for_topic(raw, error)
    key = None if raw.key is None else safe_text(raw.key)
    return Outgoing(dead_letters(service).name, key, headers, body)


def append(writes: Statements, outgoing: Sequence[Outgoing]) -> None:
    """Append in order, after the aggregates are locked: rows of one key then have rising ids."""
    if not outgoing:
        return
    writes.add(
        """
        INSERT INTO outbox (topic, key, headers, body, asked_at)
        SELECT topic, key, headers, body, asked_at
        FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::timestamptz[])
             WITH ORDINALITY AS t (topic, key, headers, body, asked_at, nth)
        ORDER BY nth
        """,
        [row.topic for row in outgoing],
        [row.key for row in outgoing],
        [json.dumps(row.headers) for row in outgoing],
        [row.body for row in outgoing],
        [row.asked_at for row in outgoing],
    )
