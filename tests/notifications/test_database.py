"""Deliveries through the real engine and store, and what the database refuses on its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

import asyncpg
import pytest
from booking_contracts import booking, payments
from booking_contracts.booking import BookingConfirmed
from booking_contracts.envelope import Event
from booking_contracts.testkit.waiting import eventually

from services.chassis.database import Session
from services.chassis.gateway_worker import GatewayWorker
from services.chassis.messages import Raw
from services.notifications.gateway import MailGateway
from services.notifications.sender import MailSender, Outcome, Refused, Sent
from tests.chassis.harness import Engine
from tests.notifications.builders import ADMIN_EMAIL, BOOKING_ID, CUSTOMER_EMAIL, PROVIDER_EMAIL, STARTS_AT, an
from tests.notifications.post import days
from tests.notifications.test_gateway import Server


def record(engine: Engine, event: Event, sequence: int = 1, message_id: UUID | None = None) -> Raw:
    """An event as its service publishes it."""
    raw = engine.record(event, message_id=message_id)
    return replace(raw, headers=[*raw.headers, ("ce_sequence", f"{sequence:012d}")])


async def post(engine: Engine, server: MailSender) -> list[Raw]:
    """Make every open call as the worker does; returns the results, not handled yet."""
    opened = await engine.fetch("UPDATE gateway_call SET try_at = opened_at WHERE state = 'open' RETURNING id")
    session = Session(engine.session.url, "post")
    worker = GatewayWorker(MailGateway(server, "no-reply@example.org", engine.clock), session, lambda: None)
    running = asyncio.create_task(worker.run())

    async def all_made() -> bool:
        return len(worker.results) == len(opened)

    await eventually("every call is made", all_made)
    running.cancel()
    await session.close()
    return list(worker.results.values())


async def states(engine: Engine) -> list[tuple[str, str]]:
    rows = await engine.fetch("SELECT recipient, state FROM delivery ORDER BY number")
    return [(row["recipient"], row["state"]) for row in rows]


@pytest.mark.requirement("notify-people", "notify-once")
async def test_an_event_is_mailed_to_its_people_and_told(engine: Engine) -> None:
    server = Server()
    event = record(engine, an(BookingConfirmed))
    await engine.run(event)
    assert await states(engine) == [(CUSTOMER_EMAIL, "pending"), (PROVIDER_EMAIL, "pending")]

    await engine.run(*await post(engine, server))

    assert sorted(str(mail["To"].addresses[0].addr_spec) for mail in server.received) == [
        CUSTOMER_EMAIL,
        PROVIDER_EMAIL,
    ]
    assert await states(engine) == [(CUSTOMER_EMAIL, "succeeded"), (PROVIDER_EMAIL, "succeeded")]
    told = await engine.sent()
    assert [(sent.topic, sent.key, sent.sequence) for sent in told] == [
        ("notifications.events", str(BOOKING_ID), 1),
        ("notifications.events", str(BOOKING_ID), 2),
    ]
    assert {sent.body["event_id"] for sent in told} == {dict(event.headers)["ce_id"]}


@pytest.mark.requirement("notify-once")
async def test_an_event_that_is_published_again_is_not_mailed_again(engine: Engine) -> None:
    message_id = uuid4()
    await engine.run(record(engine, an(BookingConfirmed), message_id=message_id))
    await engine.run(record(engine, an(BookingConfirmed), message_id=message_id))
    await engine.fetch("DELETE FROM inbox")
    await engine.run(record(engine, an(BookingConfirmed), message_id=message_id))

    assert len(await states(engine)) == 2
    assert len(await engine.fetch("SELECT * FROM gateway_call")) == 2
    assert await engine.fetch("SELECT * FROM dead_letter") == []


@pytest.mark.requirement("notify-once")
async def test_a_result_that_comes_twice_is_told_once(engine: Engine) -> None:
    await engine.run(record(engine, an(booking.SessionCompleted)))
    first, again = await post(engine, Server()), await post(engine, Server())
    await engine.run(*first)
    await engine.run(*again)

    assert len(await engine.sent()) == 1


@pytest.mark.requirement("notify-once")
async def test_numbers_of_outcomes_go_on_without_a_gap(engine: Engine) -> None:
    outcomes: Sequence[Outcome] = (Sent(), Refused("550 no such user"), Sent())
    events = (an(BookingConfirmed), an(booking.BookingRescheduled), an(booking.BookingCancelled))
    for number, (outcome, event) in enumerate(zip(outcomes, events, strict=True), start=1):
        await engine.run(record(engine, event, number))
        await engine.run(*await post(engine, Server(outcome)))

    told = await engine.sent()
    assert [sent.sequence for sent in told] == [1, 2, 3, 4, 5, 6]
    assert [sent.type.split(".")[1] for sent in told] == [
        *["DeliverySucceeded"] * 2,
        *["DeliveryFailed"] * 2,
        *["DeliverySucceeded"] * 2,
    ]
    failed = await engine.fetch("SELECT reason FROM delivery WHERE state = 'failed'")
    assert [row["reason"] for row in failed] == ["550 no such user"] * 2


@pytest.mark.requirement("notify-people")
async def test_what_is_known_of_a_booking_outlives_the_batch(engine: Engine) -> None:
    await engine.run(record(engine, an(booking.BookingRescheduled), 3))
    await engine.run(record(engine, an(payments.RefundFailed)))

    rows = await engine.fetch("SELECT recipient FROM delivery WHERE kind = 'refund_failed' ORDER BY number")
    assert [row["recipient"] for row in rows] == [ADMIN_EMAIL, CUSTOMER_EMAIL, PROVIDER_EMAIL]


async def test_nobody_is_known_once_their_data_is_erased(engine: Engine) -> None:
    await engine.run(record(engine, an(BookingConfirmed)))
    await engine.fetch("UPDATE known_booking SET body = NULL")
    engine.clock.instant = STARTS_AT - days(1)
    await engine.run_local()
    await engine.run(record(engine, an(payments.RefundFailed)))

    rows = await engine.fetch("SELECT recipient FROM delivery WHERE kind <> 'confirmed'")
    assert [row["recipient"] for row in rows] == [ADMIN_EMAIL]


@pytest.mark.requirement("notify-people")
async def test_a_reminder_fires_at_its_time(engine: Engine) -> None:
    await engine.run(record(engine, an(BookingConfirmed)))
    engine.clock.instant = STARTS_AT - days(1.01)
    assert await engine.run_local() == 0
    engine.clock.instant = STARTS_AT - days(1)
    assert await engine.run_local() == 1

    assert len(await engine.fetch("SELECT * FROM delivery WHERE kind = 'reminder'")) == 2


@pytest.mark.requirement("notify-once")
async def test_the_database_refuses_a_second_delivery(engine: Engine) -> None:
    await engine.run(record(engine, an(booking.SessionCompleted)))
    with pytest.raises(asyncpg.UniqueViolationError, match="delivery_once"):
        await engine.fetch(
            """
            INSERT INTO delivery (delivery_id, booking_id, event_id, recipient, channel, kind, audience, created_at)
            SELECT gen_random_uuid(), booking_id, event_id, recipient, channel, kind, audience, created_at
            FROM delivery
            """
        )


@pytest.mark.requirement("notify-once")
async def test_the_database_keeps_what_became_of_a_delivery(engine: Engine) -> None:
    await engine.run(record(engine, an(booking.SessionCompleted)))
    await engine.run(*await post(engine, Server()))
    with pytest.raises(asyncpg.CheckViolationError, match="for ever"):
        await engine.fetch("UPDATE delivery SET state = 'pending', settled_at = NULL")
