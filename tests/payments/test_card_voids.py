"""Authorisations that are given back, in whatever order void, result and capture come."""

from __future__ import annotations

import pytest
from booking_contracts.payments import PaymentVoided, RefundSucceeded

from services.payments.model.payment import Status
from tests.payments.builders import BOOKING, PRICE, World, authorize, capture, eur, void


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
