"""Which differences between Stripe and us are repaired how (requirement payment-booking-coupling)."""

from __future__ import annotations

import pytest

from services.payments.local_messages import Found, LookAgain
from services.payments.model.reconciliation import CANCELABLE, Finding, Repair, repair
from services.payments.work import Reconciliation
from tests.payments.builders import BOOKING, INTENT, World, authorize, capture, void


def of(status: str, intent: str = INTENT, attempt: int = 1) -> Finding:
    return Finding(intent, attempt, status)


@pytest.mark.requirement("payment-booking-coupling")
@pytest.mark.parametrize("status", sorted(CANCELABLE))
def test_an_orphan_that_may_reserve_money_is_cancelled(status: str) -> None:
    assert repair(None, of(status)) is Repair.CANCEL
    assert repair(World().captured().payment, of(status, "pi_other", attempt=2)) is Repair.CANCEL


@pytest.mark.requirement("payment-booking-coupling")
def test_an_orphan_that_was_captured_is_reported() -> None:
    assert repair(None, of("succeeded")) is Repair.REPORT
    assert repair(None, of("canceled")) is Repair.NOTHING


def test_a_paymentintent_whose_answer_is_on_the_way_is_left_alone() -> None:
    world = World()
    world.tell(authorize())
    assert repair(world.payment, of("requires_capture")) is Repair.NOTHING


@pytest.mark.parametrize(
    ("status", "chosen"),
    [("requires_capture", Repair.NOTHING), ("succeeded", Repair.LOOK), ("canceled", Repair.LOOK)],
)
def test_a_payment_that_lags_behind_is_looked_at(status: str, chosen: Repair) -> None:
    assert repair(World().authorized().payment, of(status)) is chosen


def test_a_voided_payments_authorisation_is_cancelled() -> None:
    world = World().authorized()
    world.tell(void())
    world.stripe_says("canceled")
    assert repair(world.payment, of("requires_capture")) is Repair.CANCEL
    assert repair(world.payment, of("canceled")) is Repair.NOTHING


@pytest.mark.requirement("payment-booking-coupling")
def test_what_was_found_is_repaired_and_recorded() -> None:
    world = World().authorized()
    world.tell(Found(booking_id=BOOKING, attempt=1, payment_intent=INTENT, status="succeeded"))
    assert world.operations[-1] == "retrieve"
    world.stripe_says("succeeded")
    assert world.events[-1] == "PaymentCaptured"
    world.tell(Found(booking_id=BOOKING, attempt=2, payment_intent="pi_orphan", status="requires_capture"))
    assert world.operations[-1] == "leftover"
    assert [line.repair for line in world.records(Reconciliation)] == ["look", "cancel"]


def test_what_is_right_by_now_is_left_alone() -> None:
    world = World().captured()
    world.tell(Found(booking_id=BOOKING, attempt=1, payment_intent=INTENT, status="succeeded"))
    assert world.operations == ["authorize", "capture"]


@pytest.mark.requirement("webhooks")
def test_a_payment_that_has_waited_long_is_looked_at_once() -> None:
    world = World()
    world.tell(authorize())
    world.tell(LookAgain(booking_id=BOOKING))
    assert world.operations == ["authorize"]
    world.stripe_says("requires_action")
    world.tell(LookAgain(booking_id=BOOKING))
    world.tell(LookAgain(booking_id=BOOKING))
    assert world.operations == ["authorize", "retrieve"]
    world.stripe_says("requires_capture")
    world.tell(capture())
    world.stripe_says("succeeded")
    world.tell(LookAgain(booking_id=BOOKING))
    assert world.operations == ["authorize", "retrieve", "capture"]
