"""Faults on the API port, one kind at a time."""

import time

import pytest
import stripe

from tests.simulator.conftest import Bench

FORM = {"amount": "4500", "currency": "eur"}
CREATE = "payment_intents.create"


async def intents(bench: Bench) -> int:
    return len((await bench.sdk.v1.payment_intents.list_async()).data)


async def test_latency(bench: Bench) -> None:
    await bench.faults({"operation": CREATE, "kind": "latency", "count": 1, "seconds": 0.3})
    started = time.monotonic()
    assert (await bench.post("/v1/payment_intents", FORM))[0] == 200
    assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize(("kind", "effect"), [("timeout_before", 0), ("connection_reset", 0), ("timeout_after", 1)])
async def test_a_lost_answer(bench: Bench, kind: str, effect: int) -> None:
    seconds = {} if kind == "connection_reset" else {"seconds": 0.05}
    await bench.faults({"operation": CREATE, "kind": kind, "count": 1, **seconds})
    with pytest.raises(stripe.APIConnectionError):
        await bench.sdk.v1.payment_intents.create_async({"amount": 4500, "currency": "eur"}, {"idempotency_key": "k"})
    assert await intents(bench) == effect

    _, headers, _ = await bench.post("/v1/payment_intents", FORM, key="k")
    assert headers.get("Idempotent-Replayed", "false") == ("true" if effect else "false")
    assert await intents(bench) == 1


async def test_rate_limit_with_and_without_a_wait(bench: Bench) -> None:
    await bench.faults({"operation": "*", "kind": "429"})
    without, named = [await bench.post("/v1/payment_intents", FORM) for _ in range(2)]
    assert without[0] == named[0] == 429
    assert ("Retry-After" in without[1], named[1]["Retry-After"]) == (False, "1")

    await bench.faults({"operation": "*", "kind": "429", "retry_after": 7})
    assert (await bench.post("/v1/payment_intents", FORM))[1]["Retry-After"] == "7"
    await bench.faults()
    assert await intents(bench) == 0


async def test_only_the_named_operation_fails(bench: Bench) -> None:
    await bench.faults({"operation": "payment_intents.capture", "kind": "500"})
    intent = await bench.authorised()
    with pytest.raises(stripe.APIError):
        await bench.sdk.v1.payment_intents.capture_async(intent.id)
    await bench.faults()
    assert (await bench.sdk.v1.payment_intents.capture_async(intent.id)).status == "succeeded"


async def test_a_seeded_rate_repeats(bench: Bench) -> None:
    async def outcomes() -> list[int]:
        await bench.faults({"operation": CREATE, "kind": "500", "rate": 0.5, "seed": 7})
        return [(await bench.post("/v1/payment_intents", FORM))[0] for _ in range(20)]

    first = await outcomes()
    assert set(first) == {200, 500}
    assert await outcomes() == first


@pytest.mark.parametrize(
    "entry",
    [
        {"operation": "payment_intents.crate", "kind": "500"},
        {"operation": "*", "kind": "slow"},
        {"operation": CREATE, "kind": "lost"},
        {"operation": "webhook", "kind": "429"},
        {"operation": "*", "kind": "500", "rate": 2},
        {"operation": "*", "kind": "timeout_after", "seconds": 6},
        {"operation": "*", "kind": "500", "times": 2},
        {"operation": "payment_intents.capture", "kind": "declined"},
        {"operation": CREATE, "kind": "declined", "decline_code": "mood"},
    ],
)
async def test_a_wrong_list_is_refused_and_changes_nothing(bench: Bench, entry: dict[str, object]) -> None:
    await bench.faults({"operation": CREATE, "kind": "latency"})
    await bench.control("PUT", "/faults", [entry], status=400)
    assert await bench.control("GET", "/faults") == [{"operation": CREATE, "kind": "latency", "fired": 0}]


async def test_state_lists_requests(bench: Bench) -> None:
    await bench.post("/v1/payment_intents", FORM | {"metadata[booking_id]": "b-1"}, key="b-1:authorize:1")
    await bench.faults({"operation": "*", "kind": "connection_reset"})
    with pytest.raises(stripe.APIConnectionError):  # after aiohttp's own second try of a GET
        await bench.sdk.v1.events.list_async({"created": {"gte": 1}, "types": ["charge.failed"]})
    state = await bench.control("GET", "/state")

    assert isinstance(state, dict)
    assert state["requests"][:2] == [
        {
            "method": "POST",
            "path": "/v1/payment_intents",
            "idempotency_key": "b-1:authorize:1",
            "params": {"amount": "4500", "currency": "eur", "metadata": {"booking_id": "b-1"}},
            "status": 200,
        },
        {
            "method": "GET",
            "path": "/v1/events",
            "idempotency_key": None,
            "params": {"created": {"gte": "1"}, "types": ["charge.failed"]},
            "status": None,
        },
    ]
    assert [len(state[name]) for name in ("payment_intents", "events", "charges", "customers")] == [
        1,
        1,
        0,
        0,
    ]


async def test_reset_forgets_everything(bench: Bench) -> None:
    await bench.post("/v1/payment_intents", FORM, key="k")
    await bench.faults({"operation": "*", "kind": "500"})
    await bench.control("POST", "/reset")
    assert await bench.control("GET", "/health") == {"status": "ok"}
    state = await bench.control("GET", "/state")
    assert isinstance(state, dict)
    assert not any(state.values())
    assert "Idempotent-Replayed" not in (await bench.post("/v1/payment_intents", FORM, key="k"))[1]


async def statuses(bench: Bench) -> dict[object, object]:
    """By the id of the PaymentIntent."""
    state = await bench.control("GET", "/state")
    assert isinstance(state, dict)
    return {intent["id"]: intent["status"] for intent in state["payment_intents"]}


async def test_a_snapshot_is_gone_back_to_with_what_falls_due_later(bench: Bench) -> None:
    """Objects, idempotency keys and the agenda; not faults. Ids that were issued meanwhile do not come again."""
    await bench.control("POST", "/restore", status=400)
    kept = (await bench.post("/v1/payment_intents", FORM, key="before"))[2]
    paid = await bench.authorised("pm_card_visa")
    await bench.control("POST", "/snapshot")
    for round_ in ("first", "second"):
        await bench.sdk.v1.payment_intents.capture_async(paid.id)
        undone = (await bench.post("/v1/payment_intents", FORM, key="after"))[2]
        await bench.faults({"operation": "*", "kind": "500"})
        await bench.control("POST", "/restore")
        assert await statuses(bench) == {kept["id"]: kept["status"], paid.id: "requires_capture"}, round_
        status, headers, again = await bench.post("/v1/payment_intents", FORM, key="before")
        assert (status, headers["Idempotent-Replayed"], again["id"]) == (200, "true", kept["id"])
        status, headers, new = await bench.post("/v1/payment_intents", FORM, key="after")
        assert (status, "Idempotent-Replayed" in headers) == (200, False)
        assert str(new["id"]) > str(undone["id"])
        await bench.control("POST", "/restore")
    bench.move_clock(8 * 86_400)
    assert (await statuses(bench))[paid.id] == "canceled"


async def test_an_issuer_says_no_whatever_the_card(bench: Bench) -> None:
    await bench.faults({"operation": CREATE, "kind": "declined", "decline_code": "insufficient_funds", "count": 1})

    with pytest.raises(stripe.CardError) as refusal:
        await bench.authorised("pm_card_visa")

    assert refusal.value.error is not None
    assert (refusal.value.error.code, refusal.value.error.decline_code) == ("card_declined", "insufficient_funds")
    types = await bench.inbox.until(lambda types: len(types) == 3)
    assert types == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]
    assert (await bench.authorised("pm_card_visa")).status == "requires_capture"
