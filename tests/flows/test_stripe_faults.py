"""What goes wrong between payments and Stripe: whatever it is, the customer pays once or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from booking_contracts.booking import BookingConfirmed, BookingExpired
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import customer_actor
from booking_contracts.testkit.system import System
from booking_contracts.testkit.waiting import eventually

from tests.flows.story import ends_paid, ends_unpaid, requests, seats_left
from tests.flows.test_scenarios import CHALLENGED, waits_for_customer

CREATE, CAPTURE = "payment_intents.create", "payment_intents.capture"
OPERATIONS = [(CREATE, "authorize"), (CAPTURE, "capture")]


@pytest.mark.parametrize(("operation", "word"), OPERATIONS)
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"kind": "timeout_after", "seconds": 1, "count": 1}, id="answer lost after the effect"),
        pytest.param({"kind": "timeout_before", "seconds": 1, "count": 1}, id="request lost"),
        pytest.param({"kind": "connection_reset", "count": 2}, id="connection reset twice"),
        pytest.param({"kind": "429", "count": 2}, id="too many requests"),
    ],
)
@pytest.mark.requirement("retry-mechanism")
async def test_a_call_without_an_answer_is_repeated_under_its_key(
    system: System, operation: str, word: str, fault: dict[str, Any]
) -> None:
    studio = await system.studio()
    command = system.place(studio, "lea")
    async with system.stripe.faults({"operation": operation, **fault}):
        await system.accepted(command)
        await ends_paid(system, studio, command.booking_id, seconds=25)
        assert await system.stripe.fired() == fault["count"]
    assert len(await system.stripe.payment_intents(command.booking_id)) == 1
    tries = await requests(system, command.booking_id, word)
    assert {one["idempotency_key"] for one in tries} == {f"{command.booking_id}:{word}:1"}
    assert len(tries) == fault["count"] + 1
    assert len({str(sorted(one["params"].items())) for one in tries}) == 1


@pytest.mark.parametrize(("operation", "word"), OPERATIONS)
@pytest.mark.parametrize("effect", [True, False], ids=["and the work was done", "and nothing was done"])
@pytest.mark.requirement("retry-mechanism")
async def test_a_server_error_kept_under_the_key_is_looked_into(
    system: System, operation: str, word: str, effect: bool
) -> None:
    studio = await system.studio()
    command = system.place(studio, "mia")
    async with system.stripe.faults({"operation": operation, "kind": "500", "effect": effect, "count": 1}):
        await system.accepted(command)
        await ends_paid(system, studio, command.booking_id, seconds=25)
        assert await system.stripe.fired() == 1
    assert len(await system.stripe.payment_intents(command.booking_id)) == 1
    keys = {one["idempotency_key"] for one in await requests(system, command.booking_id, word)}
    assert len(keys) == (1 if effect else 2)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"kind": "lost"}, id="lost"),
        pytest.param({"kind": "late", "seconds": 2}, id="late"),
        pytest.param({"kind": "duplicate"}, id="twice"),
        pytest.param({"kind": "reordered"}, id="out of order"),
    ],
)
@pytest.mark.requirement("webhooks", "requires-action")
async def test_a_webhook_goes_astray(system: System, fault: dict[str, Any]) -> None:
    studio = await system.studio()
    command = await waits_for_customer(system, studio, "nora", "authenticate", card=CHALLENGED)
    (intent,) = await system.stripe.payment_intents(command.booking_id)
    async with system.stripe.faults({"operation": "webhook", **fault}):
        await system.stripe.control("POST", f"/authenticate/{intent['id']}", {"success": True})
        await ends_paid(system, studio, command.booking_id, seconds=40)
        assert await system.stripe.fired() > 0
    captures = await requests(system, command.booking_id, "capture")
    assert len(captures) == 1
    confirmed = [e for e in system.client.events(command.booking_id) if isinstance(e, BookingConfirmed)]
    assert len(confirmed) == 1


async def _asked_and_waiting(system: System, command: Any) -> None:
    """Stripe has the request to authorise and takes its time."""

    async def asked() -> int:
        return await system.stripe.fired()

    await system.accepted(command)
    await eventually("Stripe was asked", asked)


@pytest.mark.requirement("late-payment", "slot-availability-recheck")
async def test_an_authorisation_that_comes_after_the_cancellation_is_voided(system: System) -> None:
    studio = await system.studio()
    command = system.place(studio, "olaf")
    async with system.stripe.faults({"operation": CREATE, "kind": "latency", "seconds": 3, "count": 1}):
        await _asked_and_waiting(system, command)
        cancel = sample.cancel_booking(booking_id=command.booking_id, actor=customer_actor("olaf"))
        cancelled = await system.accepted(cancel)
        assert cancelled.state == "CANCELLED_BY_CUSTOMER"
        assert await seats_left(system, studio) == 1
        await system.payment_in(command.booking_id, "voided")
    await ends_unpaid(system, studio, command.booking_id, "CANCELLED_BY_CUSTOMER")
    (intent,) = await system.stripe.payment_intents(command.booking_id)
    assert intent["status"] == "canceled"


@pytest.mark.requirement("late-payment", "slot-availability-recheck", "time-slot-lock")
async def test_an_authorisation_that_comes_after_the_hold_is_voided(system: System) -> None:
    studio = await system.studio()
    command = system.place(studio, "pia")
    async with system.stripe.faults({"operation": CREATE, "kind": "latency", "seconds": 3, "count": 1}):
        await _asked_and_waiting(system, command)
        await system.clock.advance(minutes=15)
        await system.client.outcome(command.booking_id, BookingExpired)
        await system.payment_in(command.booking_id, "voided")
    await ends_unpaid(system, studio, command.booking_id, "EXPIRED")
    confirmed = [e for e in system.client.events(command.booking_id) if isinstance(e, BookingConfirmed)]
    assert confirmed == []


@pytest.mark.requirement("refund-logic", "cancellation-state-machine")
async def test_a_cancellation_meets_the_capture(system: System) -> None:
    studio = await system.studio()
    command = system.place(studio, "quin")
    async with system.stripe.faults({"operation": CAPTURE, "kind": "latency", "seconds": 2, "count": 1}):
        await system.accepted(command)
        await system.client.outcome(command.booking_id, BookingConfirmed)
        await eventually("the capture is on its way", lambda: system.stripe.fired())
        cancel = sample.cancel_booking(booking_id=command.booking_id, actor=customer_actor("quin"))
        accepted = await system.accepted(cancel)
        assert accepted.result["refund"] == {"amount": 4500, "currency": "EUR"}
        payment = await system.payment_in(command.booking_id, "settled", 25)
    assert payment["refunded"] == payment["captured"]
    assert payment["escrow"]["amount"] == 0
    state = await system.stripe.state()
    (intent,) = await system.stripe.payment_intents(command.booking_id)
    back = sum(one["amount"] for one in state["refunds"] if one["payment_intent"] == intent["id"])
    assert back == intent["amount_received"]
    await system.booking_in(command.booking_id, "CANCELLED_BY_CUSTOMER")
    assert await seats_left(system, studio) == 1
