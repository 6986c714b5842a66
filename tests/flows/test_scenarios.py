"""What customers do: leave the form, meet a full slot, pass, fail or ignore 3-D Secure, name their card later."""

from __future__ import annotations

from typing import Any

import pytest
from booking_contracts.booking import BookingExpired, PaymentActionRequired, PaymentFailed
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import customer_actor
from booking_contracts.testkit.system import Studio, System
from booking_contracts.types import PaymentChoice

from tests.flows.story import ends_paid, ends_unpaid, seats_left

FORM = PaymentChoice(method="card")
"""The customer will name the card in a form of Stripe's, in the browser."""
CHALLENGED = "pm_card_authenticationRequired"


async def waits_for_customer(system: System, studio: Studio, who: str, kind: str, **fields: Any) -> Any:
    """A booking that waits for its customer; returns the command."""
    command = system.place(studio, who, **fields)
    await system.accepted(command)
    event = await system.client.outcome(command.booking_id, PaymentActionRequired)
    assert event.kind == kind
    await system.payment_in(command.booking_id, "requires_action")
    assert await seats_left(system, studio) == 0
    return command


@pytest.mark.requirement("failure-handling")
async def test_the_form_is_closed_and_the_slot_booked_again_at_once(system: System) -> None:
    studio = await system.studio()
    first = await waits_for_customer(system, studio, "ada", "payment_method", payment=FORM)
    abandon = sample.abandon_payment(booking_id=first.booking_id, actor=customer_actor("ada"))
    assert (await system.accepted(abandon)).state == "PAYMENT_FAILED"
    assert await seats_left(system, studio) == 1
    second = system.place(studio, "ada")
    await system.accepted(second)
    assert (await system.client.outcome(first.booking_id, PaymentFailed)).reason == "abandoned"
    await ends_paid(system, studio, second.booking_id)
    await ends_unpaid(system, studio, first.booking_id, "PAYMENT_FAILED", left=0)


@pytest.mark.requirement("failure-handling")
async def test_the_browser_is_closed_without_a_word_and_the_slot_booked_again_at_once(system: System) -> None:
    studio = await system.studio()
    first = await waits_for_customer(system, studio, "ben", "payment_method", payment=FORM)
    second = system.place(studio, "ben")
    await system.accepted(second)
    assert (await system.client.outcome(first.booking_id, PaymentFailed)).reason == "superseded"
    await ends_paid(system, studio, second.booking_id)
    await ends_unpaid(system, studio, first.booking_id, "PAYMENT_FAILED", left=0)


@pytest.mark.requirement("failure-handling", "conflict-check")
async def test_somebody_elses_unpaid_booking_holds_the_slot(system: System) -> None:
    studio = await system.studio()
    first = await waits_for_customer(system, studio, "cleo", "payment_method", payment=FORM)
    assert (await system.rejected(system.place(studio, "dan"))).code == "SLOT_FULL"
    await system.accepted(sample.abandon_payment(booking_id=first.booking_id, actor=customer_actor("cleo")))
    second = system.place(studio, "dan")
    await system.accepted(second)
    await ends_paid(system, studio, second.booking_id)


@pytest.mark.requirement("overbooking-prevention", "conflict-check")
async def test_two_seats_refuse_the_third(system: System) -> None:
    studio = await system.studio(capacity=2)
    placed = [system.place(studio, who) for who in ("eva", "finn")]
    for command in placed:
        await system.accepted(command)
    third = system.place(studio, "gus")
    refused = await system.rejected(third)
    assert (refused.code, refused.details["seats_left"]) == ("SLOT_FULL", 0)
    for command in placed:
        await ends_paid(system, studio, command.booking_id)
    assert (await system.try_get("booking", f"/v1/bookings/{third.booking_id}"))[0] == 404
    assert await system.stripe.payment_intents(third.booking_id) == []


@pytest.mark.requirement("requires-action")
async def test_three_d_secure_is_passed(system: System) -> None:
    studio = await system.studio()
    command = await waits_for_customer(system, studio, "hana", "authenticate", card=CHALLENGED)
    (intent,) = await system.stripe.payment_intents(command.booking_id)
    await system.stripe.control("POST", f"/authenticate/{intent['id']}", {"success": True})
    await ends_paid(system, studio, command.booking_id)


@pytest.mark.requirement("requires-action", "failure-handling")
async def test_three_d_secure_is_failed(system: System) -> None:
    studio = await system.studio()
    command = await waits_for_customer(system, studio, "ivo", "authenticate", card=CHALLENGED)
    (intent,) = await system.stripe.payment_intents(command.booking_id)
    await system.stripe.control("POST", f"/authenticate/{intent['id']}", {"success": False})
    assert (await system.client.outcome(command.booking_id, PaymentFailed)).reason == "action_failed"
    await ends_unpaid(system, studio, command.booking_id, "PAYMENT_FAILED")


@pytest.mark.requirement("requires-action", "time-slot-lock", "late-payment")
async def test_three_d_secure_is_ignored_until_the_hold_ends(system: System) -> None:
    studio = await system.studio()
    command = await waits_for_customer(system, studio, "jana", "authenticate", card=CHALLENGED)
    await system.clock.advance(minutes=15)
    assert await seats_left(system, studio) == 1
    assert (await system.client.outcome(command.booking_id, BookingExpired)).reason == "payment"
    await ends_unpaid(system, studio, command.booking_id, "EXPIRED")
    (intent,) = await system.stripe.payment_intents(command.booking_id)
    assert intent["status"] == "canceled"


@pytest.mark.requirement("requires-action", "payment-booking-coupling")
async def test_the_card_is_named_later_in_the_browser(system: System) -> None:
    studio = await system.studio()
    command = await waits_for_customer(system, studio, "kai", "payment_method", payment=FORM)
    answer = await system.get("payments", f"/v1/payments/{command.booking_id}/client-secret")
    secret = answer["client_secret"]
    intent_id = secret.partition("_secret_")[0]
    url = f"{system.env['STRIPE_API_BASE']}/v1/payment_intents/{intent_id}/confirm"
    form = {"client_secret": secret, "payment_method": "pm_card_visa"}
    async with system.http.post(url, data=form) as response:
        assert response.status == 200, await response.text()
    intent = await ends_paid(system, studio, command.booking_id)
    assert intent["id"] == intent_id
    heard = b"".join(received.envelope.body for received in system.client.received(command.booking_id))
    assert secret.encode() not in heard
