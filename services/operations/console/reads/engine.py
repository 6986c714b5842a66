"""What waits in a service's database, by the queries of its own gauges, and how the database itself is."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.chassis.database import Connection
from services.chassis.gauges import BY_TYPE_OF_MESSAGE, WAITING
from services.operations.console.databases import Databases

COUNTED = 10_000
"""Where these counts stop, as those of the gauges."""
OPEN_CALLS = f"""
WITH open AS MATERIALIZED (
    SELECT opened_at, tries, last_error FROM gateway_call WHERE state = 'open' ORDER BY opened_at LIMIT {COUNTED})
SELECT count(*) AS open, count(*) FILTER (WHERE tries > 0) AS failing,
       (SELECT last_error FROM open WHERE tries > 0 ORDER BY opened_at LIMIT 1) AS error,
       coalesce((SELECT extract(epoch FROM clock_timestamp() - opened_at) FROM open WHERE tries > 0
                 ORDER BY opened_at LIMIT 1), 0)::float8 AS failing_seconds
FROM open
"""
SESSIONS = """
SELECT coalesce(array_agg(DISTINCT left(application_name, -6)) FILTER (WHERE application_name LIKE '%-batch'), '{}')
           AS replicas,
       count(*) FILTER (WHERE wait_event_type = 'Lock') AS waiting,
       coalesce(max(extract(epoch FROM clock_timestamp() - query_start)) FILTER (WHERE state = 'active'), 0)::float8
           AS longest_seconds
FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
"""Sessions of other roles have no names here: owners and auditors see those."""
HOLDERS = """
SELECT 'session ' || l.pid || ' of ' || a.usename || ' has locks on ' || string_agg(DISTINCT c.relname, ', ')
FROM pg_locks l JOIN pg_class c ON c.oid = l.relation AND c.relkind = 'r' JOIN pg_stat_activity a USING (pid)
WHERE l.granted AND l.mode <> 'AccessShareLock' AND a.usename <> current_user
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
GROUP BY l.pid, a.usename
UNION ALL
SELECT format('session %s (%s) keeps others waiting, and has its transaction open for %s s', b.pid, a.application_name,
              round(extract(epoch FROM clock_timestamp() - a.xact_start)))
FROM pg_stat_activity w CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) b (pid)
     JOIN pg_stat_activity a ON a.pid = b.pid
WHERE w.datname = current_database() AND w.wait_event_type = 'Lock'
  AND a.xact_start < clock_timestamp() - interval '5 seconds'
GROUP BY b.pid, a.application_name, a.xact_start
LIMIT 5
"""
"""Whoever is not the service and holds rows or tables: a person's open session, a migration; and a session of its own
that stands. Of a service's batches two may wait for each other for a moment."""
THE_LETTER = """
SELECT id FROM dead_letter WHERE status = 'open' AND kind <> 'refused' ORDER BY created_at, id LIMIT 1
"""
THE_KEY = "SELECT key FROM blocked_key LIMIT 1"
BLOCKED_SECONDS = """
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(since)), 0)::float8
FROM (SELECT since FROM blocked_key LIMIT 1000) kept
"""


@dataclass(frozen=True, slots=True)
class Engine:
    """One service, now. Counts stop at COUNTED; seconds are ages of the oldest."""

    service: str
    replicas: tuple[str, ...]
    outbox_rows: int
    outbox_seconds: float
    timers_due: int
    timers_seconds: float
    letters: int
    refused: int
    blocked: int
    blocked_seconds: float
    """How long a key's messages wait."""
    calls: int
    calls_seconds: float
    failing_calls: int
    """Of the open calls those that were tried and not answered."""
    failing_seconds: float
    call_error: str | None
    answer_seconds: float
    """How long the database takes for the least question."""
    waiting_for_locks: int
    longest_seconds: float
    """Of the statements that run."""
    holders: tuple[str, ...] = ()
    """Who keeps others from rows or tables, a sentence each."""
    the_letter: UUID | None = None
    the_key: str | None = None
    """Where there is one alone."""


async def engine_of(databases: Databases, service: str, now: datetime) -> Engine:
    """Raises Away."""
    async with databases.reading(service) as connection:
        answered = await _answer_seconds(connection)
        waiting = await connection.fetchrow(WAITING, now)
        calls = await connection.fetchrow(OPEN_CALLS)
        sessions = await connection.fetchrow(SESSIONS)
        blocked_seconds = await connection.fetchval(BLOCKED_SECONDS)
        holders = tuple(row[0] for row in await connection.fetch(HOLDERS))
        kinds = {"letters": 0, "blocked": 0}
        for row in await connection.fetch(BY_TYPE_OF_MESSAGE):
            kinds[row["what"]] += row["count"]
        the_letter = await connection.fetchval(THE_LETTER) if kinds["letters"] == 1 else None
        the_key = await connection.fetchval(THE_KEY) if kinds["blocked"] == 1 else None
    assert waiting is not None, "a row without FROM"
    assert calls is not None, "an aggregate"
    assert sessions is not None, "an aggregate"
    return Engine(
        service=service,
        replicas=tuple(sessions["replicas"]),
        outbox_rows=waiting["outbox_rows"],
        outbox_seconds=float(waiting["outbox_seconds"]),
        timers_due=waiting["due"],
        timers_seconds=float(waiting["late"]),
        letters=kinds["letters"],
        refused=waiting["refused"],
        blocked=kinds["blocked"],
        blocked_seconds=blocked_seconds,
        calls=calls["open"],
        calls_seconds=float(waiting["called_seconds"]),
        failing_calls=calls["failing"],
        failing_seconds=calls["failing_seconds"],
        call_error=calls["error"],
        answer_seconds=answered,
        waiting_for_locks=sessions["waiting"],
        longest_seconds=sessions["longest_seconds"],
        holders=holders,
        the_letter=the_letter,
        the_key=the_key,
    )


async def _answer_seconds(connection: Connection) -> float:
    """The better of two: the other parts of the page are read at the same time, by the same loop."""
    took = []
    for _ in range(2):
        began = time.perf_counter()
        await connection.fetchval("SELECT 1")
        took.append(time.perf_counter() - began)
    return min(took)
