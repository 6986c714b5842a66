"""Histories: numbered without a gap, each step in the table of states, the last one where the booking stands."""

from __future__ import annotations

from services.booking.model.states import INITIAL, TRANSITIONS, State
from services.operations.auditor.check_types import Walk
from services.operations.auditor.databases import Databases, literals
from services.operations.auditor.findings import Finding, Kind
from services.operations.auditor.scope import Scope

STEPS = frozenset(
    {f">{state}" for state in INITIAL}
    | {f"{state}>{state}" for state in State}
    | {f"{state}>{following}" for state, after in TRANSITIONS.items() for following in after}
)
"""What a line may say: where a booking begins, a step of the table, or nothing new."""
HISTORIES = f"""
WITH line AS (
    SELECT booking_id, number, to_state, row_number() OVER w AS nth, lead(number) OVER w IS NULL AS last,
           from_state IS NOT DISTINCT FROM lag(to_state) OVER w
           AND coalesce(from_state, '') || '>' || to_state IN ({literals(STEPS)}) AS legal
    FROM booking_history WHERE {{lines}} WINDOW w AS (PARTITION BY booking_id ORDER BY number)
), told AS (
    SELECT booking_id, count(*) AS lines, min(nth) FILTER (WHERE number <> nth) AS gap,
           min(number) FILTER (WHERE NOT legal) AS step, max(to_state) FILTER (WHERE last) AS ends
    FROM line GROUP BY booking_id)
SELECT b.booking_id, b.payment_id, b.state, b.history_number, coalesce(t.lines, 0) AS lines, t.gap, t.step, t.ends
FROM booking b LEFT JOIN told t USING (booking_id)
WHERE {{bookings}} AND (t.booking_id IS NULL OR t.gap IS NOT NULL OR t.step IS NOT NULL
                        OR t.lines <> b.history_number OR t.ends <> b.state)
"""


async def look(databases: Databases, scope: Scope) -> list[Finding]:
    """Bookings whose history does not hold together."""
    columns = {"lines": "booking_id", "bookings": "b.booking_id"}
    found = []
    for row in await databases.within("booking", scope, HISTORIES, **columns):
        subject, wrong = str(row["booking_id"]), dict[Kind, str]()
        if row["gap"] is not None:
            wrong[Kind.HISTORY_GAP] = f"line {row['gap']} of its history is not there"
        elif row["lines"] != row["history_number"]:
            wrong[Kind.HISTORY_GAP] = f"its history has {row['lines']} lines of {row['history_number']}"
        if row["step"] is not None:
            wrong[Kind.HISTORY_STEP] = f"line {row['step']} of its history is no step of the table"
        if row["ends"] is not None and row["ends"] != row["state"]:
            wrong[Kind.HISTORY_END] = f"it is {row['state']}, and its history ends with {row['ends']}"
        of = (row["booking_id"], row["payment_id"])
        found += [Finding(kind, subject, said, {"booking_id": subject}, *of) for kind, said in wrong.items()]
    return found


CHECK = Walk(
    "histories",
    frozenset({Kind.HISTORY_GAP, Kind.HISTORY_STEP, Kind.HISTORY_END}),
    "booking",
    "booking",
    "booking_id",
    look,
)
