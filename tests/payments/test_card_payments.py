"""Card payments until the money is reserved: authorisations, declines, and payers who have to act."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from booking_contracts.payments import PaymentActionRequired, PaymentAuthorized, PaymentDeclined
from booking_contracts.types import PaymentChoice, Price

from services.payments.local_messages import AuthorizeLater
from tests.payments.builders import BOOKING, INTENT, NOW, PRICE, World, authorize, capture, eur, settle


@pytest.mark.requirement("payment-capture-timing", "payment-booking-coupling", "retry-mechanism")
def test_an_authorisation_is_a_call_under_a_deterministic_key() -> None:
    world = World()
    world.tell(authorize())
    (call,) = world.calls
    assert call.idempotency_key == f"{BOOKING}:authorize:1"
    assert call.subject == str(BOOKING)
    parameters = json.loads(call.parameters)
    assert (parameters["booking_id"], parameters["attempt"]) == (str(BOOKING), 1)
    assert (parameters["amount_minor"], parameters["currency"]) == (PRICE, "eur")
    assert world.events == []
    world.stripe_says("requires_capture")
    assert world.last(PaymentAuthorized).amount == eur(PRICE)
    assert world.last(PaymentAuthorized).payment_intent == INTENT
    assert world.payment.captured_minor == 0


@pytest.mark.requirement("retry-mechanism", "saga")
def test_asked_again_it_says_its_last_outcome_and_calls_nobody() -> None:
    world = World()
    world.tell(authorize())
    world.tell(authorize())
    assert world.operations == ["authorize"]
    world.stripe_says("requires_capture")
    world.tell(authorize())
    world.tell(capture())
    world.tell(capture())
    world.stripe_says("succeeded")
    world.tell(capture())
    assert world.operations == ["authorize", "capture"]
    assert world.events == ["PaymentAuthorized"] * 2 + ["PaymentCaptured"] * 2


@pytest.mark.requirement("ordering")
def test_events_of_a_booking_have_a_sequence_without_gaps() -> None:
    world = World().captured()
    world.tell(settle(release=PRICE))
    assert [send.sequence for send in world.sends] == [1, 2, 3]


@pytest.mark.requirement("failure-handling")
def test_a_decline_names_its_code_and_the_paymentintent_goes() -> None:
    world = World()
    world.tell(authorize())
    world.stripe_says("requires_payment_method", error_code="card_declined", decline_code="insufficient_funds")
    declined = world.last(PaymentDeclined)
    assert (declined.code, declined.retryable) == ("INSUFFICIENT_FUNDS", True)
    assert world.operations == ["authorize", "leftover"]
    assert world.calls[-1].subject != str(BOOKING)
    world.tell(authorize(2))
    assert world.calls[-1].idempotency_key == f"{BOOKING}:authorize:2"


@pytest.mark.requirement("failure-handling")
def test_a_refused_amount_is_a_decline_that_no_retry_helps() -> None:
    world = World()
    world.tell(authorize())
    world.stripe_says("", error_code="amount_too_small")
    assert (world.last(PaymentDeclined).code, world.last(PaymentDeclined).retryable) == ("amount_too_small", False)
    assert world.operations == ["authorize"]


def test_a_currency_that_stripe_counts_otherwise_is_not_charged() -> None:
    world = World()
    world.tell(authorize(amount=Price(amount=4500, currency="ISK")))
    assert (world.last(PaymentDeclined).code, world.calls) == ("currency_not_supported", [])


@pytest.mark.requirement("late-payment")
def test_an_authorisation_asked_for_too_late_is_looked_for_and_declined() -> None:
    world = World(now=NOW + timedelta(minutes=15))
    world.tell(authorize())
    (call,) = world.calls
    assert json.loads(call.parameters)["look_only"]
    world.stripe_says("", error_code="expired")
    assert (world.last(PaymentDeclined).code, world.operations) == ("expired", ["authorize"])


@pytest.mark.requirement("requires-action")
def test_without_a_payment_method_the_payer_is_asked_for_one() -> None:
    world = World()
    world.tell(authorize(payment=PaymentChoice(method="card")))
    world.stripe_says("requires_payment_method")
    assert world.last(PaymentActionRequired).kind == "payment_method"
    world.event("requires_action")
    world.stripe_says("requires_action")
    assert world.last(PaymentActionRequired).kind == "authenticate"
    world.event("amount_capturable_updated")
    world.stripe_says("requires_capture")
    assert world.events[-1] == "PaymentAuthorized"


@pytest.mark.requirement("requires-action")
def test_a_payer_who_fails_3d_secure_is_declined() -> None:
    world = World()
    world.tell(authorize())
    world.stripe_says("requires_action")
    assert world.last(PaymentActionRequired).kind == "authenticate"
    world.event("payment_failed")
    world.stripe_says("requires_payment_method", error_code="payment_intent_authentication_failure")
    assert world.last(PaymentDeclined).code == "action_failed"


def test_a_newer_attempt_waits_until_the_older_one_is_voided() -> None:
    world = World().authorized()
    world.tell(authorize(2))
    (later,) = world.reminders(AuthorizeLater)
    assert world.operations == ["authorize", "void"]
    world.stripe_says("canceled")
    world.tell(later.body)
    assert world.calls[-1].idempotency_key == f"{BOOKING}:authorize:2"


def test_a_paid_booking_is_not_charged_again() -> None:
    world = World().captured()
    world.tell(authorize(2))
    assert (world.last(PaymentDeclined).code, world.last(PaymentDeclined).attempt) == ("already_paid", 2)
    assert world.payment.attempt == 1
