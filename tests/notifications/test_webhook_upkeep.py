"""What operators see of webhooks and do about them, and what goes in time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast
from uuid import uuid4

import asyncpg
import pytest
from booking_contracts import booking
from booking_contracts.booking import BookingConfirmed
from prometheus_client import REGISTRY

from services.chassis.operator import NotPossible
from services.notifications import erasing
from services.notifications.model.subscriptions import GIVE_UP_AFTER
from services.notifications.subscriptions import gauges, operator, outcomes, store
from services.notifications.subscriptions.operator import Wanted
from services.notifications.subscriptions.posting import Poster
from tests.chassis.harness import Engine
from tests.notifications.builders import BOOKING_ID, an
from tests.notifications.receivers import HERE, Receiver, receiving
from tests.notifications.stage import Stage, staged

pytestmark = pytest.mark.requirement("notify-systems")


async def test_the_admin_is_told_by_a_gauge(stage: Stage, databases: dict[str, str]) -> None:
    pool = await asyncpg.create_pool(databases["NOTIFICATIONS_DATABASE_URL"], min_size=1, max_size=1)
    look = gauges.Gauges(stage.clock)
    async with receiving(Receiver(status=500)) as receiver:
        await stage.subscribe(receiver.url)
        await stage.hear(an(BookingConfirmed))
        await stage.tried()
        await look.look(pool)
        assert value("booking_webhook_subscribers_dead") == 0
        assert value("booking_webhook_pending") == 1
        stage.clock.advance(days=1)
        await look.look(pool)
        assert value("booking_webhook_subscribers_dead") == 1
        assert value("booking_webhook_oldest_seconds") == 86400
    await pool.close()


def value(name: str) -> float:
    found = REGISTRY.get_sample_value(name)
    assert found is not None
    return found


async def test_what_failed_is_sent_again_when_an_operator_says_so(stage: Stage, engine: Engine) -> None:
    connection = await engine.session.connection()
    async with receiving(Receiver(status=410)) as receiver:
        subscription = await stage.subscribe(receiver.url)
        first = await stage.hear(an(BookingConfirmed))
        await stage.settled(1)
        missed = await stage.hear(an(booking.BookingCancelled))
        with pytest.raises(NotPossible, match="active"):
            await operator.redeliver(connection, stage.clock, Wanted(delivery=(await stage.rows())[0]["delivery_id"]))
        assert "active" in await operator.switch(connection, stage.clock, subscription, on=True)
        receiver.status = 200
        receiver.got.clear()

        assert await operator.redeliver(connection, stage.clock, Wanted(subscription=subscription, failed=True)) == 2
        stage.worker.wake()
        await stage.settled(2)
        assert receiver.ids == [*first, *missed], "in order, under their ids"

        (row, _) = await stage.rows()
        assert await operator.redeliver(connection, stage.clock, Wanted(delivery=row["delivery_id"])) == 1
        stage.worker.wake()
        await stage.settled(2)
        assert receiver.ids == [*first, *missed, *first]
        later = Wanted(subscription=subscription, since=stage.clock.now() + timedelta(seconds=1))
        assert await operator.redeliver(connection, stage.clock, later) == 0
        with pytest.raises(NotPossible, match="name a delivery"):
            await operator.redeliver(connection, stage.clock, Wanted())


async def test_what_was_sent_again_and_given_up_says_why_it_was_this_time(engine: Engine) -> None:
    stage, connection = Stage(engine, Poster(HERE)), await engine.session.connection()  # whose worker does not run
    subscription = await stage.subscribe("http://127.0.0.1:9/")
    await operator.switch(connection, stage.clock, subscription, on=False)
    await stage.hear(an(BookingConfirmed))
    await operator.switch(connection, stage.clock, subscription, on=True)
    assert await operator.redeliver(connection, stage.clock, Wanted(subscription=subscription, failed=True)) == 1
    stage.clock.advance(seconds=GIVE_UP_AFTER.total_seconds())
    (ended,) = await outcomes.end(connection, stage.clock.now())

    assert ended["reason"] == "given up after 3 days: its turn did not come"


async def test_what_was_missed_in_a_span_of_time_is_sent_again_and_nothing_else(engine: Engine) -> None:
    stage, connection = Stage(engine, Poster(HERE)), await engine.session.connection()  # whose worker does not run
    subscription = await stage.subscribe("http://127.0.0.1:9/")
    began = stage.clock.now()
    await operator.switch(connection, stage.clock, subscription, on=False)
    for _ in range(3):
        await stage.hear(an(BookingConfirmed, booking_id=uuid4()))
        stage.clock.advance(hours=1)
    await operator.switch(connection, stage.clock, subscription, on=True)
    hours = [began + timedelta(hours=number) for number in range(3)]

    assert await operator.redeliver(connection, stage.clock, Wanted(since=hours[1], until=hours[2])) == 1
    assert await stage.states() == ["failed", "pending", "failed"]
    with pytest.raises(NotPossible, match="name a delivery"):
        await operator.redeliver(connection, stage.clock, Wanted(until=hours[2]))


MADE_NOW = """
UPDATE webhook_delivery SET number = nextval('delivery_number_seq')
WHERE number = (SELECT max(number) FROM webhook_delivery)
"""


class Meanwhile:
    """A connection; with each slice that it reads the last delivery becomes one that was made just now."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.fetchval = connection.fetchval

    async def fetch(self, query: str, *arguments: object) -> Any:
        await self._connection.execute(MADE_NOW)
        return await self._connection.fetch(query, *arguments)


async def test_what_is_made_while_others_are_sent_again_is_not_sent_twice(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An end that nobody names is the moment of the act."""
    monkeypatch.setattr(operator, "SLICE", 1)
    monkeypatch.setattr(operator, "REDELIVER", operator.REDELIVER.replace("LIMIT 1000", "LIMIT 1"))
    stage, connection = Stage(engine, Poster(HERE)), await engine.session.connection()
    subscription = await stage.subscribe("http://127.0.0.1:9/")
    await operator.switch(connection, stage.clock, subscription, on=False)
    for _ in range(3):
        await stage.hear(an(BookingConfirmed, booking_id=uuid4()))
    await operator.switch(connection, stage.clock, subscription, on=True)
    wanted = Wanted(subscription=subscription, failed=True)
    assert await operator.redeliver(cast("Any", Meanwhile(connection)), stage.clock, wanted) == 2
    assert await stage.states() == ["pending", "pending", "failed"]


async def test_a_test_event_is_sent_and_shown(stage: Stage, engine: Engine) -> None:
    connection = await engine.session.connection()
    async with receiving() as receiver:
        subscription = await stage.subscribe(receiver.url, BookingConfirmed, provider_id=uuid4())
        await operator.test(connection, stage.clock, subscription)
        stage.worker.wake()
        await stage.settled(1)
    (shown,) = await operator.deliveries(connection, subscription, None, 10)

    assert operator.TEST_TYPE in receiver.got[0].body
    assert (shown["type"], shown["state"], shown["answer"]) == (operator.TEST_TYPE, "succeeded", "thanks")
    await operator.switch(connection, stage.clock, subscription, on=False)
    with pytest.raises(NotPossible):
        await operator.test(connection, stage.clock, subscription)


async def test_an_erased_customer_is_in_no_event_that_is_kept(stage: Stage, engine: Engine) -> None:
    connection = await engine.session.connection()
    async with receiving(Receiver(status=500)) as receiver:
        await stage.subscribe(receiver.url)
        await stage.hear(an(BookingConfirmed))
        await stage.tried()
        with pytest.raises(NotPossible, match="webhooks"):
            await erasing.erase(connection, [BOOKING_ID], [], "anna")
        receiver.status = 200
        await stage.pass_time(seconds=10)
        await stage.settled(1)
    await engine.fetch("UPDATE gateway_call SET state = 'done'")
    await erasing.erase(connection, [BOOKING_ID], [], "anna")

    assert await engine.fetch("SELECT event_id FROM webhook_event") == []
    assert await stage.rows() == []


async def test_what_is_old_goes_and_a_subscription_that_is_over_with_it(
    engine: Engine, databases: dict[str, str]
) -> None:
    pool = await asyncpg.create_pool(databases["NOTIFICATIONS_DATABASE_URL"], min_size=1, max_size=1)
    async with receiving() as receiver, staged(engine) as stage:
        over, kept = await stage.subscribe(receiver.url), await stage.subscribe(receiver.url)
        await stage.hear(an(BookingConfirmed))
        await stage.settled(2)
        await store.unsubscribe(await engine.session.connection(), over)
        await gauges.purge(pool)
        assert len(await stage.rows()) == 2, "kept for a month"
        await engine.fetch("UPDATE webhook_event SET created_at = now() - interval '31 days'")
        await gauges.purge(pool)

        assert await stage.rows() == []
        left = await engine.fetch("SELECT subscription_id FROM webhook_subscription")
        assert [row["subscription_id"] for row in left] == [kept]
    await pool.close()
