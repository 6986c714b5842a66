"""The gateway at the simulator: whatever goes wrong on the way, each call has its effect once."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from services.chassis.gateway_calls import TryAgain
from services.payments.local_messages import MISSING, IntentSeen, LeftoverCancelled, RefundSeen, TopUpSeen
from services.payments.stripe_calls.circuit_breaker import FAILURES, OPEN_SECONDS, PROBE_SECONDS, CircuitBreaker
from services.payments.stripe_calls.parameters import AuthorizeCall, DisputeCall, IntentCall, RefundCall, TopUpCall
from services.payments.stripe_calls.payment_intent_mapping import new_intent
from services.payments.stripe_calls.refunds import new_refund
from tests.payments.builders import BOOKING, PAYMENT, PRICE
from tests.payments.till import StripeBench

KEY = f"{BOOKING}:authorize:1"


def asked(bench: StripeBench, card: str | None = "pm_card_visa", **changes: Any) -> AuthorizeCall:
    fields: dict[str, Any] = {
        "booking_id": BOOKING,
        "attempt": 1,
        "asked_at": bench.clock.now(),
        "payment_id": PAYMENT,
        "amount_minor": PRICE,
        "currency": "eur",
        "payment_method": card,
    }
    return AuthorizeCall(**{**fields, **changes})


def about(bench: StripeBench, seen: IntentSeen) -> IntentCall:
    assert seen.payment_intent is not None
    return IntentCall(booking_id=BOOKING, attempt=1, asked_at=bench.clock.now(), payment_intent=seen.payment_intent)


def a_refund(bench: StripeBench, seen: IntentSeen, amount: int = PRICE) -> RefundCall:
    assert seen.payment_intent is not None
    return RefundCall(
        booking_id=BOOKING,
        attempt=1,
        asked_at=bench.clock.now(),
        payment_id=PAYMENT,
        refund_id=uuid4(),
        payment_intent=seen.payment_intent,
        amount_minor=amount,
        tries=1,
    )


async def authorized(bench: StripeBench) -> IntentSeen:
    seen = await bench.outcome("authorize", asked(bench), KEY)
    assert isinstance(seen, IntentSeen)
    return seen


@pytest.mark.requirement("payment-capture-timing", "payment-booking-coupling")
async def test_an_authorisation_reserves_and_names_its_booking(bench: StripeBench) -> None:
    seen = await authorized(bench)
    assert (seen.status, seen.capturable_minor, seen.received_minor) == ("requires_capture", PRICE, 0)
    (intent,) = await bench.state("payment_intents")
    assert intent["metadata"] == {"booking_id": str(BOOKING), "payment_id": str(PAYMENT), "attempt": "1"}
    assert intent["capture_method"] == "manual"


@pytest.mark.requirement("requires-action")
@pytest.mark.parametrize(
    ("card", "status", "code"),
    [
        (None, "requires_payment_method", None),
        ("pm_card_authenticationRequired", "requires_action", None),
        ("pm_card_chargeDeclinedInsufficientFunds", "requires_payment_method", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "requires_payment_method", "expired_card"),
    ],
)
async def test_what_stripe_says_to_a_card(bench: StripeBench, card: str | None, status: str, code: str | None) -> None:
    seen = await bench.outcome("authorize", asked(bench, card), KEY)
    assert (seen.status, seen.decline_code) == (status, code)
    assert seen.payment_intent is not None


async def test_a_request_that_stripe_refuses_makes_no_paymentintent(bench: StripeBench) -> None:
    seen = await bench.outcome("authorize", asked(bench, amount_minor=1), KEY)
    assert (seen.payment_intent, seen.error_code) == (None, "amount_too_small")
    seen = await bench.outcome("authorize", asked(bench, "pm_unknown"), f"{KEY}x")
    assert seen.error_code == "resource_missing"


@pytest.mark.requirement("retry-mechanism")
@pytest.mark.parametrize("operation", ["payment_intents.create", "*"])
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "500"},
        {"kind": "500", "effect": True},
        {"kind": "timeout_after", "seconds": 0.1},
        {"kind": "timeout_before", "seconds": 0.1},
        {"kind": "connection_reset"},
        {"kind": "429"},
    ],
)
async def test_one_paymentintent_whatever_happens(bench: StripeBench, fault: dict[str, object], operation: str) -> None:
    await bench.faults({"operation": operation, "count": 3, **fault})
    seen = await authorized(bench)
    assert seen.status == "requires_capture"
    intents = await bench.state("payment_intents")
    assert [intent["id"] for intent in intents] == [seen.payment_intent]
    assert (await bench.keys())[0] == KEY


@pytest.mark.requirement("retry-mechanism")
async def test_a_stored_failure_without_effect_is_left_behind_by_a_suffix(bench: StripeBench) -> None:
    await bench.faults({"operation": "payment_intents.create", "kind": "500", "count": 1})
    await authorized(bench)
    assert await bench.keys() == [KEY, KEY, f"{KEY}:1"]


@pytest.mark.requirement("retry-mechanism")
async def test_a_paymentintent_is_found_among_many_in_a_few_requests(bench: StripeBench) -> None:
    call = asked(bench)
    await bench.faults({"operation": "payment_intents.create", "kind": "500", "effect": True, "count": 1})
    assert isinstance(await bench.call("authorize", call, KEY), TryAgain)
    others = (asked(bench, None, booking_id=uuid4()) for _ in range(700))
    await asyncio.gather(*(bench.call("authorize", other, f"{other.booking_id}:authorize:1") for other in others))
    before = len(await bench.state("requests"))
    await bench.faults({"operation": "charges.list", "kind": "connection_reset", "count": 2})
    seen = await bench.call("authorize", call, KEY)
    assert isinstance(seen, IntentSeen)
    assert seen.status == "requires_capture"
    assert len(await bench.state("requests")) - before <= 5


@pytest.mark.requirement("retry-mechanism")
async def test_a_request_is_byte_for_byte_what_the_sdks_own_methods_send(bench: StripeBench) -> None:
    """As an older build did: else a call that it began could not be repeated under its key."""
    call, sdk = asked(bench), bench.api.v1
    intent = await sdk.payment_intents.create_async(new_intent(call), {"idempotency_key": KEY})
    seen = await bench.outcome("authorize", call, KEY)
    assert seen.payment_intent == intent.id
    await sdk.payment_intents.capture_async(intent.id, {}, {"idempotency_key": "capture"})
    assert (await bench.outcome("capture", about(bench, seen), "capture")).status == "succeeded"
    wanted = a_refund(bench, seen)
    refund = await sdk.refunds.create_async(new_refund(wanted), {"idempotency_key": "refund"})
    assert (await bench.outcome("refund", wanted, "refund")).stripe_refund == refund.id
    sent = await bench.state("requests")
    assert (len(sent), sent[0::2]) == (6, sent[1::2])


async def test_an_id_cannot_lead_to_another_path(bench: StripeBench) -> None:
    call = DisputeCall(asked_at=bench.clock.now(), dispute_id="du_1/../../balance?a", booking_id=BOOKING)
    assert (await bench.outcome("dispute", call, "look")).status == MISSING
    assert (await bench.state("requests"))[-1]["path"] == "/v1/disputes/du_1%2F..%2F..%2Fbalance%3Fa"


@pytest.mark.requirement("retry-mechanism")
async def test_a_key_that_stripe_has_forgotten_is_not_trusted(bench: StripeBench) -> None:
    call = asked(bench)
    await bench.faults({"operation": "payment_intents.create", "kind": "timeout_after", "seconds": 0.1, "count": 1})
    assert isinstance(await bench.call("authorize", call, KEY), TryAgain)
    bench.later(hours=25)
    seen = await bench.outcome("authorize", call, KEY)
    intents = await bench.state("payment_intents")
    assert [intent["id"] for intent in intents] == [seen.payment_intent]


@pytest.mark.requirement("retry-mechanism")
@pytest.mark.parametrize("fault", [{"kind": "500"}, {"kind": "500", "effect": True}, {"kind": "timeout_after"}])
@pytest.mark.parametrize(("operation", "status"), [("capture", "succeeded"), ("void", "canceled")])
async def test_a_capture_or_a_void_has_its_effect_once(
    bench: StripeBench, operation: str, status: str, fault: dict[str, object]
) -> None:
    call = about(bench, await authorized(bench))
    await bench.faults({"operation": "*", "count": 2, "seconds": 0.1, **fault})
    seen = await bench.outcome(operation, call, f"{BOOKING}:{operation}:1")
    assert seen.status == status


async def test_a_refused_capture_says_how_the_paymentintent_stands(bench: StripeBench) -> None:
    call = about(bench, await authorized(bench))
    await bench.outcome("void", call, "void")
    seen = await bench.outcome("capture", call, "capture")
    assert (seen.status, seen.error_code) == ("canceled", "payment_intent_unexpected_state")


async def test_a_void_that_comes_too_late_finds_the_money(bench: StripeBench) -> None:
    call = about(bench, await authorized(bench))
    await bench.outcome("capture", call, "capture")
    seen = await bench.outcome("void", call, "void")
    assert (seen.status, seen.received_minor) == ("succeeded", PRICE)
    left = await bench.outcome("leftover", call, "leftover")
    assert isinstance(left, LeftoverCancelled)
    assert left.received_minor == PRICE


@pytest.mark.requirement("refund-logic", "retry-mechanism")
@pytest.mark.parametrize("fault", [{"kind": "500"}, {"kind": "500", "effect": True}, {"kind": "timeout_after"}])
async def test_a_refund_is_made_once(bench: StripeBench, fault: dict[str, object]) -> None:
    seen = await authorized(bench)
    await bench.outcome("capture", about(bench, seen), "capture")
    await bench.faults({"operation": "*", "count": 2, "seconds": 0.1, **fault})
    refund = await bench.outcome("refund", a_refund(bench, seen, 2000), "refund")
    assert isinstance(refund, RefundSeen)
    assert refund.status == "succeeded"
    assert [found["amount"] for found in await bench.state("refunds")] == [2000]


async def test_a_refund_that_stripe_refuses_has_failed(bench: StripeBench) -> None:
    seen = await authorized(bench)
    await bench.outcome("capture", about(bench, seen), "capture")
    refund = await bench.outcome("refund", a_refund(bench, seen, PRICE + 1), "refund")
    assert (refund.status, refund.failure, refund.stripe_refund) == ("failed", "amount_too_large", None)


@pytest.mark.requirement("wallet")
@pytest.mark.parametrize(
    ("card", "status", "code"),
    [
        ("pm_card_visa", "succeeded", None),
        ("pm_card_chargeDeclined", "", "card_declined"),
        ("pm_card_authenticationRequired", "", "authentication_required"),
    ],
)
async def test_a_top_up_is_charged_at_once_or_declined(
    bench: StripeBench, card: str, status: str, code: str | None
) -> None:
    call = TopUpCall(
        asked_at=bench.clock.now(),
        command_id=uuid4(),
        customer_id="bob",
        amount_minor=700,
        currency="eur",
        payment_method=card,
    )
    seen = await bench.outcome("top_up", call, "top_up")
    assert isinstance(seen, TopUpSeen)
    assert (seen.status, seen.error_code) == (status, code)


@pytest.mark.requirement("requires-action")
async def test_results_hold_no_secret(bench: StripeBench) -> None:
    seen = await bench.outcome("authorize", asked(bench, "pm_card_authenticationRequired"), KEY)
    assert "secret" not in seen.model_dump_json()
    assert "secret" in str(await bench.api.client_secret(seen.payment_intent))


async def test_stripe_away_opens_the_circuit(bench: StripeBench) -> None:
    await bench.faults({"operation": "*", "kind": "connection_reset"})
    call = asked(bench)
    for _ in range(FAILURES):
        assert isinstance(await bench.call("authorize", call, KEY), TryAgain)
    before = len(await bench.state("requests"))
    waiting = await bench.call("authorize", call, KEY)
    assert isinstance(waiting, TryAgain)
    assert waiting.after_seconds is not None
    assert len(await bench.state("requests")) == before


def test_an_open_circuit_lets_one_probe_through_at_a_time() -> None:
    now = 100.0
    breaker = CircuitBreaker(lambda: now)
    for _ in range(FAILURES):
        assert breaker.wait_seconds() is None
        breaker.failed()
    assert breaker.wait_seconds() is not None
    now += OPEN_SECONDS
    assert breaker.wait_seconds() is None
    assert breaker.wait_seconds() is not None
    now += PROBE_SECONDS
    assert breaker.wait_seconds() is None
    breaker.answered()
    assert breaker.wait_seconds() is None
    assert not breaker.is_open


def test_failures_now_and_then_do_not_open_the_circuit() -> None:
    breaker = CircuitBreaker()
    for _ in range(5 * FAILURES):
        breaker.failed()
        breaker.answered()
    assert not breaker.is_open
