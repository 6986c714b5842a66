"""Captures, and what is settled out of the escrow."""

from __future__ import annotations

import pytest
from booking_contracts.payments import CaptureFailed, PaymentSettled, RefundFailed

from services.payments.local_messages import SettleLater
from services.payments.model.payment import Status
from tests.payments.builders import BOOKING, PRICE, World, capture, eur, settle


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
