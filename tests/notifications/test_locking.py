"""Replicas that work on one booking at the same time wait for each other."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from booking_contracts import payments
from booking_contracts.booking import BookingConfirmed
from booking_contracts.envelope import Event

from services.chassis.messages import Raw
from tests.chassis.harness import Engine
from tests.notifications.builders import ADMIN_EMAIL, BOOKING_ID, CUSTOMER_EMAIL, PROVIDER_EMAIL, an
from tests.notifications.post import SERVICE
from tests.notifications.test_database import post, record
from tests.notifications.test_gateway import Server


@pytest.mark.requirement("notify-once")
async def test_two_replicas_number_the_outcomes_of_one_booking_together(
    engine: Engine, databases: dict[str, str]
) -> None:
    await engine.run(record(engine, an(BookingConfirmed)))
    customers, providers = await post(engine, Server())
    other = Engine(databases["NOTIFICATIONS_DATABASE_URL"], engine.clock, SERVICE)
    await asyncio.gather(engine.run(customers), other.run(providers))
    await other.close()

    assert sorted(sent.sequence or 0 for sent in await engine.sent()) == [1, 2]


@pytest.mark.requirement("pessimistic-locking")
async def test_a_booking_that_another_transaction_changes_is_waited_for(
    engine: Engine, databases: dict[str, str]
) -> None:
    await engine.run(record(engine, an(BookingConfirmed)))
    await _while_changed(databases, "known_booking", "body = NULL", engine, an(payments.RefundFailed))

    rows = await engine.fetch("SELECT recipient FROM delivery WHERE kind = 'refund_failed'")
    assert [row["recipient"] for row in rows] == [ADMIN_EMAIL]


@pytest.mark.requirement("pessimistic-locking", "notify-once")
async def test_a_stream_that_another_transaction_advances_is_waited_for(
    engine: Engine, databases: dict[str, str]
) -> None:
    await engine.run(record(engine, an(BookingConfirmed)))
    first, second = await post(engine, Server())
    await engine.run(first)
    await _while_changed(databases, "delivery_stream", "sequence = 7", engine, second)

    assert [sent.sequence for sent in await engine.sent()] == [1, 8]


@pytest.mark.requirement("pessimistic-locking", "notify-people")
async def test_a_line_that_another_transaction_begins_is_read_when_it_has_begun(
    engine: Engine, databases: dict[str, str]
) -> None:
    """Its letter is on its way when ours is written: ours waits for its outcome."""
    other = await asyncpg.connect(databases["NOTIFICATIONS_DATABASE_URL"])
    async with other.transaction():
        await other.execute("INSERT INTO delivery_stream (booking_id) VALUES ($1)", BOOKING_ID)
        running = asyncio.create_task(engine.run(record(engine, an(BookingConfirmed))))
        await _waits_for_a_lock(other)
        await other.execute(
            """
            INSERT INTO delivery (delivery_id, booking_id, event_id, recipient, channel, kind, audience, created_at)
            VALUES (gen_random_uuid(), $1, gen_random_uuid(), $2, 'email', 'approved', 'customer', now())
            """,
            BOOKING_ID,
            CUSTOMER_EMAIL,
        )
    await running
    await other.close()

    rows = await engine.fetch("SELECT recipient, mail IS NOT NULL FROM delivery WHERE kind = 'confirmed'")
    assert {tuple(row) for row in rows} == {(CUSTOMER_EMAIL, True), (PROVIDER_EMAIL, False)}


async def _while_changed(databases: dict[str, str], table: str, change: str, engine: Engine, told: Event | Raw) -> None:
    """Have the engine handle a message while another transaction holds its row, and changes it meanwhile."""
    other = await asyncpg.connect(databases["NOTIFICATIONS_DATABASE_URL"])
    async with other.transaction():
        await other.execute(f"SELECT FROM {table} FOR NO KEY UPDATE")
        running = asyncio.create_task(engine.run(told if isinstance(told, Raw) else record(engine, told)))
        await _waits_for_a_lock(other)
        await other.execute(f"UPDATE {table} SET {change}")
    await running
    await other.close()


async def _waits_for_a_lock(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    async with asyncio.timeout(5):
        while not await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ):
            await connection.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees what it saw before
