"""What a row may become is checked row by row: sixteen times the rows cost about sixteen times as much, not 256, and
that in a session whose plans were made while the tables were known to be empty."""

from __future__ import annotations

import time

import asyncpg
import pytest

from tests.booking.crowds import Crowd, crowd
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine

FEW, MANY = 500, 8_000
BOOKINGS = "UPDATE booking SET state = 'CANCELLED_BY_ADMIN', deadline = NULL WHERE slot_id = $1 AND state = 'CONFIRMED'"
ENTRIES = "UPDATE waitlist_entry SET state = 'CLOSED' WHERE slot_id = $1 AND state = 'WAITING'"


async def seconds(engine: Engine, query: str, full: Crowd) -> float:
    """How long a statement takes, in the one session: its plans of the triggers were made for the first statement."""
    connection = await engine.session.connection()
    started = time.perf_counter()
    await connection.execute(query, full.slot_id)
    return time.perf_counter() - started


async def analyze(databases: dict[str, str]) -> None:
    """As autovacuum does sooner or later; the next plan believes it, for as long as the session keeps the plan."""
    owner = await asyncpg.connect(databases["POSTGRES_ADMIN_URL"].rsplit("/", 1)[0] + "/booking")
    await owner.execute("ANALYZE")
    await owner.close()


@pytest.mark.requirement("overbooking-prevention", "initial-booking-state")
@pytest.mark.parametrize("query", [BOOKINGS, ENTRIES])
async def test_the_triggers_cost_grows_with_the_rows_and_no_faster(
    engine: Engine, databases: dict[str, str], query: str
) -> None:
    await analyze(databases)
    one, few, many = [await crowd(engine, rows, parties=(1,) * rows) for rows in (1, FEW, MANY)]
    await seconds(engine, query, one)
    base, taken = await seconds(engine, query, few), await seconds(engine, query, many)
    assert taken < 4 * base * MANY / FEW, f"{FEW} rows {base:.3f} s, {MANY} rows {taken:.3f} s"
    assert taken < 5, f"{MANY} rows took {taken:.3f} s"
