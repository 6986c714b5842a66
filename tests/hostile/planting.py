"""Rows of the engine that it cannot read, put into the databases by hand: as after a roll-back, or a fault of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

import asyncpg

INVENTED = "local.Invented"
TIMERS = {
    "booking": "local.DeadlineReached",
    "payments": "local.IntentChanged",
    "notifications": "local.ReminderDue",
}


@dataclass(frozen=True)
class Planted:
    """A due row. `waits` says that it has to wait for a build that knows it; all others are to be set aside."""

    service: str
    what: str
    key: str
    row: UUID
    waits: bool = False


async def plant(env: Mapping[str, str]) -> list[Planted]:
    """One row of each sort in each service."""
    planted = []
    for service, timer in TIMERS.items():
        connection = await asyncpg.connect(env[f"{service.upper()}_DATABASE_URL"])
        try:
            for what, kind, names, body in _rows(timer):
                row = Planted(service, what, str(uuid4()), uuid4(), waits=what == "unknown type")
                await connection.execute(
                    "INSERT INTO local_message (id, kind, type, key, due_at, headers, body)"
                    " VALUES ($1, 'timer', $2, $3, '2020-01-01Z', $4, $5)",
                    *(row.row, kind, row.key, names, body),
                )
                planted.append(row)
        finally:
            await connection.close()
    return planted


def _rows(timer: str) -> list[tuple[str, str, str, bytes]]:
    def headers(message_id: str) -> str:
        return json.dumps([["ce_id", message_id], ["ce_type", timer], ["ce_correlationid", "planted"]])

    return [
        ("unreadable body", timer, headers(str(uuid4())), b'{"booking_id": '),
        ("body of another shape", timer, headers(str(uuid4())), b'{"colour": 7}'),
        ("body that is not UTF-8", timer, headers(str(uuid4())), b"\xff\xfe"),
        ("bad id", timer, headers("7"), b"{}"),
        ("no headers", timer, "[]", b"{}"),
        ("unknown type", INVENTED, headers(str(uuid4())), b"{}"),
    ]
