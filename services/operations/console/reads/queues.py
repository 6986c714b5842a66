"""What waits in a service, the oldest first: the list behind each cell of Now."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import asyncpg

from services.chassis.database import Connection
from services.operations.console.reads.engine import COUNTED

SHOWN = 100


class Queue(StrEnum):
    """Each is a cell of Now."""

    OUTBOX = "outbox"
    TIMERS = "timers"
    CALLS = "calls"
    FAILING = "failing"
    """Of the calls those that were tried and not answered."""


OUTBOX = "SELECT id, created_at, topic, key, headers FROM outbox ORDER BY id LIMIT $1"
TIMERS = "SELECT id, due_at, type, key FROM local_message WHERE due_at <= $2 ORDER BY due_at, arrival LIMIT $1"
CALLS = """
SELECT id, opened_at, operation, subject, key, tries, try_at, last_error FROM gateway_call
WHERE state = 'open' ORDER BY opened_at LIMIT {most}
"""
FAILING = f"""
SELECT id, opened_at, operation, subject, key, tries, try_at, last_error FROM ({CALLS.format(most=COUNTED)}) open
WHERE tries > 0 ORDER BY opened_at LIMIT $1
"""
"""Among those that Now counts."""
MAILS = """
SELECT d.delivery_id, d.created_at, d.booking_id, d.kind, d.audience, d.recipient, d.in_line, c.tries, c.try_at,
       c.last_error
FROM (SELECT delivery_id, created_at, booking_id, kind, audience, recipient, mail IS NOT NULL AS in_line FROM delivery
      WHERE state = 'pending' AND created_at < $2 ORDER BY created_at LIMIT $1) d
     LEFT JOIN LATERAL (SELECT tries, try_at, last_error FROM gateway_call
                        WHERE state = 'open' AND subject = d.delivery_id::text LIMIT 1) c ON true
ORDER BY d.created_at
"""


async def waiting(connection: Connection, queue: Queue, now: datetime) -> Sequence[Mapping[str, Any]]:
    """The SHOWN oldest, and one more where there are more; `type` of what is to be sent as its headers say."""
    if queue is Queue.TIMERS:
        rows = await connection.fetch(TIMERS, SHOWN + 1, now)
    elif queue is Queue.OUTBOX:
        rows = await connection.fetch(OUTBOX, SHOWN + 1)
        return [{**row, "type": dict(json.loads(row["headers"])).get("ce_type")} for row in rows]
    else:
        rows = await connection.fetch(FAILING if queue is Queue.FAILING else CALLS.format(most="$1"), SHOWN + 1)
    return [dict(row) for row in rows]


async def mails(connection: Connection, before: datetime) -> Sequence[asyncpg.Record]:
    """Letters to people that were written before that and are not sent. `in_line`: behind another one to its reader.
    Recipients are personal data."""
    return await connection.fetch(MAILS, SHOWN + 1, before)
