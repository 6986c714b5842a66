"""Disputes: docs.stripe.com/disputes, /api/disputes, /testing (evidence)."""

from typing import Any

import pytest
import stripe

from tests.simulator.conftest import Bench
from tests.simulator.test_shapes import problems

DELAY_SECONDS = 3600


async def opened(bench: Bench, **fields: object) -> dict[str, Any]:
    intent = await bench.captured()
    found = await bench.control("POST", "/disputes", {"payment_intent": intent.id, **fields})
    assert isinstance(found, dict)
    return found


async def balance(bench: Bench) -> int:
    return (await bench.sdk.v1.balance.retrieve_async()).available[0].amount


async def test_evidence_is_staged_then_submitted_once(bench: Bench) -> None:
    dispute, disputes = (await opened(bench))["id"], bench.sdk.v1.disputes
    staged = await disputes.update_async(dispute, {"evidence": {"customer_name": "Ann"}, "submit": False})
    assert (staged.status, staged.evidence_details.has_evidence, staged.evidence.customer_name) == (
        "needs_response",
        True,
        "Ann",
    )
    sent = await disputes.update_async(dispute, {"evidence": {"product_description": "A lesson"}})
    assert (sent.status, sent.evidence.customer_name, sent.evidence_details.submission_count) == (
        "under_review",
        "Ann",
        1,
    )
    assert problems(sent.to_dict()) == []
    with pytest.raises(stripe.InvalidRequestError, match="already"):
        await disputes.update_async(dispute, {"evidence": {"receipt": "file_1"}})
    assert (await disputes.update_async(dispute, {"metadata": {"case": "7"}})).metadata["case"] == "7"


@pytest.mark.parametrize(
    ("text", "status", "left"), [("winning_evidence", "won", 4500), ("losing_evidence", "lost", 0)]
)
async def test_evidence_that_decides(bench: Bench, text: str, status: str, left: int) -> None:
    dispute = (await opened(bench))["id"]
    await bench.sdk.v1.disputes.update_async(dispute, {"evidence": {"uncategorized_text": text}})
    bench.move_clock(DELAY_SECONDS + 1)
    assert (await bench.sdk.v1.disputes.retrieve_async(dispute)).status == status
    assert await balance(bench) == left


@pytest.mark.parametrize(
    ("form", "message"),
    [({"evidence[colour]": "red"}, "colour"), ({"evidence[receipt]": "x" * 150_001}, "150,000"), ({"a": "b"}, "a")],
)
async def test_evidence_that_is_refused(bench: Bench, form: dict[str, str], message: str) -> None:
    dispute = (await opened(bench))["id"]
    status, _, body = await bench.post(f"/v1/disputes/{dispute}", form)
    assert (status, message in str(body)) == (400, True)


async def test_a_lost_dispute_is_won_the_next_day_and_lost_again(bench: Bench) -> None:
    dispute = (await opened(bench))["id"]
    await bench.control("POST", f"/disputes/{dispute}/close", {"status": "lost"})
    await bench.control("POST", f"/disputes/{dispute}/close", {"status": "won"}, status=400)
    await bench.control("POST", f"/disputes/{dispute}/change", {"status": "won"})
    assert await balance(bench) == 4500
    types = await bench.inbox.until(lambda types: types.count("charge.dispute.closed") == 2)
    assert types[-3:] == ["charge.dispute.updated", "charge.dispute.funds_reinstated", "charge.dispute.closed"]
    await bench.control("POST", f"/disputes/{dispute}/change", {"status": "lost"})
    assert await balance(bench) == 0
    seen = await bench.sdk.v1.disputes.retrieve_async(dispute)
    assert [moved.amount for moved in seen.balance_transactions] == [-4500, 4500, -4500]
    await bench.control("POST", f"/disputes/{dispute}/change", {"status": "gone"}, status=400)


async def test_an_inquiry_takes_nothing_until_it_becomes_a_chargeback(bench: Bench) -> None:
    inquiry = await opened(bench, inquiry=True)
    assert (inquiry["status"], inquiry["balance_transactions"], await balance(bench)) == (
        "warning_needs_response",
        [],
        4500,
    )
    await bench.control("POST", f"/disputes/{inquiry['id']}/change", {"status": "needs_response"})
    assert await balance(bench) == 0
    other = await opened(bench, inquiry=True)
    await bench.control("POST", f"/disputes/{other['id']}/close", {"status": "lost"})
    assert (await bench.sdk.v1.disputes.retrieve_async(other["id"])).status == "warning_closed"
    assert await balance(bench) == 4500


async def test_a_dispute_in_another_currency_takes_the_charge(bench: Bench) -> None:
    dispute = await opened(bench, amount=5000, currency="usd")
    assert (dispute["amount"], dispute["currency"]) == (5000, "usd")
    assert [(moved["amount"], moved["currency"]) for moved in dispute["balance_transactions"]] == [(-4500, "eur")]
