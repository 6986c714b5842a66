"""What the auditor found about a booking, and what operators did."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from services.chassis.database import Connection
from services.operations.console.reads.few import Few, latest

FINDINGS = """
SELECT violation_id, kind, subject, detail, ids, first_seen, last_seen, gone_at FROM violation
WHERE booking_id = $1 ORDER BY first_seen DESC LIMIT {most}
"""
ACTS = """
SELECT entry_id, at, operator, act, service, subject, reason, outcome, ended_at FROM operator_log
WHERE booking_id = $1 ORDER BY entry_id DESC LIMIT {most}
"""


@dataclass(frozen=True, slots=True)
class InOperations:
    """`acts` have looks at personal data among them."""

    findings: Few = field(default_factory=Few)
    acts: Few = field(default_factory=Few)


async def in_operations(connection: Connection, booking_id: UUID) -> InOperations:
    """All of it."""
    return InOperations(
        await latest(connection, FINDINGS, booking_id),
        await latest(connection, ACTS, booking_id),
    )
