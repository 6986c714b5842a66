"""Refunds that the balance does not cover: support.stripe.com "Pending refunds due to insufficient or negative account
balance"; Automattic/woocommerce-payments#10025 for the refusal."""

import pytest
import stripe

from tests.simulator.conftest import Bench


async def spent(bench: Bench) -> stripe.PaymentIntent:
    """A captured payment whose money was paid out to the account's bank."""
    intent = await bench.captured()
    assert await bench.control("POST", "/balance", {"currency": "eur", "amount": -4500}) == {
        "currency": "eur",
        "available": 0,
    }
    return intent


async def available(bench: Bench) -> int:
    return (await bench.sdk.v1.balance.retrieve_async()).available[0].amount


async def test_it_waits_until_the_balance_covers_it(bench: Bench) -> None:
    intent = await spent(bench)
    refund = await bench.sdk.v1.refunds.create_async({"payment_intent": intent.id})
    assert (refund.status, refund.pending_reason, await available(bench)) == ("pending", "insufficient_funds", 0)

    await bench.captured(amount=5000)
    await bench.inbox.until(lambda types: "refund.updated" in types)
    after = await bench.sdk.v1.refunds.retrieve_async(refund.id)
    assert (after.status, "pending_reason" in after, await available(bench)) == ("succeeded", False, 500)


async def test_it_fails_by_a_dispute_and_by_the_bank(bench: Bench) -> None:
    intent = await spent(bench)
    refund = await bench.sdk.v1.refunds.create_async({"payment_intent": intent.id, "amount": 1000})
    await bench.control("POST", "/disputes", {"payment_intent": intent.id})
    after = await bench.sdk.v1.refunds.retrieve_async(refund.id)
    assert (after.status, after.failure_reason) == ("failed", "charge_for_pending_refund_disputed")
    assert await available(bench) == -4500


@pytest.mark.parametrize(("how", "status", "left"), [("overdrawn", "succeeded", -4500), ("pending", "pending", 0)])
async def test_what_the_account_may(bench: Bench, how: str, status: str, left: int) -> None:
    await bench.control("PUT", "/behaviour", {"refunds_without_balance": how})
    intent = await spent(bench)
    refund = await bench.sdk.v1.refunds.create_async({"payment_intent": intent.id})
    assert (refund.status, await available(bench)) == (status, left)


async def test_it_is_refused_and_done_later_under_another_key(bench: Bench) -> None:
    await bench.control("PUT", "/behaviour", {"refunds_without_balance": "refused"})
    intent = await spent(bench)
    for _ in range(2):
        status, _, body = await bench.post("/v1/refunds", {"payment_intent": intent.id}, key="k1")
        error = body["error"]
        assert isinstance(error, dict)
        assert (status, error["message_code"], "code" in error) == (400, "insufficient_balance_for_refund", False)
        await bench.control("POST", "/balance", {"currency": "eur", "amount": 9000})
    assert (await bench.sdk.v1.refunds.create_async({"payment_intent": intent.id})).status == "succeeded"
    await bench.control("PUT", "/behaviour", {"refunds_without_balance": "never"}, status=400)


async def test_a_refund_that_is_called_off(bench: Bench) -> None:
    intent = await bench.captured("pm_card_pendingRefund")
    refund = await bench.sdk.v1.refunds.create_async({"payment_intent": intent.id})
    await bench.control("POST", f"/refunds/{refund.id}/fail", {"status": "canceled", "reason": "merchant_request"})
    after = await bench.sdk.v1.refunds.retrieve_async(refund.id)
    assert (after.status, after.failure_reason, await available(bench)) == ("canceled", "merchant_request", 4500)


async def test_the_balance_is_the_sum_of_its_transactions(bench: Bench) -> None:
    intent = await bench.captured("pm_card_refundFail")
    refund = await bench.sdk.v1.refunds.create_async({"payment_intent": intent.id, "amount": 1000})
    await bench.control("POST", f"/refunds/{refund.id}/fail")
    disputed = await bench.captured()
    await bench.control("POST", "/disputes", {"payment_intent": disputed.id})
    transfer = await bench.sdk.v1.transfers.create_async({"amount": 700, "currency": "eur", "destination": "acct_1"})
    await bench.sdk.v1.transfers.reversals.create_async(transfer.id, {"amount": 200})
    await bench.control("POST", "/balance", {"currency": "eur", "amount": -50})
    transactions = bench.sdk.v1.balance_transactions
    found = (await transactions.list_async({"limit": 100, "expand": ["data.source"]})).data
    assert [(one.reporting_category, one.amount) for one in reversed(found)] == [
        ("charge", 4500),
        ("refund", -1000),
        ("refund_failure", 1000),
        ("charge", 4500),
        ("dispute", -4500),
        ("transfer", -700),
        ("transfer_reversal", 200),
        ("payout", -50),
    ]
    assert sum(one.net for one in found) == await available(bench) == 3950
    assert [one.amount for one in (await transactions.list_async({"source": transfer.id})).data] == [200, -700]
    charge = await bench.sdk.v1.charges.retrieve_async(str(intent.latest_charge), {"expand": ["balance_transaction"]})
    assert isinstance(charge.balance_transaction, stripe.BalanceTransaction)
    assert (await transactions.retrieve_async(charge.balance_transaction.id)).source == charge.id
