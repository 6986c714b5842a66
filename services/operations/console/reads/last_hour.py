"""The last hour by minutes, from what the databases keep anyway; nothing is written or indexed for it.

History is only ever added to, so its newest lines lie at the table's end: that much of it is read, and no more. Where
an hour is longer than that, it begins later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.operations.console.databases import Databases

MINUTES = 60
END_BLOCKS = 1500
"""Of booking_history: 12 MB, about 100,000 lines, and 60 ms at most."""
MOST_CALLS = 20_000
END = "SELECT pg_relation_size('booking_history') / current_setting('block_size')::bigint"
FIRST = "SELECT at FROM booking_history WHERE ctid >= $1 LIMIT 1"
BOOKINGS = """
WITH ending AS MATERIALIZED (
    SELECT booking_id, at, from_state, to_state FROM booking_history WHERE ctid >= $1 AND at >= $2),
asked AS (
    SELECT booking_id, min(at) AS at FROM ending
    WHERE to_state = 'PENDING_PAYMENT' AND from_state IS DISTINCT FROM to_state GROUP BY booking_id),
confirmed AS (
    SELECT date_trunc('minute', e.at) AS minute,
           percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY extract(epoch FROM e.at - a.at)) AS seconds
    FROM ending e JOIN asked a USING (booking_id)
    WHERE e.from_state = 'PENDING_PAYMENT' AND e.to_state = 'CONFIRMED' GROUP BY 1),
counted AS (
    SELECT date_trunc('minute', at) AS minute, count(*) FILTER (WHERE from_state IS NULL) AS placed,
           count(*) FILTER (WHERE from_state = 'PENDING_PAYMENT' AND to_state = 'CONFIRMED') AS confirmed,
           count(*) FILTER (WHERE from_state <> to_state AND to_state IN ('PAYMENT_FAILED', 'EXPIRED')) AS failed
    FROM ending GROUP BY 1)
SELECT c.minute, c.placed, c.confirmed, c.failed, s.seconds[1] AS half, s.seconds[2] AS most
FROM counted c LEFT JOIN confirmed s USING (minute) ORDER BY c.minute
"""
CALLS = f"""
SELECT date_trunc('minute', opened_at) AS minute, count(*) AS calls, count(*) FILTER (WHERE tries > 0) AS failed FROM (
    (SELECT opened_at, tries FROM gateway_call WHERE state = 'done' AND opened_at >= $1
     ORDER BY opened_at DESC LIMIT {MOST_CALLS})
    UNION ALL
    (SELECT opened_at, tries FROM gateway_call WHERE state = 'open' AND opened_at >= $1
     ORDER BY opened_at DESC LIMIT {MOST_CALLS})) c
GROUP BY 1 ORDER BY 1
"""
COUNTS = ("placed", "confirmed", "failed")
Series = Sequence[float | None]
"""A value for each of MINUTES minutes, the last one being the present; None where nothing is known."""


@dataclass(frozen=True, slots=True)
class Bookings:
    """A minute's numbers, and seconds from when payment was asked for until it was confirmed: half of the bookings were
    at least so fast, and 95 of 100."""

    placed: Series
    confirmed: Series
    failed: Series
    half_seconds: Series
    most_seconds: Series


@dataclass(frozen=True, slots=True)
class Calls:
    """To Stripe, by when they were intended; `failed`: of these, how many had to be tried again."""

    made: Series
    failed: Series


async def bookings(databases: Databases, now: datetime) -> Bookings:
    """Raises Away."""
    async with databases.reading("booking") as connection:
        place = (max(0, await connection.fetchval(END) - END_BLOCKS), 0)
        first_at = await connection.fetchval(FIRST, place) if place[0] else None
        rows = await connection.fetch(BOOKINGS, place, _beginning(now))
    known_from = first_at or _beginning(now)
    by_minute: dict[datetime, Mapping[str, Any]] = {row["minute"]: dict(row) for row in rows}
    counted: list[Mapping[str, Any] | None] = [
        by_minute.get(minute, {}) if minute >= known_from else None for minute in _minutes(now)
    ]
    counts = ([None if row is None else float(row.get(name, 0)) for row in counted] for name in COUNTS)
    took = ([row.get(name) if row else None for row in counted] for name in ("half", "most"))
    return Bookings(*counts, *took)


async def calls(databases: Databases, now: datetime) -> Calls:
    """By real time, as calls are kept. Raises Away."""
    async with databases.reading("payments") as connection:
        rows = await connection.fetch(CALLS, _beginning(now))
    found: Mapping[datetime, tuple[int, int]] = {row["minute"]: (row["calls"], row["failed"]) for row in rows}
    each = [found.get(minute, (0, 0)) for minute in _minutes(now)]
    return Calls([float(made) for made, _ in each], [float(failed) for _, failed in each])


def _beginning(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0) - timedelta(minutes=MINUTES - 1)


def _minutes(now: datetime) -> list[datetime]:
    return [_beginning(now) + timedelta(minutes=one) for one in range(MINUTES)]
