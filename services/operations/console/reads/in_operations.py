"""What the auditor found about a booking, and what operators did."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.chassis.database import Connection
from services.chassis.statements import Row
from services.operations.console.reads.few import Few, latest
from services.operations.console.reads.log import LOOK, OF_A_THING

FINDINGS = """
SELECT violation_id, kind, subject, detail, ids, first_seen, last_seen, gone_at FROM violation
WHERE booking_id = $1 ORDER BY first_seen DESC LIMIT {most}
"""
ACTS = f"""
SELECT entry_id, at, operator, act, service, subject, reason, outcome, ended_at FROM operator_log
WHERE entry_id = ANY(ARRAY(
    (SELECT entry_id FROM operator_log WHERE booking_id = $1 ORDER BY entry_id DESC LIMIT {{most}})
    UNION (SELECT of.entry_id FROM unnest($2::text[]) AS thing (id) CROSS JOIN LATERAL (
        SELECT entry_id FROM operator_log WHERE subject = thing.id AND {OF_A_THING}
        ORDER BY entry_id DESC LIMIT {{most}}) of)))
ORDER BY entry_id DESC LIMIT {{most}}
"""


@dataclass(frozen=True, slots=True)
class InOperations:
    """`acts` have looks at personal data among them."""

    findings: Few = field(default_factory=Few)
    acts: Few = field(default_factory=Few)

    @property
    def done_to(self) -> Mapping[str, Sequence[Row]]:
        """By the id of what was done to, the last first, as log.done_to has them."""
        found: dict[str, list[Row]] = {}
        for row in reversed(self.acts.rows):
            if row["act"] != LOOK:
                found.setdefault(row["subject"], []).append(row)
        return found


async def in_operations(connection: Connection, booking_id: UUID, things: Collection[object] = ()) -> InOperations:
    """All of it. `things`: ids of what belongs to the booking, in whatever service; acts on them concern it, too."""
    return InOperations(
        await latest(connection, FINDINGS, booking_id),
        await latest(connection, ACTS, booking_id, sorted({str(one) for one in things})),
    )
