"""Subscribers that fail: tried for days, given up, switched off, told of, and sent again what they missed."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from uuid import uuid4

import asyncpg
import pytest
from booking_contracts import booking
from booking_contracts.booking import BookingConfirmed
from booking_contracts.notifications import DeliveryFailed
from booking_contracts.testkit.waiting import eventually
from prometheus_client import REGISTRY

from deploy.local.environment import python_env
from services.chassis.gateway_calls import OpenCall, TryAgain
from services.chassis.operator import NotPossible
from services.notifications import erasing
from services.notifications.gateway import MailGateway
from services.notifications.model.subscriptions import (
    GIVE_UP_AFTER,
    LONGEST_REST,
    LONGEST_WAIT,
    rest_after,
    wait_after,
)
from services.notifications.sender import Refused
from services.notifications.sender import TryAgain as TryMailAgain
from services.notifications.subscriptions import gauges, operator, outcomes, queue, store
from services.notifications.subscriptions.messages import NoticeEnded
from services.notifications.subscriptions.notice import Gateway, Notice
from services.notifications.subscriptions.operator import Wanted
from services.notifications.subscriptions.posting import Poster
from tests.chassis.harness import Engine
from tests.notifications.builders import BOOKING_ID, an
from tests.notifications.receivers import HERE, Got, Receiver, receiving
from tests.notifications.stage import OWNER, Stage, staged
from tests.notifications.test_gateway import Server

pytestmark = pytest.mark.requirement("notify-systems")


@pytest.fixture
async def stage(engine: Engine) -> AsyncIterator[Stage]:
    async with staged(engine) as stage:
        yield stage


def test_waits_grow_to_hours() -> None:
    waits = [wait_after(tries) for tries in range(1, 25)]
    assert (waits[0], waits[-1]) == (timedelta(seconds=5), LONGEST_WAIT)
    assert waits == sorted(waits)
    assert wait_after(1, spread=0.8) == timedelta(seconds=4)
    total, tries = timedelta(0), 0
    while total < GIVE_UP_AFTER:
        tries += 1
        total += wait_after(tries)
    assert 15 <= tries <= 25
    assert wait_after(1, timedelta(hours=2)) == timedelta(hours=2)
    assert wait_after(1, timedelta(days=400)) == timedelta(days=1), "nobody puts us off for a year"
    assert rest_after(50) == LONGEST_REST


async def test_a_try_that_fails_is_made_again_under_the_same_id(stage: Stage) -> None:
    async with receiving(Receiver(status=500, text="x" * 5_000)) as receiver:
        subscription = await stage.subscribe(receiver.url)
        (event_id,) = await stage.hear(an(BookingConfirmed))
        (row,) = await stage.tried()
        assert (row["state"], row["reason"], row["status"]) == ("pending", "it answered 500", 500)
        assert row["answer"] == "x" * 1_000
        assert (await stage.subscription(subscription))["failures"] == 1
        receiver.status = 204
        await stage.pass_time(seconds=10)
        (row,) = await stage.settled(1)

    assert (row["state"], row["tries"], row["reason"]) == ("succeeded", 2, None)
    assert receiver.ids == [event_id] * 2
    well = await stage.subscription(subscription)
    assert (well["failures"], well["failing_since"], well["rest_until"]) == (0, None, None)


async def test_retry_after_is_heeded(stage: Stage) -> None:
    async with receiving(Receiver(status=503, headers={"Retry-After": "3600"})) as receiver:
        await stage.subscribe(receiver.url)
        await stage.hear(an(BookingConfirmed))
        await stage.tried()
        await stage.hear(an(BookingConfirmed, booking_id=uuid4()))
        await stage.pass_time(minutes=50)
        assert len(receiver.got) == 1, "nor is it asked for anything else meanwhile"
        receiver.status = 200
        await stage.pass_time(minutes=11)
        await stage.settled(2)


async def test_one_event_that_it_never_takes_stops_no_other(stage: Stage) -> None:
    async with receiving(Receiver(status_of=lambda got: 500 if "Cancelled" in got.body else 200)) as receiver:
        subscription = await stage.subscribe(receiver.url)
        await stage.hear(an(booking.BookingCancelled, booking_id=uuid4()))
        await stage.tried()
        for _ in range(5):
            await stage.hear(an(BookingConfirmed, booking_id=uuid4()))
            await stage.pass_time(seconds=2)
        await eventually("the others", stage.states, lambda found: found.count("succeeded") == 5)

    assert (await stage.subscription(subscription))["failing_since"] is None


async def test_after_three_days_an_event_is_given_up_and_told(stage: Stage, engine: Engine) -> None:
    async with receiving(Receiver(status=500)) as receiver:
        subscription = await stage.subscribe(receiver.url)
        (event_id,) = await stage.hear(an(BookingConfirmed))
        await stage.tried()
        stage.worker._end_at = 0.0
        await stage.pass_time(days=3, seconds=1)
        (row,) = await stage.settled(1)
    await engine.run_local()

    assert (row["state"], row["reason"]) == ("failed", "given up after 3 days: it answered 500")
    (told,) = [one for one in await engine.sent() if one.type == DeliveryFailed.ce_type]
    assert (told.body["recipient"], told.body["event_id"]) == (str(subscription), event_id)
    assert told.body["reason"] == row["reason"]


async def test_who_is_gone_is_switched_off_at_once_and_its_owner_told(stage: Stage, engine: Engine) -> None:
    async with receiving(Receiver(status=410)) as receiver:
        subscription = await stage.subscribe(receiver.url)
        await stage.hear(an(BookingConfirmed))
        (row,) = await stage.settled(1)
        await stage.hear(an(booking.BookingCancelled))
    await engine.run_local()

    off = await stage.subscription(subscription)
    assert (off["state"], off["disabled_for"]) == ("disabled", "gone")
    assert (row["state"], row["reason"]) == ("failed", "it answered 410")
    rows = await stage.rows()
    assert [one["reason"] for one in rows] == ["it answered 410", "the subscription is switched off"]
    assert len(receiver.got) == 1
    notice = await the_notice(engine)
    assert (notice.recipient, notice.url, notice.why) == (OWNER, receiver.url, "it answered 410 Gone")


async def test_who_fails_for_five_days_is_switched_off(stage: Stage, engine: Engine) -> None:
    async with receiving(Receiver(status=502)) as receiver:
        subscription = await stage.subscribe(receiver.url)
        for day in range(5):
            assert (await stage.subscription(subscription))["state"] == "active", f"day {day}"
            before = len(receiver.got)
            await stage.hear(an(BookingConfirmed, booking_id=uuid4()))
            await stage.pass_time(minutes=7)
            await eventually("a try", partial(_more_than, before, receiver))
            await stage.pass_time(days=1)
        await eventually("off", lambda: stage.subscription(subscription), lambda row: row["state"] == "disabled")
    await engine.run_local()

    assert (await stage.subscription(subscription))["disabled_for"] == "failing"
    assert (await the_notice(engine)).why == "it has taken nothing for 5 days"


async def _more_than(before: int, receiver: Receiver) -> bool:
    return len(receiver.got) > before


_THE_CALL = """
SELECT id, key, operation, parameters, idempotency_key FROM gateway_call WHERE operation = 'send_notice'
"""


async def the_notice(engine: Engine) -> Notice:
    (call,) = await engine.fetch("SELECT parameters FROM gateway_call WHERE operation = 'send_notice'")
    return Notice.model_validate_json(call["parameters"])


async def test_the_letter_to_the_owner_is_a_mail(stage: Stage, engine: Engine) -> None:
    async with receiving(Receiver(status=410)) as receiver:
        subscription = await stage.subscribe(receiver.url)
        await stage.hear(an(BookingConfirmed))
        await stage.settled(1)
    await engine.run_local()
    (row,) = await engine.fetch(_THE_CALL)
    call, server = OpenCall(**dict(row), headers=[], tries=0, age_seconds=0.0), Server()
    mail_from = "Bookings <no-reply@example.org>"
    gateway = Gateway(MailGateway(server, mail_from, engine.clock), server, mail_from)

    assert await gateway.call(call) == NoticeEnded(subscription_id=subscription)
    (mail,) = server.received
    assert (mail["To"], mail["Subject"]) == (OWNER, "Your webhook was switched off")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert receiver.url in mail.get_content()
    assert "it answered 410 Gone" in mail.get_content()
    server.outcome = TryMailAgain("451 later")
    assert isinstance(await gateway.call(call), TryAgain)
    server.outcome = Refused("550 no")
    assert await gateway.call(call) == NoticeEnded(subscription_id=subscription, reason="550 no")


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


async def test_what_a_process_that_died_had_in_hand_is_sent_by_another(engine: Engine) -> None:
    """kill -9 between the receiver's answer and our record: once more, under the same id, and then never again."""
    async with receiving() as receiver:
        async with staged(engine) as stage:
            await asyncio.sleep(0)
            subscription = await stage.subscribe(receiver.url)
        (event_id,) = await stage.hear(an(BookingConfirmed))
        arguments = [sys.executable, "-m", "tests.notifications.dying", engine.session.url]
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
