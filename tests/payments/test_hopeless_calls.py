"""Calls that no further try can help: each ends, visibly, and none makes others wait (requirement retry-mechanism)."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
import stripe
from booking_contracts.payments import CaptureFailed

from services.chassis.gateway_calls import TryAgain
from services.payments import gauges, metrics, operator
from services.payments.local_messages import MISSING
from services.payments.model.payment import Status
from services.payments.stripe_calls.api import judge
from services.payments.stripe_calls.circuit_breaker import FAILURES
from services.payments.stripe_calls.parameters import DashboardRefundCall, DisputeCall, IntentCall, RefundCall
from services.payments.stripe_events.events import told_by
from services.payments.work import Reconciliation
from tests.payments.builders import BOOKING, PAYMENT, World, authorize, capture, settle, void
from tests.payments.test_gateway import KEY, asked
from tests.payments.test_webhooks import an_event
from tests.payments.till import StripeBench, Till, soon

UNKNOWN = "pi_unknown"


@pytest.mark.requirement("retry-mechanism")
async def test_a_key_under_which_another_request_was_sent_is_left_behind(bench: StripeBench) -> None:
    others = [uuid4() for _ in range(FAILURES + 2)]
    for booking_id in others:
        key = f"{booking_id}:authorize:1"
        theirs: Any = {"idempotency_key": key}
        await bench.api.v1.payment_intents.create_async({"amount": 100, "currency": "usd"}, theirs)
        seen = await bench.call("authorize", asked(bench, booking_id=booking_id), key)
        assert not isinstance(seen, TryAgain), seen
        assert seen.status == "requires_capture"  # type: ignore[attr-defined]
    ours = [intent for intent in await bench.state("payment_intents") if intent["metadata"]]
    assert {intent["metadata"]["booking_id"] for intent in ours} == {str(one) for one in others}
    assert len(ours) == len(others)


@pytest.mark.requirement("retry-mechanism")
async def test_a_request_that_a_newer_build_words_otherwise_is_found_not_made_twice(bench: StripeBench) -> None:
    """The first try had its effect under the key, with parameters that this build would not send."""
    ours = {"booking_id": str(BOOKING), "payment_id": str(PAYMENT), "attempt": "1"}
    first: Any = {
        "amount": 4500,
        "currency": "eur",
        "capture_method": "manual",
        "confirm": True,
        "payment_method": "pm_card_visa",
        "transfer_group": str(BOOKING),
        "metadata": ours,
        "description": "of an older build",
    }
    key: Any = {"idempotency_key": KEY}
    made = await bench.api.v1.payment_intents.create_async(first, key)
    seen = await bench.outcome("authorize", asked(bench), KEY)
    assert seen.payment_intent == made.id
    assert len(await bench.state("payment_intents")) == 1


def about(bench: StripeBench) -> IntentCall:
    return IntentCall(booking_id=BOOKING, attempt=1, asked_at=bench.clock.now(), payment_intent=UNKNOWN)


@pytest.mark.requirement("retry-mechanism")
@pytest.mark.parametrize("hours", [0, 25])
@pytest.mark.parametrize("operation", ["retrieve", "capture", "void", "leftover"])
async def test_a_paymentintent_that_stripe_does_not_know_ends_its_calls(
    bench: StripeBench, operation: str, hours: int
) -> None:
    call = about(bench)
    bench.later(hours=hours)
    seen: Any = await bench.call(operation, call, operation)
    assert (seen.status, seen.payment_intent) == (MISSING, UNKNOWN)


@pytest.mark.requirement("retry-mechanism", "refund-logic", "chargebacks")
async def test_refunds_and_disputes_that_stripe_does_not_know_end_their_calls(bench: StripeBench) -> None:
    now = bench.clock.now()
    refund = RefundCall(
        booking_id=BOOKING,
        attempt=1,
        asked_at=now,
        payment_id=PAYMENT,
        refund_id=uuid4(),
        payment_intent=UNKNOWN,
        amount_minor=1,
        tries=1,
        stripe_refund="re_unknown",
    )
    by_hand = DashboardRefundCall(
        asked_at=now, stripe_refund="re_unknown", booking_id=BOOKING, customer_id=None, command_id=None, looked=0
    )
    dispute = DisputeCall(asked_at=now, dispute_id="du_unknown", booking_id=BOOKING)
    calls = [("retrieve_refund", refund), ("dashboard_refund", by_hand), ("dispute", dispute)]
    for operation, call in calls:
        seen: Any = await bench.call(operation, call, operation)
        assert seen.status == MISSING, operation


@pytest.mark.parametrize("status", [401, 403, 418])
def test_only_stripes_absence_opens_the_circuit(status: int) -> None:
    body: Any = {"error": {"type": "invalid_request_error"}}
    found = judge(stripe.PermissionError("no", http_status=status, json_body=body))
    assert isinstance(found, TryAgain)
    assert found.after_seconds is not None
    away = judge(stripe.APIError("away", http_status=500, json_body=body))
    assert isinstance(away, TryAgain)
    assert away.after_seconds is None


def missing(world: World) -> None:
    world.stripe_says(MISSING)


@pytest.mark.requirement("payment-booking-coupling")
def test_a_void_of_what_stripe_does_not_know_is_done() -> None:
    world = World().authorized()
    world.tell(void())
    missing(world)
    assert world.events == ["PaymentAuthorized", "PaymentVoided"]
    assert world.payment.status is Status.VOIDED


@pytest.mark.requirement("payment-booking-coupling", "payment-capture-timing")
def test_a_capture_of_what_stripe_does_not_know_waits_for_a_person() -> None:
    """Booking asks again and then parks its saga; the authorisation is not declared lost on the word of a wrong key."""
    world = World().authorized()
    world.tell(capture())
    missing(world)
    assert world.sent(CaptureFailed) == []
    assert (world.payment.status, world.payment.calling) == (Status.AUTHORIZED, None)
    assert [line.repair for line in world.records(Reconciliation)] == ["missing"]
    world.tell(capture())
    assert world.operations == ["authorize", "capture", "capture"]
    world.stripe_says("succeeded")
    assert world.events[-1] == "PaymentCaptured"


def test_a_settlement_that_waits_goes_on_when_it_is_asked_again() -> None:
    world = World().authorized()
    command = settle(release=4500)
    world.tell(command)
    missing(world)
    world.tell(command)
    world.stripe_says("succeeded")
    assert world.events[-1] == "PaymentSettled"


def test_a_dispute_that_stripe_does_not_know_posts_nothing() -> None:
    world = World().captured()
    world.dispute(MISSING)
    assert "ChargebackOpened" not in world.events
    assert [line.repair for line in world.records(Reconciliation)] == ["missing"]
    world.dispute("needs_response")
    assert world.events[-1] == "ChargebackOpened"


def test_objects_of_connected_accounts_are_not_looked_at() -> None:
    dispute = {"id": "du_1", "payment_intent": "pi_1", "amount": 5, "currency": "eur"}
    event = an_event("charge.dispute.created", dispute)
    assert told_by(event, {}) is not None
    event.body["account"] = "acct_1"
    assert told_by(event, {}) is None


@pytest.mark.requirement("observability", "operations-cli")
async def test_what_stripe_does_not_know_is_seen_once(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)))
    await till.engine.fetch("UPDATE payment SET payment_intent = 'pi_of_another_account'")
    for _ in range(2):
        await till.tell(capture())
    (line,) = await operator.repairs(await till.engine.session.connection(), days=1)
    assert (line["repair"], line["booking_id"]) == ("missing", UUID(int=0xB))
    await gauges.look(till.pool)
    assert metrics.differences.labels("missing")._value.get() == 1
