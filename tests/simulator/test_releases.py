"""The part of an authorisation that nobody captures: a Refund, or silence, by the account's API version (changelog
2025-03-31.basil, "Partially capturing or canceling payments no longer creates a Refund")."""

import pytest
import stripe

from tests.simulator.conftest import Bench

WEEK_SECONDS = 7 * 24 * 3600


@pytest.fixture(autouse=True)
async def older_account(bench: Bench) -> None:
    """The SDK names its own, newer version."""
    await bench.control("PUT", "/behaviour", {"releases_are_refunds": True})


async def charge_of(bench: Bench, intent: stripe.PaymentIntent) -> stripe.Charge:
    return await bench.sdk.v1.charges.retrieve_async(str(intent.latest_charge), {"expand": ["refunds"]})


async def test_a_partial_capture_refunds_the_rest(bench: Bench) -> None:
    intent = await bench.authorised()
    await bench.sdk.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": 2000})
    charge = await charge_of(bench, intent)
    assert (charge.amount_captured, charge.amount_refunded, charge.refunded) == (2000, 2500, False)
    assert charge.refunds is not None
    assert [refund.amount for refund in charge.refunds.data] == [2500]
    posted = await bench.sdk.v1.balance_transactions.list_async()
    assert [(one.amount, one.type) for one in posted.data] == [(-2500, "refund"), (4500, "charge")]
    types = await bench.inbox.until(lambda types: "payment_intent.succeeded" in types)
    assert types[-4:] == ["charge.captured", "refund.created", "charge.refunded", "payment_intent.succeeded"]
    assert (await bench.sdk.v1.balance.retrieve_async()).available[0].amount == 2000

    with pytest.raises(stripe.InvalidRequestError, match=r"€20\.01.*greater than.*€20\.00"):
        await bench.sdk.v1.refunds.create_async({"payment_intent": intent.id, "amount": 2001})
    await bench.control("POST", f"/refunds/{charge.refunds.data[0].id}/fail", status=400)
    await bench.sdk.v1.refunds.create_async({"payment_intent": intent.id})
    charge = await charge_of(bench, intent)
    assert (charge.amount_refunded, charge.refunded) == (4500, True)


async def test_a_void_refunds_everything(bench: Bench) -> None:
    intent = await bench.authorised()
    await bench.sdk.v1.payment_intents.cancel_async(intent.id)
    charge = await charge_of(bench, intent)
    assert (charge.captured, charge.amount_captured, charge.amount_refunded, charge.refunded) == (False, 0, 4500, True)
    (refund,) = (await bench.sdk.v1.refunds.list_async({"payment_intent": intent.id})).data
    assert (refund.amount, refund.balance_transaction) == (4500, None)


async def test_what_was_never_authorised_is_not_released(bench: Bench) -> None:
    intent = await bench.authorised("pm_card_threeDSecure2Required")
    await bench.sdk.v1.payment_intents.cancel_async(intent.id)
    assert (await bench.sdk.v1.refunds.list_async()).data == []


@pytest.mark.parametrize(("refunds", "reason"), [(True, "automatic"), (False, "expired")])
async def test_an_authorisation_that_expires(bench: Bench, refunds: bool, reason: str) -> None:
    await bench.control("PUT", "/behaviour", {"releases_are_refunds": refunds})
    intent = await bench.authorised()
    bench.move_clock(WEEK_SECONDS + 1)
    after = await bench.sdk.v1.payment_intents.retrieve_async(intent.id)
    assert (after.status, after.cancellation_reason) == ("canceled", reason)
    found = (await bench.sdk.v1.refunds.list_async()).data
    assert [refund.reason for refund in found] == ["expired_uncaptured_charge"] * refunds


async def test_newer_accounts_see_no_refund(bench: Bench) -> None:
    await bench.control("PUT", "/behaviour", {"releases_are_refunds": False})
    captured, voided = await bench.authorised(), await bench.authorised()
    await bench.sdk.v1.payment_intents.capture_async(captured.id, {"amount_to_capture": 2000})
    await bench.sdk.v1.payment_intents.cancel_async(voided.id)
    assert (await bench.sdk.v1.refunds.list_async()).data == []
    assert ((await charge_of(bench, captured)).amount_refunded, (await charge_of(bench, voided)).refunded) == (0, False)
    assert "charge.refunded" not in bench.inbox.types()
    await bench.control("PUT", "/behaviour", {"releases": True}, status=400)


@pytest.mark.parametrize(
    ("version", "refunds"), [(None, 1), ("2024-06-20", 1), ("2025-03-31.basil", 0), ("2026-10-28.endive", 0)]
)
@pytest.mark.parametrize(("path", "form"), [("capture", {"amount_to_capture": "2000"}), ("cancel", {})])
async def test_the_version_of_the_request_decides(
    bench: Bench, version: str | None, refunds: int, path: str, form: dict[str, str]
) -> None:
    await bench.control("PUT", "/behaviour", {"releases_are_refunds": None})
    intent = await bench.authorised()
    headers = {"Authorization": "Bearer sk_test_1"} | ({"Stripe-Version": version} if version else {})
    url = f"{bench.simulator.api_url}/v1/payment_intents/{intent.id}/{path}"
    async with bench.http.post(url, data=form, headers=headers) as answer:
        assert answer.status == 200
    assert len((await bench.sdk.v1.refunds.list_async()).data) == refunds
