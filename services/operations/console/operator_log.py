"""The operators' log as it is written: who does what to what and why, what came of it; who sees whose personal data.

Nothing takes a row of it back, so nobody may stand in it: what was typed, filtered by or said by a machine goes in
without personal data. Nothing else writes there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.chassis.database import Connection, columns
from services.operations.console.formats import without_people

LONGEST = 2000
"""Characters of an outcome."""
BEGIN = """
INSERT INTO operator_log (entry_id, at, operator, act, service, subject, booking_id, reason, asked)
VALUES ($1, clock_timestamp(), $2, $3, $4, $5, $6, $7, $8)
"""
END = "UPDATE operator_log SET outcome = $2, ended_at = clock_timestamp() WHERE entry_id = $1"
LOOK = """
INSERT INTO operator_log (at, operator, act, subject, booking_id, reason, outcome, ended_at)
VALUES (clock_timestamp(), $1, 'look', $2, $3, '', 'shown', clock_timestamp())
"""
ENDED = """
INSERT INTO operator_log (at, operator, act, service, subject, booking_id, reason, asked, outcome, ended_at)
SELECT clock_timestamp(), $1, $2, $3, of.subject, of.booking_id, $4, $5, of.outcome, clock_timestamp()
FROM unnest($6::text[], $7::uuid[], $8::text[]) AS of (subject, booking_id, outcome)
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants done. `about`: the booking that it concerns; `fields`: what the act was asked with."""

    operator: str
    act: str
    service: str | None
    subject: str
    about: UUID | None
    reason: str
    fields: Mapping[str, Any]


async def begin(connection: Connection, entry: UUID, asked: Asked) -> None:
    """Before it is done: a row without an outcome."""
    subject, reason = without_people(asked.subject), without_people(asked.reason)
    ways = (asked.operator, asked.act, asked.service, subject, asked.about, reason, _text(asked.fields))
    await connection.execute(BEGIN, entry, *ways)


async def end(connection: Connection, entry: UUID, outcome: str) -> None:
    """After it. Raises CheckViolationError where the row has its outcome."""
    await connection.execute(END, entry, without_people(outcome)[:LONGEST])


async def look(connection: Connection, operator: str, subject: str, about: UUID | None) -> None:
    """Before personal data is shown."""
    await connection.execute(LOOK, operator, without_people(subject), about)


async def ended(connection: Connection, asked: Asked, done: Sequence[tuple[str, UUID | None, str]]) -> None:
    """One row each for (subject, booking, outcome) of what an act over many has done; those of `asked` say nothing."""
    if done:
        outcomes = [(subject, about, without_people(outcome)[:LONGEST]) for subject, about, outcome in done]
        ways = (asked.operator, asked.act, asked.service, without_people(asked.reason), _text(asked.fields))
        await connection.execute(ENDED, *ways, *columns(outcomes))


def _text(fields: Mapping[str, Any]) -> str:
    return json.dumps({name: without_people(it) if isinstance(it, str) else it for name, it in fields.items()})
