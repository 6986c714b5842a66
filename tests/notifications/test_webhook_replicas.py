"""Processes that die, end, run beside each other, or have no database: each event arrives, in order."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest
from booking_contracts import booking
from booking_contracts.booking import BookingConfirmed
from booking_contracts.testkit.waiting import eventually

from deploy.local.environment import python_env
from services.notifications.subscriptions import queue
from tests.chassis.harness import Engine
from tests.notifications.builders import an
from tests.notifications.receivers import Got, Receiver, receiving
from tests.notifications.stage import Stage, staged

pytestmark = pytest.mark.requirement("notify-systems")


async def test_what_a_process_that_died_had_in_hand_is_sent_by_another(engine: Engine) -> None:
    """kill -9 between the receiver's answer and our record: once more, under the same id, and then never again."""
    async with receiving() as receiver:
        async with staged(engine) as stage:
            await asyncio.sleep(0)
            subscription = await stage.subscribe(receiver.url)
        (event_id,) = await stage.hear(an(BookingConfirmed))
        arguments = [sys.executable, "-m", "tests.notifications.dying", "webhooks", engine.session.url]
        arguments.append(stage.clock.now().isoformat())
        process = await asyncio.create_subprocess_exec(*arguments, env=python_env())
        assert await process.wait() == -signal.SIGKILL
        assert receiver.ids == [event_id]
        assert await stage.states() == ["pending"]

        async with staged(engine) as other:
            await other.pass_time(seconds=queue.LEASE.total_seconds() - 1)
            assert receiver.ids == [event_id], "it is leased to who died"
            await other.pass_time(seconds=2)
            await other.settled(1)
            await other.pass_time(days=1)

    assert receiver.ids == [event_id] * 2
    assert (await stage.subscription(subscription))["failures"] == 0


async def test_two_replicas_send_each_event_once_and_in_order(engine: Engine) -> None:
    async with receiving() as receiver, staged(engine) as one, staged(engine) as two:
        await one.subscribe(receiver.url)
        bookings = [uuid4() for _ in range(10)]
        for kind in (booking.BookingPlaced, BookingConfirmed, booking.SessionCompleted):
            await one.hear(*(an(kind, booking_id=of) for of in bookings))
            two.worker.wake()
        await one.settled(30)

    assert len(set(receiver.ids)) == len(receiver.ids) == 30
    for of in bookings:
        kinds = [kind for got in receiver.got if str(of) in got.body for kind in [_kind(got)]]
        assert kinds == ["booking.BookingPlaced.v1", "booking.BookingConfirmed.v1", "booking.SessionCompleted.v1"]


def _kind(got: Got) -> str:
    kind: str = json.loads(got.body)["type"]
    return kind


async def test_what_is_on_its_way_when_a_process_ends_is_recorded(engine: Engine) -> None:
    async with receiving(Receiver(hangs=True)) as receiver:
        async with staged(engine) as stage:
            await stage.subscribe(receiver.url)
            await stage.hear(an(BookingConfirmed))
            await receiver.came.wait()
            asyncio.get_running_loop().call_later(0.3, receiver.gone.set)

        assert await stage.states() == ["succeeded"]


async def test_a_database_that_is_away_costs_no_event(engine: Engine, databases: dict[str, str]) -> None:
    async with receiving() as receiver, staged(engine) as stage:
        await stage.subscribe(receiver.url)
        (first,) = await stage.hear(an(BookingConfirmed))
        await stage.settled(1)
        admin = await asyncpg.connect(databases["POSTGRES_ADMIN_URL"])
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'subscribers'"
        )
        await admin.close()
        (second,) = await stage.hear(an(booking.BookingCancelled))
        await stage.settled(2)

    assert receiver.ids == [first, second]


async def test_rows_of_a_dead_subscriber_do_not_hide_those_of_others(stage: Stage, engine: Engine) -> None:
    """Thousands wait for who is dead; one of another is found at once."""
    dead = await stage.subscribe("http://127.0.0.1:1/")
    await engine.fetch(
        """
        WITH e AS (INSERT INTO webhook_event (event_id, type, key, content, created_at)
                   SELECT gen_random_uuid(), 'x', 'k' || n, '{}', $2 FROM generate_series(1, 5000) n
                   RETURNING event_id, key)
        INSERT INTO webhook_delivery (delivery_id, subscription_id, event_id, key, created_at, opened_at, try_at)
        SELECT gen_random_uuid(), $1, event_id, key, $2, $2, $2 FROM e
        """,
        dead,
        stage.clock.now() - timedelta(hours=1),
    )
    async with receiving() as receiver:
        alive = await stage.subscribe(receiver.url)
        await stage.hear(an(BookingConfirmed))
        await eventually(
            "it came", lambda: stage.rows(subscription_id=alive), lambda rows: rows[0]["state"] == "succeeded"
        )
