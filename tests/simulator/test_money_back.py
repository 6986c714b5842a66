"""Refunds, disputes, transfers: docs.stripe.com/refunds, /disputes, /connect/separate-charges-and-transfers."""

import pytest
import stripe

from tests.simulator.conftest import Bench

DELAY_SECONDS = 3600


async def test_partial_refunds_up_to_the_captured_amount(bench: Bench) -> None:
    intent = await bench.captured()
    refunds = bench.sdk.v1.refunds
    first = await refunds.create_async({"payment_intent": intent.id, "amount": 1500, "metadata": {"n": "1"}})
    assert (first.status, first.amount) == ("succeeded", 1500)
    assert first.metadata is not None
    assert first.metadata["n"] == "1"

    with pytest.raises(stripe.InvalidRequestError, match=r"€30\.01.*greater than.*€30\.00"):
        await refunds.create_async({"payment_intent": intent.id, "amount": 3001})
    rest = await refunds.create_async({"charge": str(intent.latest_charge)})
    assert rest.amount == 3000
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await refunds.create_async({"payment_intent": intent.id})
    assert refusal.value.code == "charge_already_refunded"

    listed = await refunds.list_async({"payment_intent": intent.id})
    assert [refund.id for refund in listed.data] == [rest.id, first.id]
    charge = await bench.sdk.v1.charges.retrieve_async(str(intent.latest_charge))
    assert (charge.refunded, charge.amount_refunded) == (True, 4500)


async def test_nothing_captured_nothing_refunded(bench: Bench) -> None:
    intent = await bench.authorised()
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await bench.sdk.v1.refunds.create_async({"payment_intent": intent.id})
    assert refusal.value.code == "payment_intent_unexpected_state"


async def test_a_refund_that_fails_later(bench: Bench) -> None:
    intent = await bench.captured("pm_card_refundFail")
    refund = await bench.sdk.v1.refunds.create_async({"payment_intent": intent.id})
    assert refund.status == "succeeded"

    bench.move_clock(DELAY_SECONDS + 1)
    failed = await bench.sdk.v1.refunds.retrieve_async(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    again = await bench.sdk.v1.refunds.create_async({"payment_intent": intent.id})
    assert again.amount == 4500


async def test_a_refund_that_is_pending_first(bench: Bench) -> None:
    intent = await bench.captured("pm_card_pendingRefund")
    refund = await bench.sdk.v1.refunds.create_async({"payment_intent": intent.id})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")

    bench.move_clock(DELAY_SECONDS + 1)
    assert (await bench.sdk.v1.refunds.retrieve_async(refund.id)).status == "succeeded"
    assert (await bench.inbox.until(lambda types: "refund.updated" in types))[-3:] == [
        "refund.created",
        "charge.refunded",
        "refund.updated",
    ]


async def test_a_refund_failed_from_the_control_port(bench: Bench) -> None:
    intent = await bench.captured()
    refund = await bench.sdk.v1.refunds.create_async({"payment_intent": intent.id, "amount": 500})
    await bench.control("POST", f"/refunds/{refund.id}/fail")
    await bench.control("POST", f"/refunds/{refund.id}/fail", status=400)

    await bench.inbox.until(lambda types: "refund.failed" in types)
    assert (await bench.sdk.v1.refunds.retrieve_async(refund.id)).status == "failed"


@pytest.mark.parametrize(("status", "left"), [("won", 4500), ("lost", 0)])
async def test_a_dispute(bench: Bench, status: str, left: int) -> None:
    intent = await bench.captured()
    opened = await bench.control("POST", "/disputes", {"payment_intent": intent.id})
    assert isinstance(opened, dict)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await bench.sdk.v1.refunds.create_async({"payment_intent": intent.id})
    assert refusal.value.code == "charge_disputed"

    await bench.control("POST", f"/disputes/{opened['id']}/close", {"status": status})
    assert (await bench.sdk.v1.disputes.retrieve_async(str(opened["id"]))).status == status
    types = await bench.inbox.until(lambda types: "charge.dispute.closed" in types)
    assert types[-3:] == ["charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.closed"]
    balance = await bench.sdk.v1.balance.retrieve_async()
    assert balance.available[0].amount == left


async def test_a_card_that_is_disputed_by_itself(bench: Bench) -> None:
    intent = await bench.captured("pm_card_createDispute")
    bench.move_clock(DELAY_SECONDS + 1)
    disputes = await bench.sdk.v1.disputes.list_async({"payment_intent": intent.id})
    assert [dispute.amount for dispute in disputes.data] == [4500]


async def test_a_transfer_from_a_charge_and_back(bench: Bench) -> None:
    intent = await bench.captured()
    transfers = bench.sdk.v1.transfers
    transfer = await transfers.create_async(
        {
            "amount": 4000,
            "currency": "eur",
            "destination": "acct_teacher",
            "source_transaction": str(intent.latest_charge),
            "transfer_group": "b-1",
        }
    )
    assert [row.id for row in (await transfers.list_async({"transfer_group": "b-1"})).data] == [transfer.id]
    with pytest.raises(stripe.InvalidRequestError, match=r"must not exceed the source amount of €45\.00"):
        await transfers.create_async(
            {
                "amount": 501,
                "currency": "eur",
                "destination": "acct_teacher",
                "source_transaction": str(intent.latest_charge),
            }
        )
    await transfers.reversals.create_async(transfer.id, {"amount": 1000})
    back = await transfers.retrieve_async(transfer.id)
    assert (back.amount_reversed, back.reversed) == (1000, False)
    with pytest.raises(stripe.InvalidRequestError):
        await transfers.reversals.create_async(transfer.id, {"amount": 3001})


@pytest.mark.parametrize(
    ("destination", "code"),
    [
        ("acct_closed_1", "insufficient_capabilities_for_transfer"),
        ("teacher", "resource_missing"),
        ("acct_teacher", "balance_insufficient"),
    ],
)
async def test_transfers_that_cannot_be_made(bench: Bench, destination: str, code: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await bench.sdk.v1.transfers.create_async({"amount": 100, "currency": "eur", "destination": destination})
    assert refusal.value.code == code


async def test_connected_accounts(bench: Bench) -> None:
    accounts = bench.sdk.v1.accounts
    assert (await accounts.retrieve_async("acct_teacher")).payouts_enabled is True
    assert (await accounts.retrieve_async("acct_closed_1")).payouts_enabled is False
