"""A batch asks the database for what its messages need, after the locks that they need, and for nothing else."""

from __future__ import annotations

import pytest
from booking_contracts import booking, payments
from booking_contracts.booking import BookingConfirmed

from services.chassis.messages import Raw
from services.notifications.store import LOCK_STREAMS, READ_LINES
from tests.chassis.harness import Engine
from tests.notifications.builders import STARTS_AT, an
from tests.notifications.post import days
from tests.notifications.test_database import post, record
from tests.notifications.test_gateway import Server

TABLES = ("known_provider", "known_booking", "delivery_stream", "delivery")


async def asked(engine: Engine, *records: Raw) -> list[str]:
    """What the batch asks for of notifications' own tables, until it claims its messages."""
    heard: list[str] = []
    connection = await engine.session.connection()
    with connection.query_logger(lambda statement: heard.append(statement.query)):
        await engine.run(*records)
    claims = next(number for number, query in enumerate(heard) if "blocked_key" in query)
    return [query.strip() for query in heard[:claims] if any(f" {table} " in query for table in TABLES)]


@pytest.mark.requirement("pessimistic-locking")
async def test_an_event_that_nobody_is_told_of_asks_for_nothing(engine: Engine) -> None:
    assert await asked(engine, record(engine, an(booking.BookingPlaced))) == []
    assert await engine.fetch("SELECT FROM delivery_stream") == []


@pytest.mark.requirement("pessimistic-locking")
async def test_an_event_locks_its_lines_and_reads_those_that_were_there(engine: Engine) -> None:
    (locks,) = await asked(engine, record(engine, an(BookingConfirmed)))
    assert "INSERT INTO delivery_stream" in locks, "together with the batch's positions"
    locks, lines = await asked(engine, record(engine, an(booking.BookingRescheduled), 2))
    assert "INSERT INTO delivery_stream" in locks
    assert lines == READ_LINES.strip()


async def test_results_ask_for_their_lines_alone(engine: Engine) -> None:
    await engine.run(record(engine, an(BookingConfirmed)))
    results = await post(engine, Server())
    assert await asked(engine, *results) == [LOCK_STREAMS.strip(), READ_LINES.strip()]


@pytest.mark.requirement("notify-people")
async def test_an_event_about_money_and_a_timer_ask_for_what_earlier_events_said(engine: Engine) -> None:
    await engine.run(record(engine, an(BookingConfirmed)))
    queries = await asked(engine, record(engine, an(payments.RefundFailed)))
    read = [table for query in queries for table in TABLES if f" {table} WHERE" in query]
    assert read == ["known_booking", "known_provider"]
    engine.clock.instant = STARTS_AT - days(1)
    await engine.run_local()
    assert len(await engine.fetch("SELECT FROM delivery WHERE kind IN ('refund_failed', 'reminder')")) == 5


@pytest.mark.parametrize("together", [False, True])
async def test_an_earlier_event_that_comes_later_is_not_kept(engine: Engine, together: bool) -> None:
    later, earlier = record(engine, an(booking.BookingRescheduled), 5), record(engine, an(BookingConfirmed), 4)
    await engine.run(later, earlier, size=2 if together else 1)
    rows = await engine.fetch("SELECT sequence, event_type FROM known_booking")
    assert [tuple(row) for row in rows] == [(5, "booking.BookingRescheduled.v1")]


async def test_an_event_needs_nothing_that_a_newer_build_kept_of_its_booking(engine: Engine) -> None:
    await engine.run(record(engine, an(booking.BookingPlaced)))
    await engine.fetch("UPDATE known_booking SET event_type = 'booking.BookingMissed.v1'")
    await engine.run(record(engine, an(BookingConfirmed), 2))
    assert len(await engine.fetch("SELECT FROM delivery")) == 2
    assert [row["sequence"] for row in await engine.fetch("SELECT sequence FROM known_booking")] == [2]
