"""Stripe's v1 idempotency: docs.stripe.com/api/idempotent_requests."""

import asyncio

import pytest
import stripe

from tests.simulator.conftest import Bench

FORM = {"amount": "4500", "currency": "eur", "metadata[booking_id]": "b-1"}
DAY_SECONDS = 24 * 3600


async def test_the_first_answer_is_replayed(bench: Bench) -> None:
    first = await bench.post("/v1/payment_intents", FORM, key="k")
    again = await bench.post("/v1/payment_intents", dict(reversed(FORM.items())), key="k")

    assert again[2] == first[2]
    assert again[1]["Idempotent-Replayed"] == "true"
    assert again[1]["Original-Request"] == first[1]["Request-Id"] != again[1]["Request-Id"]
    assert "Idempotent-Replayed" not in first[1]
    assert len((await bench.sdk.v1.payment_intents.list_async()).data) == 1


async def test_a_decline_is_replayed_too(bench: Bench) -> None:
    form = FORM | {"confirm": "true", "payment_method": "pm_card_chargeDeclined"}
    first = await bench.post("/v1/payment_intents", form, key="k")
    again = await bench.post("/v1/payment_intents", form, key="k")

    assert first[0] == again[0] == 402
    assert again[2] == first[2]
    assert len((await bench.sdk.v1.charges.list_async()).data) == 1


async def test_other_parameters_under_a_key_are_refused(bench: Bench) -> None:
    await bench.post("/v1/payment_intents", FORM, key="k")

    with pytest.raises(stripe.IdempotencyError, match="same parameters") as refusal:
        await bench.sdk.v1.payment_intents.create_async({"amount": 4600, "currency": "eur"}, {"idempotency_key": "k"})
    assert refusal.value.http_status == 400


async def test_another_endpoint_under_a_key_is_refused(bench: Bench) -> None:
    await bench.post("/v1/customers", key="k")
    status, _, body = await bench.post("/v1/payment_intents", key="k")

    assert (status, body["error"]["type"]) == (400, "idempotency_error")  # type: ignore[index]


async def test_a_key_in_flight_conflicts(bench: Bench) -> None:
    await bench.faults({"operation": "payment_intents.create", "kind": "latency", "count": 1, "seconds": 0.5})
    answers = await asyncio.gather(*(bench.post("/v1/payment_intents", FORM, key="k") for _ in range(2)))
    (made, _, _), (conflict, _, body) = sorted(answers, key=lambda answer: answer[0])

    assert (made, conflict) == (200, 409)
    assert body["error"]["code"] == "idempotency_key_in_use"  # type: ignore[index]
    assert (await bench.post("/v1/payment_intents", FORM, key="k"))[1]["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("effect", [False, True])
async def test_a_500_is_replayed(bench: Bench, effect: bool) -> None:
    await bench.faults({"operation": "payment_intents.create", "kind": "500", "count": 1, "effect": effect})
    first = await bench.post("/v1/payment_intents", FORM, key="k")
    again = await bench.post("/v1/payment_intents", FORM, key="k")
    suffixed = await bench.post("/v1/payment_intents", FORM, key="k:2")

    assert first[0] == again[0] == 500
    assert again[1]["Idempotent-Replayed"] == "true"
    assert first[2]["error"]["type"] == "api_error"  # type: ignore[index]
    assert suffixed[0] == 200
    assert len((await bench.sdk.v1.payment_intents.list_async()).data) == 1 + effect


async def test_what_never_executed_is_not_kept(bench: Bench) -> None:
    assert (await bench.post("/v1/payment_intents", {"amount": "4500"}, key="k"))[0] == 400
    await bench.faults({"operation": "*", "kind": "429", "count": 1})
    assert (await bench.post("/v1/payment_intents", FORM, key="k"))[0] == 429

    assert (await bench.post("/v1/payment_intents", FORM, key="k"))[0] == 200


async def test_a_key_is_forgotten_after_a_day(bench: Bench) -> None:
    first = await bench.post("/v1/payment_intents", FORM, key="k")
    bench.move_clock(DAY_SECONDS - 60)
    assert (await bench.post("/v1/payment_intents", FORM, key="k"))[2]["id"] == first[2]["id"]
    bench.move_clock(DAY_SECONDS + 1)
    assert (await bench.post("/v1/payment_intents", FORM, key="k"))[2]["id"] != first[2]["id"]
