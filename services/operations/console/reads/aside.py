"""What a service has set aside of one key: dead letters, the key's block, messages that wait behind it."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.chassis.database import Connection
from services.chassis.statements import Row
from services.operations.console.reads.few import Few, latest

LETTERS = """
SELECT id, created_at, kind, topic, partition, "offset", message_id, type, status, error,
       left(headers, 8000) AS headers, substring(body FROM 1 FOR 8000) AS body
FROM dead_letter WHERE key = convert_to($1, 'UTF8') ORDER BY created_at DESC LIMIT {most}
"""
BLOCK = "SELECT key, draining, since FROM blocked_key WHERE key = $1"
BEHIND = """
SELECT id, type, due_at, topic, partition, "offset" FROM local_message
WHERE key = $1 AND kind = 'record' ORDER BY arrival DESC LIMIT {most}
"""


@dataclass(frozen=True, slots=True)
class Aside:
    """Of one service. `letters` have headers and body as far as a page shows them, and with them personal data."""

    letters: Few = field(default_factory=Few)
    block: Row | None = None
    behind: Few = field(default_factory=Few)
    """The failed message itself is the first of them."""


async def aside(connection: Connection, key: str) -> Aside:
    """What is set aside of a key."""
    return Aside(
        await latest(connection, LETTERS, key),
        await connection.fetchrow(BLOCK, key),
        await latest(connection, BEHIND, key),
    )
