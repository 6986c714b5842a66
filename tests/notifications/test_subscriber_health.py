"""What tries say of a subscriber as a whole, whatever order they end in and whoever makes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from uuid import UUID, uuid4

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


async def noted(stage: Stage, *tried: tuple[UUID, int, Outcome]) -> Round:
    """What is left of it."""
    connection = await stage.engine.session.connection()
    async with connection.transaction():
        return (await note(connection, stage.clock.now(), Round().after(tried))).left


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
        if BUSY in rounds:
            await stage.pass_time(minutes=59)
            assert not receiver.got
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


async def test_replicas_that_note_the_same_subscribers_do_not_wait_for_each_other(stage: Stage) -> None:
    """Each would hold what the other waits for. What is left is noted later."""
    theirs, ours = [await stage.subscribe("http://127.0.0.1:9/") for _ in range(2)]
    await noted(stage, (theirs, 0, FAILED), (ours, 0, FAILED))
    holder = await connect(stage.engine.session.url, "another replica")
    try:
        async with holder.transaction():
            lock = "SELECT FROM webhook_subscription WHERE subscription_id = $1 FOR NO KEY UPDATE"
            await holder.execute(lock, theirs)
            left = await noted(stage, (ours, 1, TAKEN), (theirs, 1, BUSY))
        assert (await stage.subscription(ours))["failures"] == 0
        assert (left.outcomes, left.failures, left.asked) == ({theirs: BUSY}, {theirs: 1}, {theirs: BUSY.asked})
    finally:
        await holder.close()


@pytest.mark.parametrize(("days", "state"), [((0, 6), "active"), ((0, 1, 2, 3, 4, 5.1), "disabled")])
async def test_who_was_asked_nothing_for_days_has_not_failed_meanwhile(
    stage: Stage, days: Sequence[float], state: str
) -> None:
    subscription, began = await stage.subscribe("http://127.0.0.1:9/"), stage.clock.now()
    for nth, day in enumerate(days):
        stage.clock.advance(seconds=(began + timedelta(days=day) - stage.clock.now()).total_seconds())
        await noted(stage, (subscription, nth, FAILED))
    assert (await stage.subscription(subscription))["state"] == state


async def test_what_waits_for_a_receiver_that_is_back_does_not_wait_for_its_own_next_try(stage: Stage) -> None:
    """What it had answered does: a Retry-After holds, and what it refuses for ever stays out of the way."""
    receiver = Receiver(status=500)
    async with receiving(receiver):
        await stage.subscribe(receiver.url)
        ids = await stage.hear(*(an(BookingConfirmed, booking_id=uuid4()) for _ in range(3)))
        await stage.tried()
        long = "UPDATE webhook_delivery SET try_at = $1, status = CASE WHEN event_id = $2 THEN 500 END"
        await stage.engine.fetch(long, stage.clock.now() + timedelta(hours=8), UUID(ids[0]))
        await stage.pass_time(minutes=6)
        receiver.status = 204
        (last,) = await stage.hear(an(BookingConfirmed, booking_id=uuid4()))
        await eventually("those without an answer", stage.states, lambda states: states.count("succeeded") == 3)
        await stage.pass_time(minutes=10)
    assert sorted(receiver.ids) == sorted([*ids, *ids[1:], last])


@pytest.mark.parametrize("table", ["webhook_subscription", "webhook_delivery"])
async def test_a_row_that_somebody_holds_delays_its_own_subscriber_alone(stage: Stage, table: str) -> None:
    """An operator's transaction that was left open. What came of the try is recorded, once, when it has ended."""
    answered = Receiver(status=410, hangs=True)
    async with receiving(answered), receiving() as other:
        held = await stage.subscribe(answered.url)
        await stage.hear(an(BookingConfirmed))
        await answered.came.wait()
        well = await stage.subscribe(other.url)
        holder = await connect(stage.engine.session.url, "an operator")
        try:
            async with holder.transaction():
                lock = f"SELECT FROM {table} WHERE subscription_id = $1 FOR NO KEY UPDATE"
                await holder.fetch(lock, held)
                answered.gone.set()
                (told,) = await stage.hear(an(BookingConfirmed, booking_id=uuid4()))
                async with asyncio.timeout(6):
                    await eventually("it is told", lambda: stage.rows(subscription_id=well), _is_told)
            await eventually("off", lambda: stage.subscription(held), lambda row: row["disabled_for"] == "gone")
        finally:
            await holder.close()

    assert other.ids == [told]
    assert len(answered.ids) == len(set(answered.ids))


def _is_told(rows: Sequence[asyncpg.Record]) -> bool:
    return [row["state"] for row in rows] == ["succeeded"]
