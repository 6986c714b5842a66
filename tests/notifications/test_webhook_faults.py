"""Subscribers that fail: tried for days, given up, switched off, and told of."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from booking_contracts import booking
from booking_contracts.booking import BookingConfirmed
from booking_contracts.notifications import DeliveryFailed
from booking_contracts.testkit.waiting import eventually

from services.chassis.gateway_calls import OpenCall, TryAgain
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
from services.notifications.subscriptions.messages import NoticeEnded
from services.notifications.subscriptions.notice import Gateway, Notice
from tests.chassis.harness import Engine
from tests.notifications.builders import an
from tests.notifications.receivers import Receiver, receiving
from tests.notifications.stage import OWNER, Stage
from tests.notifications.test_gateway import Server

pytestmark = pytest.mark.requirement("notify-systems")


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
