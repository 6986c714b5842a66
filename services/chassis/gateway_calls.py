"""Calls to the outside as durable work (engine.md, Gateway calls).

A handler intends a call; the batch stores it with its parameters and idempotency key and commits; the worker
(gateway_worker.py) makes it and hands the result back as a message; message, effects and "done" commit together. A
crash in between repeats the call, byte-identical, under its key. One call per subject is open at a time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from booking_contracts.headers import safe_text

from services.chassis.database import Connection
from services.chassis.messages import Headers, LocalBody, Raw
from services.chassis.statements import Row, Statements
from services.chassis.unit_of_work import Call

LEASE_SECONDS = 10
"""How long a replica may leave a call unrenewed before another makes it again: as long as Kafka waits for a member."""


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call to make. `tries` counts the attempts before this one, `age_seconds` is since it was intended."""

    id: UUID
    key: str
    operation: str
    parameters: str
    idempotency_key: str
    headers: Headers
    tries: int
    age_seconds: float


@dataclass(frozen=True, slots=True)
class TryAgain:
    """The outcome is unknown or the other side is busy: make the same call again, after a while."""

    reason: str
    after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Postponed:
    """A call that goes back to its row. `error` is why its try failed; empty where there was none."""

    id: UUID
    wait_seconds: float = 0.0
    error: str = ""


class Gateway(Protocol):
    """The outside world. Never raises for its faults: a definite outcome is a LocalBody, the rest is TryAgain."""

    async def call(self, call: OpenCall) -> LocalBody | TryAgain: ...


def save(writes: Statements, calls: Sequence[Call]) -> None:
    """Store intended calls, leased to this process for its first try."""
    if not calls:
        return
    writes.add(
        """
        INSERT INTO gateway_call (id, subject, key, operation, parameters, idempotency_key, headers, try_at)
        SELECT *, statement_timestamp() + make_interval(secs => $8)
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
        """,
        [call.id for call in calls],
        [call.subject for call in calls],
        [call.key for call in calls],
        [call.operation for call in calls],
        [call.parameters for call in calls],
        [call.idempotency_key for call in calls],
        [json.dumps(headers_of(call)) for call in calls],
        LEASE_SECONDS,
    )


def headers_of(call: Call) -> Headers:
    """What ties a call's result to its cause."""
    pairs = [("ce_correlationid", call.cause.correlation_id if call.cause else str(call.id))]
    if call.cause and call.cause.traceparent:
        pairs.append(("traceparent", call.cause.traceparent))
    return pairs


def close(writes: Statements, batch: Sequence[Raw], *, skip_locked: bool = False) -> list[Row]:
    """Mark the calls of a batch's results done, with `skip_locked` those whose row nobody holds; `send` gives the ids
    of those that were open."""
    ids = sorted(call_id(raw) for raw in batch if is_result(raw))
    if not ids:
        return []
    free = "id IN (SELECT id FROM gateway_call WHERE id = ANY($1) FOR UPDATE SKIP LOCKED)"
    which = free if skip_locked else "id = ANY($1)"
    done = f"UPDATE gateway_call SET state = 'done' WHERE {which} AND state = 'open' RETURNING id"
    return writes.change("id", done, ids)


def is_result(raw: Raw) -> bool:
    """Whether it is the result of a call, in memory alone."""
    return raw.row is None and not raw.from_kafka


def call_id(raw: Raw) -> UUID:
    """The call that it is the result of."""
    return UUID(dict(raw.headers)["call_id"])


async def due(connection: Connection, most: int) -> list[OpenCall]:
    """Take up to `most` open calls whose time has come; they are leased to this process."""
    rows = await connection.fetch(
        """
        UPDATE gateway_call SET try_at = statement_timestamp() + make_interval(secs => $2)
        WHERE id = ANY(ARRAY(
            SELECT id FROM gateway_call WHERE state = 'open' AND try_at <= statement_timestamp()
            ORDER BY try_at LIMIT $1 FOR UPDATE SKIP LOCKED))
        RETURNING id, key, operation, parameters, idempotency_key, headers, tries,
                  extract(epoch FROM statement_timestamp() - opened_at)::float8 AS age_seconds
        """,
        most,
        LEASE_SECONDS,
    )
    return [
        OpenCall(
            row["id"],
            row["key"],
            row["operation"],
            row["parameters"],
            row["idempotency_key"],
            [(name, value) for name, value in json.loads(row["headers"])],
            row["tries"],
            row["age_seconds"],
        )
        for row in rows
    ]


async def renew(connection: Connection, ids: Sequence[UUID]) -> None:
    """Keep calls that are still in this process's hands."""
    await connection.execute(
        "UPDATE gateway_call SET try_at = clock_timestamp() + make_interval(secs => $2) WHERE id = ANY($1)",
        ids,
        LEASE_SECONDS,
    )


async def postpone(connection: Connection, calls: Sequence[Postponed]) -> None:
    """Give leased calls back, to be tried after their wait."""
    await connection.execute(
        """
        UPDATE gateway_call SET try_at = statement_timestamp() + make_interval(secs => l.wait),
               tries = tries + (l.error <> '')::int, last_error = l.error
        FROM unnest($1::uuid[], $2::float8[], $3::text[]) AS l (id, wait, error)
        WHERE gateway_call.id = l.id
        """,
        [call.id for call in calls],
        [call.wait_seconds for call in calls],
        [safe_text(" ".join(call.error.split()), 500) for call in calls],
    )
