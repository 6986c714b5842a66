"""What cannot be handled is set aside and does not stop its neighbours (requirements poison, bad-input; engine.md).

Refused input (JSON, headers, unknown command type, wrong key) never blocks its key. A message that failed blocks its
key on all topics and local messages of the service (blocked_keys.py).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from booking_contracts.envelope import uuid7
from booking_contracts.topics import MAX_BODY_BYTES

from services.chassis import metrics
from services.chassis.blocked_keys import block
from services.chassis.database import Connection
from services.chassis.local_messages import NEVER, hold_back
from services.chassis.messages import Message, Raw, Refused
from services.chassis.refused_input import CUT, bounded, kind_of


@dataclass(frozen=True, slots=True)
class Failed:
    """A message whose handler raised; `error` is the traceback's last lines."""

    message: Message[Any]
    error: str


async def set_aside_failed(connection: Connection, failed: Sequence[Failed]) -> None:
    """Block the keys, park each message as the first row of its key's queue, and record the dead letter."""
    if not failed:
        return
    await block(connection, sorted({item.message.key for item in failed}))
    letters = [_letter(item.message.raw, "failed", item.error, item.message.id, item.message.type) for item in failed]
    await hold_back(connection, [(item.message, NEVER, row[0]) for item, row in zip(failed, letters, strict=True)])
    await _insert(connection, letters)


async def set_aside_refused(connection: Connection, refused: Sequence[Refused]) -> list[Refused]:
    """Record what could not be read, within bounds; its key goes on. Returns what was recorded, as it was."""
    if not refused:
        return []
    kept = await bounded(connection, refused)
    letters = [
        _letter(
            item.raw, kind_of(item.raw.topic), f"{item.code}: {item.field} {item.problem}"[:1000], item.id, item.type
        )
        for item in kept
    ]
    await _insert(connection, letters)
    return kept


async def pass_over(connection: Connection, raw: Raw, error: str) -> None:
    """The last resort for what cannot even be set aside as it is: a note of where it was, without its content."""
    bare = Raw(raw.topic, raw.partition, raw.offset, None, [(CUT, "nothing of it could be kept")], b"")
    await _insert(connection, [_letter(bare, kind_of(raw.topic), error, None, None)])


async def set_aside_unsendable(connection: Connection, raw: Raw, error: str) -> None:
    """Record an outbox row that Kafka does not take."""
    metrics.dead_letters.labels("unsendable").inc()
    await _insert(connection, [_letter(raw, "unsendable", error, None, dict(raw.headers).get("ce_type"))])


Letter = tuple[UUID, str, int, int, str, bytes | None, UUID | None, str | None, str, str, bytes]


def _letter(raw: Raw, kind: str, error: str, message_id: UUID | None, message_type: str | None) -> Letter:
    place = (raw.topic, raw.partition, raw.offset)
    kind_told = None if message_type is None else _storable(message_type)
    told = (raw.key, message_id, kind_told, _storable(error), json.dumps(raw.headers), raw.body)
    return (uuid7(), *place, kind, *told)


async def _insert(connection: Connection, letters: Sequence[Letter]) -> None:
    if not letters:
        return
    await connection.executemany(
        """
        INSERT INTO dead_letter (id, topic, partition, "offset", kind, key, message_id, type, error, headers, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (topic, partition, "offset") DO UPDATE  -- a call made again, a topic made anew
            SET id = EXCLUDED.id, kind = EXCLUDED.kind, key = EXCLUDED.key, message_id = EXCLUDED.message_id,
                type = EXCLUDED.type, error = EXCLUDED.error, headers = EXCLUDED.headers, body = EXCLUDED.body,
                status = 'open', records = 1, created_at = EXCLUDED.created_at
        """,
        letters,
    )


def _storable(text: str) -> str:
    """What PostgreSQL takes as text: no null byte, no half of a surrogate pair."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\\x00")


def copy_for_topic(raw: Raw, error: str) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body of the copy on the dead-letter topic; the bytes are left out when they exceed the limit."""
    origin = f"{raw.topic}/{raw.partition}/{raw.offset}"
    short = error[-1000:].replace("\n", " ").replace("\x00", "\\x00")
    short = short.encode("utf-8", "replace").decode("latin-1")  # header values are bytes, kept as latin-1 text
    headers = [(name, value) for name, value in raw.headers if len(name) + len(value) <= 1024][:30]
    headers += [("dead_letter_origin", origin), ("dead_letter_error", short)]
    return headers, raw.body if len(raw.body) <= MAX_BODY_BYTES else b""
