"""When Stripe was last heard of, by payments' rows: a call that it answered, and an event that it told.

What tells a webhook from what the sweeper had to ask for is the time in between: the sweeper leaves an event to its
webhook for ON_THE_WAY (payments/stripe_events/sweeper.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.operations.console.databases import Databases
from services.operations.console.formats import span
from services.operations.console.reads.clocks import Both, Clocks
from services.payments.stripe_events.sweeper import ON_THE_WAY

LATELY_SECONDS = 600.0
"""What came before says nothing about now."""
LAST = 20
ENOUGH = 2
"""One event may have been late by itself."""
CALLS = f"""
SELECT opened_at, operation, subject, key, tries, (parameters::jsonb ->> 'asked_at')::timestamptz AS asked_at,
       extract(epoch FROM clock_timestamp() - opened_at)::float8 AS seconds
FROM gateway_call WHERE state = 'done' ORDER BY opened_at DESC LIMIT {LAST}
"""
EVENTS = f"""
SELECT received_at, event_id, type, extract(epoch FROM clock_timestamp() - received_at)::float8 AS seconds,
       CASE WHEN jsonb_typeof(body -> 'created') = 'number' THEN (body ->> 'created')::float8 END AS created
FROM stripe_event WHERE set_aside IS NULL ORDER BY received_at DESC LIMIT {LAST}
"""


@dataclass(frozen=True, slots=True)
class Event:
    """One that Stripe told, or was asked for. `late_seconds`: kept so long after it happened; None: it does not say."""

    event_id: str
    type: str
    received_at: datetime
    late_seconds: float | None


@dataclass(frozen=True, slots=True)
class Heard:
    """Seconds since the newest call that was answered was intended, and since an event was kept; None: none is there.
    Calls are kept for a day after they are done. `late_seconds`: by so much the last `late` events came late, each.
    `calls` that were answered and `events`: the LAST of each, the newest first."""

    call_seconds: float | None = None
    event_seconds: float | None = None
    late: int = 0
    late_seconds: float = 0.0
    calls: Sequence[asyncpg.Record] = ()
    events: Sequence[Event] = ()

    @property
    def said(self) -> Iterator[str]:
        """When that was, in words."""
        calls, events = self.call_seconds, self.event_seconds
        yield "no call of the last day was answered" if calls is None else f"a call of {span(calls)} ago was answered"
        yield "no webhook is kept" if events is None else f"the last webhook was kept {span(events)} ago"

    @property
    def amiss(self) -> Iterator[str]:
        """Why that is not as it should be."""
        if self.late >= ENOUGH:
            late = span(self.late_seconds)
            yield f"webhooks are late: the last {self.late} events came {late} or more after they happened"


async def heard(databases: Databases) -> Heard:
    """Raises Away."""
    async with databases.reading("payments") as connection:
        calls = await connection.fetch(CALLS)
        events = await connection.fetch(EVENTS)
    clocks = Clocks(Both(row["opened_at"], row["asked_at"]) for row in calls if row["asked_at"] is not None)
    late = list(_late(events, clocks))
    return Heard(
        calls[0]["seconds"] if calls else None,
        events[0]["seconds"] if events else None,
        len(late),
        min(late, default=0.0),
        calls,
        [Event(row["event_id"], row["type"], row["received_at"], _after(row, clocks)) for row in events],
    )


def _after(row: asyncpg.Record, clocks: Clocks) -> float | None:
    """How long after it happened an event was kept."""
    received_at: datetime = clocks.of(row["received_at"])
    return None if row["created"] is None else received_at.timestamp() - row["created"]


def _late(events: Sequence[asyncpg.Record], clocks: Clocks) -> Iterator[float]:
    """By how much those of late came late, the last first, until one that came in time."""
    for row in events:
        seconds = _after(row, clocks)
        if seconds is None:
            continue
        if row["seconds"] > LATELY_SECONDS or seconds < ON_THE_WAY.total_seconds():
            return
        yield seconds
