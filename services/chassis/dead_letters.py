"""What cannot be handled is set aside and does not stop its neighbours (requirements poison, bad-input; engine.md).

Refused input (JSON, headers, unknown command type, wrong key) never blocks its key. A handler that failed blocks the
key on all topics and local messages of the service: later messages wait as rows in arrival order, behind the failed
one, until an operator redrives or discards it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from booking_contracts.envelope import uuid7
from booking_contracts.topics import MAX_BODY_BYTES

from services.chassis import metrics
from services.chassis.database import Connection
from services.chassis.local_messages import NEVER, hold_back
from services.chassis.messages import Message, Raw, Refused


@dataclass(frozen=True, slots=True)
class Failed:
    """A message whose handler raised; `error` is the traceback's last lines."""

    message: Message[Any]
    error: str


async def split_blocked(
    connection: Connection, messages: Sequence[Message[Any]]
) -> tuple[list[Message[Any]], list[tuple[Message[Any], bool]]]:
    """(free, blocked with whether the key drains). Read FOR SHARE, so that redrive and discard wait for this batch."""
    rows = await connection.fetch(
        "SELECT key, draining FROM blocked_key WHERE key = ANY($1) ORDER BY key FOR SHARE",
        sorted({message.key for message in messages}),
    )
    if not rows:
        return list(messages), []
    blocks = {row["key"]: row["draining"] for row in rows}
    free: list[Message[Any]] = []
    blocked: list[tuple[Message[Any], bool]] = []
    for message in messages:
        if message.key not in blocks or (message.raw.held and blocks[message.key]):
            free.append(message)
        else:
            blocked.append((message, blocks[message.key]))
    return free, blocked


async def keep_behind(connection: Connection, blocked: Sequence[tuple[Message[Any], bool]], now: datetime) -> None:
    """Messages of blocked keys become rows; those of a draining key are due at once, after what waits already."""
    await hold_back(connection, [(message, now if draining else NEVER, uuid7()) for message, draining in blocked])


async def set_aside_failed(connection: Connection, failed: Sequence[Failed]) -> None:
    """Block the keys, park each message as the first row of its key's queue, and record the dead letter."""
    if not failed:
        return
    metrics.dead_letters.labels("failed").inc(len(failed))
    keys = sorted({item.message.key for item in failed})
    await connection.execute(
        """
        INSERT INTO blocked_key (key) SELECT unnest($1::text[])
        ON CONFLICT (key) DO UPDATE SET draining = false
        """,
        keys,
    )
    await connection.execute(
        "UPDATE local_message SET due_at = $2 WHERE key = ANY($1) AND kind = 'record'", keys, NEVER
    )
    ids = [uuid7() for _ in failed]
    await hold_back(connection, [(item.message, NEVER, row) for item, row in zip(failed, ids, strict=True)])
    for item, row in zip(failed, ids, strict=True):
        message = item.message
        await _insert(connection, row, message.raw, "failed", item.error, message.id, message.type)


async def set_aside_refused(connection: Connection, refused: Sequence[Refused]) -> None:
    """Record what could not be read; its key goes on."""
    metrics.dead_letters.labels("refused").inc(len(refused))
    for item in refused:
        error = f"{item.code}: {item.field} {item.problem}"
        await _insert(connection, uuid7(), item.raw, "refused", error, item.id, item.type)


async def set_aside_unsendable(connection: Connection, raw: Raw, error: str) -> None:
    """Record an outbox row that Kafka does not take."""
    metrics.dead_letters.labels("unsendable").inc()
    await _insert(connection, uuid7(), raw, "refused", error, None, dict(raw.headers).get("ce_type"))


async def _insert(
    connection: Connection,
    row: UUID,
    raw: Raw,
    kind: str,
    error: str,
    message_id: UUID | None,
    message_type: str | None,
) -> None:
    await connection.execute(
        """
        INSERT INTO dead_letter (id, topic, partition, "offset", kind, key, message_id, type, error, headers, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (topic, partition, "offset") DO UPDATE
            SET id = EXCLUDED.id, status = 'open', error = EXCLUDED.error
        """,
        row,
        raw.topic,
        raw.partition,
        raw.offset,
        kind,
        raw.key,
        message_id,
        message_type,
        error.replace("\x00", "\\x00"),
        json.dumps(raw.headers),
        raw.body,
    )


async def release_drained(connection: Connection, keys: Sequence[str]) -> None:
    """Lift the block of keys whose waiting rows have all been handled."""
    if not keys:
        return
    await connection.execute(
        """
        DELETE FROM blocked_key b WHERE draining AND key = ANY($1)
          AND NOT EXISTS (SELECT FROM local_message m WHERE m.key = b.key AND m.kind = 'record')
        """,
        list(keys),
    )


def copy_for_topic(raw: Raw, error: str) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body of the copy on the dead-letter topic; the bytes are left out when they exceed the limit."""
    origin = f"{raw.topic}/{raw.partition}/{raw.offset}"
    short = error[-1000:].replace("\n", " ").replace("\x00", "\\x00")
    short = short.encode("utf-8", "replace").decode("latin-1")  # header values are bytes, kept as latin-1 text
    headers = [(name, value) for name, value in raw.headers if len(value) <= 1024][:30]
    headers += [("dead_letter_origin", origin), ("dead_letter_error", short)]
    return headers, raw.body if len(raw.body) <= MAX_BODY_BYTES else b""
