"""The card path: given a payment, when commands and Stripe's answers, then events and calls."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID

import pytest
from booking_contracts.payments import (
    CaptureFailed,
    PaymentActionRequired,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDeclined,
    PaymentSettled,
    PaymentVoided,
    RefundFailed,
    RefundSucceeded,
)
from booking_contracts.types import PaymentChoice, Price

from services.payments.model.payment import Operation, Status
from services.payments.outcomes import AuthorizeLater, IntentChanged, SettleLater
from tests.payments.builders import (
    BOOKING,
    INTENT,
    NOW,
    PRICE,
    World,
    authorize,
    capture,
    eur,
    settle,
    void,
)


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
def test_an_authorisation_asked_for_too_late_is_declined_without_a_call() -> None:
    world = World(now=NOW + timedelta(minutes=15))
    world.tell(authorize())
    assert world.last(PaymentDeclined).code == "expired"
    assert world.calls == []


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


@pytest.mark.requirement("late-payment")
def test_a_void_waits_for_the_result_in_flight_and_then_voids_it() -> None:
    world = World()
    world.tell(authorize())
    world.tell(void())
    assert (world.operations, world.events) == (["authorize"], [])
    world.stripe_says("requires_capture")
    assert world.operations == ["authorize", "void"]
    assert world.calls[-1].idempotency_key == f"{BOOKING}:void:1"
    world.stripe_says("canceled")
    assert world.events == ["PaymentAuthorized", "PaymentVoided"]
    assert world.payment.status is Status.VOIDED


@pytest.mark.requirement("late-payment")
@pytest.mark.parametrize("status", ["requires_action", "requires_payment_method"])
def test_a_dead_bookings_paymentintent_is_cancelled_in_every_state(status: str) -> None:
    world = World()
    world.tell(authorize())
    world.stripe_says(status)
    world.tell(void())
    world.stripe_says("canceled")
    assert world.events == ["PaymentActionRequired", "PaymentVoided"]


@pytest.mark.requirement("late-payment")
def test_a_void_that_comes_first_keeps_its_attempt_and_older_ones_from_being_charged() -> None:
    world = World()
    world.tell(void(2))
    assert world.last(PaymentVoided).attempt == 2
    for attempt in (1, 2):
        world.tell(authorize(attempt))
        assert world.last(PaymentVoided).attempt == attempt
    assert world.calls == []
    world.tell(authorize(3))
    assert world.operations == ["authorize"]


def test_a_void_is_always_answered() -> None:
    world = World()
    world.tell(authorize())
    world.stripe_says("requires_payment_method", error_code="card_declined", decline_code="generic_decline")
    world.tell(void())
    world.tell(void())
    assert world.events == ["PaymentDeclined", "PaymentVoided", "PaymentVoided"]


def test_a_decline_of_a_voided_attempt_is_answered_as_a_void() -> None:
    world = World()
    world.tell(authorize())
    world.tell(void())
    world.stripe_says("requires_payment_method", error_code="card_declined", decline_code="generic_decline")
    assert world.events == ["PaymentVoided"]


@pytest.mark.requirement("late-payment", "refund-logic")
def test_a_void_that_finds_the_money_captured_gives_it_all_back_once() -> None:
    world = World().captured()
    world.tell(void())
    assert world.last(PaymentVoided).attempt == 1
    world.refund_is("succeeded")
    world.tell(void())
    assert world.operations == ["authorize", "capture", "refund"]
    assert world.last(RefundSucceeded).amount == eur(PRICE)
    assert (world.payment.escrow_minor, world.payment.refunded_minor) == (0, PRICE)


@pytest.mark.requirement("late-payment")
def test_a_void_behind_a_capture_in_flight_refunds_what_was_captured() -> None:
    world = World().authorized()
    world.tell(capture())
    world.tell(void())
    world.stripe_says("succeeded")
    assert world.events == ["PaymentAuthorized", "PaymentCaptured", "PaymentVoided"]
    assert world.operations[-1] == "refund"


@pytest.mark.requirement("payment-capture-timing")
def test_a_capture_of_an_attempt_that_was_never_authorised_fails() -> None:
    world = World()
    world.tell(capture())
    assert world.last(CaptureFailed).code == "not_authorized"
    assert world.calls == []


@pytest.mark.requirement("payment-capture-timing")
def test_an_authorisation_that_is_gone_fails_the_capture() -> None:
    world = World().authorized()
    world.tell(capture())
    world.stripe_says("canceled", error_code="payment_intent_unexpected_state")
    assert world.events[-1] == "CaptureFailed"
    assert world.payment.status is Status.VOIDED


def test_an_authorisation_that_ends_by_itself_is_told() -> None:
    world = World().authorized()
    world.event("canceled")
    world.stripe_says("canceled")
    assert world.events == ["PaymentAuthorized", "PaymentVoided"]


def test_a_capture_that_stripe_refuses_for_good_gives_the_authorisation_back() -> None:
    world = World().authorized()
    world.tell(capture())
    world.stripe_says("requires_capture", error_code="capture_charge_authorization_expired")
    assert world.last(CaptureFailed).code == "capture_charge_authorization_expired"
    assert world.operations[-1] == "void"


@pytest.mark.requirement("refund-logic")
def test_a_settlement_before_the_capture_with_nothing_to_release_is_a_void() -> None:
    world = World().authorized()
    world.tell(settle(refund=PRICE))
    world.stripe_says("canceled")
    settled = world.last(PaymentSettled)
    assert (settled.via, settled.refund, settled.release) == ("void", eur(PRICE), eur(0))
    assert world.events == ["PaymentAuthorized", "PaymentSettled"]
    assert world.entries == []


@pytest.mark.requirement("refund-logic", "escrow")
def test_a_settlement_before_the_capture_with_a_release_captures_first() -> None:
    world = World().authorized()
    world.tell(settle(refund=2000, release=2500))
    world.stripe_says("succeeded")
    assert world.events == ["PaymentAuthorized", "PaymentCaptured", "PaymentSettled"]
    assert world.last(PaymentSettled).provider_amount == eur(2250)
    assert world.calls[-1].idempotency_key == f"{BOOKING}:refund:1"


def test_a_settlement_waits_for_a_capture_in_flight() -> None:
    world = World().authorized()
    world.tell(capture())
    world.tell(settle(refund=PRICE))
    assert world.operations == ["authorize", "capture"]
    world.stripe_says("succeeded")
    assert world.events[-2:] == ["PaymentCaptured", "PaymentSettled"]
    assert world.last(PaymentSettled).via == "refund"


@pytest.mark.requirement("refund-logic")
def test_the_same_settlement_is_posted_once() -> None:
    world = World().captured()
    command = settle(refund=2000, release=2500)
    for _ in range(3):
        world.tell(command)
    first, *again = world.sent(PaymentSettled)
    assert again == [first, first]
    assert world.operations.count("refund") == 1


def test_a_settlement_without_any_payment_is_answered() -> None:
    world = World()
    world.tell(settle(refund=PRICE))
    assert world.last(PaymentSettled).via == "void"


def test_a_second_settlement_waits_for_the_first() -> None:
    world = World().authorized()
    world.tell(settle(refund=PRICE))
    world.tell(settle(release=PRICE))
    assert len(world.reminders(SettleLater)) == 1


def test_what_an_earlier_settlement_left_can_be_settled() -> None:
    world = World().captured()
    world.tell(settle(refund=1000))
    assert world.payment.status == "captured"
    world.tell(settle(release=3500))
    assert world.payment.status == "settled"
    assert world.last(PaymentSettled).release == eur(3500)


@pytest.mark.requirement("refund-logic")
def test_a_refund_is_followed_to_the_end_even_if_it_fails_after_it_succeeded() -> None:
    world = World().captured()
    world.tell(settle(refund=PRICE))
    world.refund_is("pending")
    assert "RefundSucceeded" not in world.events
    world.refund_event("succeeded")
    world.refund_is("succeeded")
    world.refund_event("failed")
    world.refund_is("failed", "expired_or_canceled_card")
    assert world.events[-2:] == ["RefundSucceeded", "RefundFailed"]
    assert world.last(RefundFailed).code == "expired_or_canceled_card"


@pytest.mark.requirement("webhooks")
@pytest.mark.parametrize("kind", ["amount_capturable_updated", "succeeded", "payment_failed", "requires_action"])
def test_an_event_that_the_row_already_shows_is_ignored(kind: str) -> None:
    world = World().captured()
    world.event(kind)
    assert world.operations == ["authorize", "capture"]


@pytest.mark.requirement("webhooks")
def test_an_event_during_a_call_is_looked_at_afterwards() -> None:
    world = World()
    world.tell(authorize())
    world.event("amount_capturable_updated")
    (reminder,) = world.reminders(IntentChanged)
    assert reminder.due_at > NOW
    assert world.operations == ["authorize"]
    world.stripe_says("requires_capture")
    world.tell(reminder.body)
    assert world.operations == ["authorize"]


@pytest.mark.requirement("webhooks")
def test_events_of_other_attempts_and_unknown_bookings_are_ignored() -> None:
    world = World().authorized()
    world.event("canceled", attempt=7)
    world.event("canceled", payment_intent="pi_other")
    world.event("canceled", booking_id=UUID(int=99))
    assert world.operations == ["authorize"]


@pytest.mark.requirement("webhooks")
def test_a_capture_outside_of_the_system_is_posted() -> None:
    world = World().authorized()
    world.event("succeeded")
    assert world.calls[-1].operation == Operation.RETRIEVE
    world.stripe_says("succeeded")
    assert world.last(PaymentCaptured).amount == eur(PRICE)


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


def test_what_stripe_tells_belongs_to_the_command_that_began_it() -> None:
    world = World()
    world.tell(authorize(), correlation_id="my-request-7")
    world.stripe_says("requires_action")
    world.event("amount_capturable_updated")
    world.stripe_says("requires_capture")
    assert {send.cause.correlation_id for send in world.sends if send.cause} == {"my-request-7"}
