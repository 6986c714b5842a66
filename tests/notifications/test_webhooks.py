"""Events become webhooks: to whom, once, in order, and what becomes of them."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from booking_contracts import booking, payments
from booking_contracts.booking import BookingConfirmed
from booking_contracts.envelope import Event
from booking_contracts.notifications import DeliverySucceeded
from booking_contracts.payments import WalletEvent
from booking_contracts.registry import BY_TOPIC
from booking_contracts.testkit.waiting import eventually
from standardwebhooks.webhooks import Webhook

from services.notifications import app
from services.notifications.model.subscriptions import OFFERED
from services.notifications.subscriptions import store
from services.notifications.subscriptions.offering import LOOKS_AGAIN
from services.notifications.subscriptions.room import PER_SUBSCRIPTION
from services.notifications.subscriptions.signing import shown
from services.notifications.subscriptions.telling import tellable
from tests.chassis.harness import Engine
from tests.notifications.builders import BOOKING_ID, an, customer
from tests.notifications.receivers import Got, Receiver, receiving
from tests.notifications.stage import Stage, staged
from tests.notifications.test_database import record

pytestmark = pytest.mark.requirement("notify-systems")


def test_every_event_of_the_topics_that_are_heard_is_offered() -> None:
    assert {kind.ce_type for kind in OFFERED} <= app.SERVICE.by_type.keys()
    assert set(OFFERED) == {kind for topic in app.SERVICE.event_topics for kind in BY_TOPIC[topic]}


async def test_an_event_arrives_signed_and_as_it_was_on_kafka(stage: Stage, engine: Engine) -> None:
    async with receiving() as receiver:
        subscription = await stage.subscribe(receiver.url)
        (event_id,) = await stage.hear(an(BookingConfirmed))
        (row,) = await stage.settled(1)

    (got,) = receiver.got
    (secret,) = await engine.fetch("SELECT secret FROM webhook_secret")
    content = Webhook(shown(secret["secret"])).verify(got.body, got.headers)
    assert (content["id"], content["type"], got.id) == (event_id, "booking.BookingConfirmed.v1", event_id)
    assert content["data"] == json.loads(an(BookingConfirmed).model_dump_json(by_alias=True))
    assert (row["state"], row["tries"], row["status"], row["answer"]) == ("succeeded", 1, 200, "thanks")
    assert row["subscription_id"] == subscription


async def test_what_became_of_it_is_told_and_listed(stage: Stage, engine: Engine) -> None:
    async with receiving() as receiver:
        subscription = await stage.subscribe(receiver.url)
        (event_id,) = await stage.hear(an(BookingConfirmed))
        await stage.settled(1)
    await engine.run_local()

    told = [one for one in await engine.sent() if one.type == DeliverySucceeded.ce_type]
    assert [(one.key, one.sequence, one.body["channel"], one.body["recipient"]) for one in told] == [
        (str(BOOKING_ID), 1, "webhook", str(subscription))
    ]
    assert told[0].body["event_id"] == event_id


def test_a_customer_whose_name_looks_like_a_bookings_has_no_stream() -> None:
    key = str(uuid4())
    assert tellable(BookingConfirmed.ce_type, key)
    assert not tellable(BookingConfirmed.ce_type, "anna")
    assert not any(tellable(wallet.ce_type, key) for wallet in payments.EVENTS if issubclass(wallet, WalletEvent))


async def test_it_is_sent_once_however_often_the_event_comes(stage: Stage, engine: Engine) -> None:
    async with receiving() as receiver:
        await stage.subscribe(receiver.url)
        raw = record(engine, an(BookingConfirmed), 1, uuid4())
        await engine.run(raw)
        await engine.run(record(engine, an(BookingConfirmed), 1, UUID(dict(raw.headers)["ce_id"])))
        await stage.settled(1)
        await asyncio.sleep(0.1)

    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("limits", "event", "hears"),
    [
        ({}, an(BookingConfirmed), True),
        ({"types": [booking.BookingCancelled]}, an(BookingConfirmed), False),
        ({"types": [booking.BookingCancelled, BookingConfirmed]}, an(BookingConfirmed), True),
        ({"provider_id": UUID(int=3)}, an(BookingConfirmed), True),
        ({"provider_id": UUID(int=33)}, an(BookingConfirmed), False),
        ({"customer_id": "anna"}, an(BookingConfirmed), True),
        ({"customer_id": "ben"}, an(BookingConfirmed), False),
        ({"provider_id": UUID(int=3), "customer_id": "anna"}, an(BookingConfirmed), True),
        ({"provider_id": UUID(int=3), "customer_id": "ben"}, an(BookingConfirmed), False),
        ({"provider_id": UUID(int=33), "customer_id": "anna"}, an(BookingConfirmed), False),
        ({"customer_id": "anna"}, an(booking.WaitlistJoined), True),
        ({"provider_id": UUID(int=3)}, an(booking.SlotOpened), True),
        ({"customer_id": "anna"}, an(booking.SlotOpened), False),
        ({"customer_id": "anna"}, an(payments.WalletToppedUp), True),
        ({"provider_id": UUID(int=3)}, an(payments.WalletToppedUp), False),
    ],
)
async def test_who_hears_what(engine: Engine, limits: dict[str, Any], event: Event, hears: bool) -> None:
    async with staged(engine) as stage:
        types = limits.pop("types", ())
        await stage.subscribe("http://127.0.0.1:9/", *types, **limits)
        await stage.hear(event)

        assert bool(await stage.rows()) is hears


@pytest.mark.parametrize("together", [True, False])
async def test_events_of_payments_are_those_of_their_bookings_people(stage: Stage, together: bool) -> None:
    theirs = await stage.subscribe("http://127.0.0.1:9/", provider_id=UUID(int=3))
    await stage.subscribe("http://127.0.0.1:9/", provider_id=UUID(int=33))
    events = (an(payments.PaymentCaptured), an(BookingConfirmed))
    for batch in [events] if together else [events[1:], events[:1]]:
        await stage.hear(*batch)

    assert [row["subscription_id"] for row in await stage.rows()] == [theirs, theirs]


async def test_whose_a_payment_is_may_be_known_later(stage: Stage, engine: Engine) -> None:
    """After an outage events of payments may be read first."""
    theirs = await stage.subscribe("http://127.0.0.1:9/", customer_id="anna")
    everything = await stage.subscribe("http://127.0.0.1:9/")
    (captured,) = await stage.hear(an(payments.PaymentCaptured))
    assert [row["subscription_id"] for row in await stage.rows()] == [everything]

    await stage.hear(an(BookingConfirmed))
    stage.clock.advance(seconds=LOOKS_AGAIN[0].total_seconds())
    await engine.run_local()

    rows = await stage.rows(event_id=UUID(captured))
    assert {row["subscription_id"] for row in rows} == {theirs, everything}
    assert len(rows) == 2


async def test_payments_that_waited_for_their_booking_are_told_in_their_order(stage: Stage, engine: Engine) -> None:
    """What is heard when the booking is known does not pass what waits; nor does one that waited for less long."""
    await stage.subscribe("http://127.0.0.1:9/", customer_id="anna")
    ids = await stage.hear(an(payments.PaymentAuthorized))
    for look in LOOKS_AGAIN[:2]:
        stage.clock.advance(seconds=look.total_seconds())
        ids += await stage.hear(an(payments.PaymentCaptured))
        await engine.run_local()
    await stage.hear(an(BookingConfirmed))
    ids += await stage.hear(an(payments.PaymentSettled))
    while waiting := await engine.fetch("SELECT due_at FROM local_message WHERE type = 'local.EventWaits'"):
        stage.clock.instant = max(stage.clock.instant, min(row["due_at"] for row in waiting))
        await engine.run_local()

    told = [str(row["event_id"]) for row in await stage.rows()]
    assert [one for one in told if one in ids] == ids


async def test_whose_a_payment_is_that_nobody_ever_says_is_asked_a_few_times(stage: Stage, engine: Engine) -> None:
    await stage.subscribe("http://127.0.0.1:9/", customer_id="anna")
    await stage.hear(an(payments.PaymentCaptured))
    looks = 0
    while waiting := await engine.fetch("SELECT due_at FROM local_message WHERE type = 'local.EventWaits'"):
        stage.clock.instant = waiting[0]["due_at"]
        looks += await engine.run_local()

    assert looks == len(LOOKS_AGAIN)
    assert await stage.rows() == []


async def test_events_of_one_booking_arrive_in_order_whatever_fails(stage: Stage) -> None:
    """The first fails twice; the second waits for it, another booking's does not."""
    failing = 2

    def status(got: Got) -> int:
        nonlocal failing
        if "BookingPlaced" in got.body and failing:
            failing -= 1
            return 500
        return 200

    other = uuid4()
    async with receiving(Receiver(status_of=status)) as receiver:
        await stage.subscribe(receiver.url)
        first, second = await stage.hear(an(booking.BookingPlaced), an(BookingConfirmed))
        (third,) = await stage.hear(an(BookingConfirmed, booking_id=other))
        while "pending" in await stage.states():
            await stage.pass_time(seconds=10)

    assert [one for one in receiver.ids if one != third] == [first, first, first, second]
    assert third in receiver.ids[:3], "it did not wait"


async def test_what_comes_next_for_a_booking_follows_at_once(stage: Stage) -> None:
    """The clock stands still: nothing of it waits for another look."""
    kinds = (booking.BookingPlaced, BookingConfirmed, booking.SessionCompleted, booking.BookingCompleted)
    async with receiving() as receiver:
        await stage.subscribe(receiver.url)
        ids = await stage.hear(*(an(kind) for kind in kinds))
        await stage.settled(4)

    assert receiver.ids == ids


async def test_a_subscriber_that_hangs_delays_no_other(stage: Stage) -> None:
    async with receiving(Receiver(hangs=True)) as hanging, receiving() as healthy:
        await stage.subscribe(hanging.url)
        await stage.subscribe(healthy.url)
        for _ in range(40):
            await stage.hear(an(BookingConfirmed, booking_id=uuid4()))
        got = await eventually("all have come", lambda: _now(healthy.got), lambda found: len(found) == 40)
        hanging.gone.set()

    assert len(got) == 40
    assert len(hanging.got) <= PER_SUBSCRIPTION, "no more than its own room"


async def _now(found: list[Got]) -> list[Got]:
    return found


async def test_a_subscription_that_is_over_is_sent_nothing(stage: Stage, engine: Engine) -> None:
    async with receiving(Receiver(status=503)) as receiver:
        subscription = await stage.subscribe(receiver.url)
        await stage.hear(an(BookingConfirmed))
        await stage.tried()
        await store.unsubscribe(await engine.session.connection(), subscription)
        await stage.hear(an(booking.BookingCancelled))
        stage.worker._end_at = 0.0
        await stage.pass_time(minutes=10)
        (row,) = await stage.settled(1)

    assert (row["state"], row["reason"]) == ("failed", "the subscription is switched off")
    assert len(receiver.got) == 1
    assert await engine.fetch("SELECT number FROM webhook_secret") == []
    assert (await stage.subscription(subscription))["owner_email"] == ""


async def test_a_rotated_secret_is_good_beside_the_old_one_for_a_day(stage: Stage, engine: Engine) -> None:
    async with receiving() as receiver:
        subscription = await stage.subscribe(receiver.url)
        connection = await engine.session.connection()
        old = await connection.fetchval("SELECT secret FROM webhook_secret")
        new = await store.rotate(connection, subscription, stage.clock.now())
        assert new is not None
        await stage.hear(an(BookingConfirmed))
        await stage.settled(1)
        stage.clock.advance(hours=25)
        await stage.hear(an(booking.BookingCancelled))
        await stage.settled(2)

    first, second = receiver.got
    Webhook(old).verify(first.body, first.headers)
    Webhook(new).verify(first.body, first.headers)
    assert len(second.headers["webhook-signature"].split(" ")) == 1
    Webhook(new).verify(second.body, second.headers)
    newest = await store.rotate(connection, subscription, stage.clock.now(), timedelta(0))
    await store.rotate(connection, subscription, stage.clock.now())
    kept = await engine.fetch("SELECT secret FROM webhook_secret ORDER BY number")
    assert [row["secret"] for row in kept][:1] == [newest]
    assert len(kept) == 2, "never more than two"


async def test_a_name_that_only_the_event_has_is_no_filter(stage: Stage) -> None:
    """Ids of customers are compared as they are."""
    await stage.subscribe("http://127.0.0.1:9/", customer_id="Anna")
    await stage.hear(an(BookingConfirmed, customer=customer(id="anna")))

    assert await stage.rows() == []
