"""Secrets that were rolled in the dashboard: `PUT /secrets`."""

import pytest

from tests.simulator.conftest import Bench

FORM = {"amount": "500", "currency": "eur"}


async def test_another_key_than_the_rolled_one_is_refused(bench: Bench) -> None:
    await bench.control("PUT", "/secrets", {"api_key": "sk_test_fresh"})
    status, _, body = await bench.post("/v1/payment_intents", FORM)
    assert (status, body["error"]["code"]) == (401, "api_key_expired")  # type: ignore[index]
    await bench.control("PUT", "/secrets", {"api_key": "sk_test_1"})
    assert (await bench.post("/v1/payment_intents", FORM))[0] == 200


async def test_deliveries_are_signed_with_the_rolled_secret(bench: Bench) -> None:
    await bench.control("PUT", "/secrets", {"webhook_secret": "whsec_fresh"})
    bench.inbox.secret = "whsec_fresh"
    await bench.post("/v1/payment_intents", FORM)
    assert await bench.inbox.until(bool) == ["payment_intent.created"]


@pytest.mark.parametrize("wrong", [{"api_key": 7}, {"password": "x"}])
async def test_what_cannot_be_rolled_is_refused(bench: Bench, wrong: dict[str, object]) -> None:
    await bench.control("PUT", "/secrets", wrong, status=400)


async def test_a_reset_brings_the_first_ones_back(bench: Bench) -> None:
    await bench.control("PUT", "/secrets", {"api_key": "sk_test_fresh", "webhook_secret": "whsec_fresh"})
    await bench.control("POST", "/reset")
    status, _, _ = await bench.post("/v1/payment_intents", FORM)
    assert status == 200
    assert await bench.inbox.until(bool) == ["payment_intent.created"]
