"""What tries say of a subscriber as a whole, whatever order they end in and whoever makes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from booking_contracts.booking import BookingConfirmed
from booking_contracts.testkit.waiting import eventually

from services.chassis.database import connect
from services.notifications.subscriptions.health import Round, note
from services.notifications.subscriptions.posting import Failed, Outcome, Taken
from tests.chassis.harness import Engine
from tests.notifications.builders import an
from tests.notifications.receivers import Receiver, receiving
from tests.notifications.stage import Stage, staged

pytestmark = pytest.mark.requirement("notify-systems")
TAKEN, FAILED = Taken(200, ""), Failed("it answered 500", 500)
BUSY = Failed("it answered 429", 429, asked=timedelta(hours=1))


@pytest.fixture
async def stage(engine: Engine) -> AsyncIterator[Stage]:
    async with staged(engine) as stage:
        yield stage


async def noted(stage: Stage, *tried: tuple[UUID, int, Outcome]) -> None:
    async with (await stage.engine.session.connection()).transaction():
        await note(await stage.engine.session.connection(), stage.clock.now(), Round.of(tried))


@pytest.mark.parametrize("rounds", [[BUSY, TAKEN], [TAKEN, BUSY], [BUSY], [TAKEN]])
@pytest.mark.parametrize("together", [True, False])
async def test_who_asks_for_time_gets_it_whatever_else_was_taken(
    stage: Stage, rounds: Sequence[Outcome], together: bool
) -> None:
    """A receiver that counts what it takes answers 200 to some tries and 429 to those beside them."""
    async with receiving(Receiver()) as receiver:
        subscription = await stage.subscribe(receiver.url)
        tried = [(subscription, 0, outcome) for outcome in rounds]
        for one in [tried] if together else [[each] for each in tried]:
            await noted(stage, *one)
        await stage.hear(an(BookingConfirmed))
        await stage.pass_time(minutes=59)
        assert len(receiver.got) == (0 if BUSY in rounds else 1)
        await stage.pass_time(minutes=2)
        await stage.settled(1)


async def test_tries_that_were_made_at_once_count_as_one_failure(stage: Stage) -> None:
    """A receiver that starts anew fails all that is on its way: it is asked again in seconds, not in minutes."""
    subscription = await stage.subscribe("http://127.0.0.1:9/")
    for _ in range(20):
        await noted(stage, (subscription, 0, FAILED))
    assert (await stage.subscription(subscription))["failures"] == 1
    await noted(stage, (subscription, 1, FAILED))
    assert (await stage.subscription(subscription))["failures"] == 2
    await noted(stage, (subscription, 0, TAKEN))
    await noted(stage, (subscription, 2, FAILED))
    assert (await stage.subscription(subscription))["failures"] == 1


async def test_replicas_that_note_the_same_subscribers_wait_for_each_other_in_one_order(stage: Stage) -> None:
    """Locks are taken by subscription_id, whether it took something or failed: else two replicas would each hold what
    the other waits for."""
    first, second = sorted([await stage.subscribe("http://127.0.0.1:9/") for _ in range(2)])
    await noted(stage, (first, 0, FAILED), (second, 0, FAILED))
    holder = await connect(stage.engine.session.url, "another replica")
    try:
        async with holder.transaction():
            await holder.execute("SELECT FROM webhook_subscription WHERE subscription_id = $1 FOR NO KEY UPDATE", first)
            noting = asyncio.create_task(noted(stage, (second, 1, TAKEN), (first, 1, FAILED)))
            await eventually("it waits", lambda: _waiting(holder), bool)
            free = "SELECT FROM webhook_subscription WHERE subscription_id = $1 FOR NO KEY UPDATE NOWAIT"
            assert len(await holder.fetch(free, second)) == 1
        await noting
    finally:
        await holder.close()


async def _waiting(connection: asyncpg.Connection[asyncpg.Record]) -> int:
    found: int = await connection.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return found
