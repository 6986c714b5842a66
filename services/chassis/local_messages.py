"""Local messages: timers, stored webhooks and held-back records, rows that enter the batch beside Kafka's (engine.md).

They are peeked at without a lock; after the aggregates are locked, deleting the row is the message's inbox: what the
deletion does not return, another replica has handled. No handler updates or deletes a timer; a stale one decides to
nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from aiokafka.partitioner import murmur2
from booking_contracts.topics import PARTITIONS

from services.chassis.clock import made_at
from services.chassis.database import Connection
from services.chassis.messages import Headers, Message, Raw
from services.chassis.statements import Row, Statements
from services.chassis.unit_of_work import Remind

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""Due date of a record that waits behind a failed one."""


EVERY = range(PARTITIONS)


def partition_of(key: str) -> int:
    """Where Kafka puts the key's records: the replica that owns the partition handles the key's rows as well."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF) % PARTITIONS


async def peek(
    connection: Connection, now: datetime, limit: int, known: Sequence[str], partitions: Iterable[int] = EVERY
) -> list[Raw]:
    """Due rows of these partitions, oldest first; timers of keys that are blocked and do not drain stay where they are.

    So do timers of types that are not `known`: a newer build beside this one, or after it, can read them.
    """
    rows = await connection.fetch(
        """
        SELECT id, arrival, kind, key, headers, body, type, topic, partition, "offset" FROM local_message m
        WHERE due_at <= $1 AND partition = ANY($4)
          AND (kind = 'record' OR NOT EXISTS (SELECT FROM blocked_key b WHERE b.key = m.key AND NOT b.draining))
          AND (kind = 'record' OR type = ANY($3))
        ORDER BY due_at, arrival LIMIT $2
        """,
        now,
        limit,
        known,
        list(partitions),
    )
    return [
        Raw(
            topic=row["topic"] or row["type"],
            partition=row["partition"],
            offset=row["offset"] or row["arrival"],
            key=row["key"].encode(),
            headers=[(name, value) for name, value in json.loads(row["headers"])],
            body=row["body"],
            row=row["id"],
            held=row["kind"] == "record",
            arrival=row["arrival"],
            sent_at=made_at(row["id"]) if row["kind"] == "record" else None,
        )
        for row in rows
    ]


def take(writes: Statements, batch: Sequence[Raw], *, skip_locked: bool = False) -> list[Row]:
    """Delete the rows of a batch's local messages, with `skip_locked` those that nobody holds; `send` gives the ids of
    those that are this replica's to handle.

    Also those that come to nothing, ids handled before and events nobody knows: else they would stay due.
    """
    ids = sorted(raw.row for raw in batch if raw.row is not None)
    if not ids:
        return []
    free = "id IN (SELECT id FROM local_message WHERE id = ANY($1) FOR UPDATE SKIP LOCKED)"
    which = free if skip_locked else "id = ANY($1)"
    return writes.change("id", f"DELETE FROM local_message WHERE {which} RETURNING id", ids)


def save_timers(writes: Statements, timers: Sequence[Remind]) -> None:
    """Write timers, one statement for all."""
    if not timers:
        return
    writes.add(
        """
        INSERT INTO local_message (id, kind, type, key, due_at, headers, body, partition)
        SELECT id, 'timer', type, key, due_at, headers, body, partition
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::bytea[], $7::int[])
             AS t (id, type, key, due_at, headers, body, partition)
        """,
        [timer.id for timer in timers],
        [timer.body.ce_type for timer in timers],
        [timer.key for timer in timers],
        [timer.due_at for timer in timers],
        [json.dumps(_headers(timer)) for timer in timers],
        [timer.body.model_dump_json().encode() for timer in timers],
        [partition_of(timer.key) for timer in timers],
    )


def _headers(timer: Remind) -> Headers:
    pairs = [("ce_id", str(timer.id)), ("ce_type", timer.body.ce_type)]
    cause = timer.cause
    pairs.append(("ce_correlationid", cause.correlation_id if cause else str(timer.id)))
    if cause and cause.traceparent:
        pairs.append(("traceparent", cause.traceparent))
    return pairs


async def hold_back(connection: Connection, held: Sequence[tuple[Message[Any], datetime, UUID]]) -> None:
    """Keep messages of blocked keys as rows, in arrival order. Each with its due date and the row's id."""
    if not held:
        return
    await connection.execute(
        """
        INSERT INTO local_message (id, kind, type, key, due_at, headers, body, topic, partition, "offset", arrival)
        OVERRIDING SYSTEM VALUE
        SELECT id, 'record', type, key, due_at, headers, body, topic, partition, "offset",
               coalesce(arrival, nextval(pg_get_serial_sequence('local_message', 'arrival')))
        FROM (SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::bytea[],
                                   $7::text[], $8::int[], $9::bigint[], $10::bigint[])
              WITH ORDINALITY AS t (id, type, key, due_at, headers, body, topic, partition, "offset", arrival, nth)
              ORDER BY nth) ordered
        """,
        [row for _, _, row in held],
        [message.type for message, _, _ in held],
        [message.key for message, _, _ in held],
        [due for _, due, _ in held],
        [json.dumps(message.raw.headers) for message, _, _ in held],
        [message.raw.body for message, _, _ in held],
        [message.raw.topic for message, _, _ in held],
        [message.raw.partition for message, _, _ in held],
        [message.raw.offset for message, _, _ in held],
        [message.raw.arrival for message, _, _ in held],
    )
