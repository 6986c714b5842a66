"""What the testkit's System does for other teams beyond what these flows use."""

from __future__ import annotations

import pytest
from booking_contracts.booking import BookingConfirmed
from booking_contracts.testkit.stripe_control import CREATE
from booking_contracts.testkit.system import System


@pytest.mark.requirement("testkit")
async def test_a_provider_has_a_second_offering(system: System) -> None:
    studio = await system.studio()
    other = await system.offering(studio.provider_id, days_ahead=7, title="Violin lesson")

    booked = [await system.book(studio), await system.book(other)]

    assert studio.provider_id == other.provider_id
    titles = [(await system.client.outcome(one.booking_id, BookingConfirmed)).offering_title for one in booked]
    assert titles == ["Piano lesson", "Violin lesson"]


@pytest.mark.requirement("testkit")
async def test_customers_are_new_and_their_mails_are_their_own(system: System) -> None:
    studio = await system.studio(capacity=2)
    ada, lin = await system.book(studio), await system.book(studio)
    assert ada.customer.id != lin.customer.id

    mail = await system.mail(ada.customer.email, "confirmed")
    await system.mail(lin.customer.email, "confirmed")

    assert {to for one in await system.mails(ada.customer.email) for to in one["recipients"]} == {ada.customer.email}
    assert mail in await system.mails()


@pytest.mark.requirement("testkit")
async def test_the_webhooks_of_a_booking_are_its_own(system: System) -> None:
    studio = await system.studio(capacity=2)
    ada, lin = await system.book(studio), await system.book(studio)

    told = await system.webhook(ada.booking_id, "payment_intent.succeeded")
    await system.webhook(lin.booking_id, "payment_intent.succeeded")

    (intent,) = await system.stripe.payment_intents(ada.booking_id)
    assert (told["data"]["object"]["id"], told["deliveries"]) == (intent["id"], 1)
    assert {event["data"]["object"]["id"] for event in await system.webhooks(ada.booking_id)} == {intent["id"]}
    assert len(await system.webhooks()) > len(await system.webhooks(ada.booking_id))


@pytest.mark.requirement("testkit")
async def test_a_fault_ends_with_its_block_and_leaves_those_around_it(system: System) -> None:
    async def kinds() -> list[str]:
        return [fault["kind"] for fault in await system.stripe.control("GET", "/faults")]

    async def fails_inside() -> None:
        async with system.stripe.fail("lost", "webhook"):
            assert await kinds() == ["latency", "lost"]
            raise ZeroDivisionError

    async with system.stripe.fail("latency", CREATE, seconds=0.01):
        with pytest.raises(ZeroDivisionError):
            await fails_inside()
        assert await kinds() == ["latency"]
    assert await kinds() == []


@pytest.mark.requirement("testkit")
async def test_a_fault_that_is_spent_does_not_come_again_with_a_block_inside(system: System) -> None:
    async def left() -> list[int]:
        return [fault["count"] for fault in await system.stripe.control("GET", "/faults")]

    async with system.stripe.fail("500", count=1):
        booked = await system.book(await system.studio())
        await system.client.outcome(booked.booking_id, BookingConfirmed)
        async with system.stripe.fail("500", "refunds.create", count=2):
            assert await left() == [0, 2]
        assert await left() == [0]


async def test_all_that_was_heard_is_in_the_order_of_time(system: System) -> None:
    booked = await system.book(await system.studio())
    await system.client.outcome(booked.booking_id, BookingConfirmed)

    times = [received.envelope.time for received in system.client.heard()]

    assert times == sorted(times)
    assert set(system.client.received(booked.booking_id)) <= set(system.client.heard())
