"""What was authorised and never captured gave nothing back, though older accounts show it as a Refund."""

from __future__ import annotations

from uuid import uuid4

import pytest

from services.payments.model import ledger
from services.payments.model.ledger import CLEARING, REFUND_LOSSES
from services.payments.stripe_calls.releases import is_release
from tests.payments.builders import BOOKING, PRICE, PROVIDER, authorize, capture, settle, void
from tests.payments.test_dashboard_refunds import agrees, told
from tests.payments.test_reports import ended, open_reports
from tests.payments.till import Till, soon

ESCROW, PAYABLE = ledger.escrow(BOOKING), ledger.payable(PROVIDER)


async def captured_in_part(till: Till, amount: int) -> str:
    """Somebody captures a part of an authorisation in the dashboard of an older account."""
    await till.bench.control("PUT", "/behaviour", {"releases_are_refunds": True})
    await till.tell(authorize(expires_at=soon(till.bench)))
    (intent,) = await till.bench.state("payment_intents")
    await till.bench.api.v1.payment_intents.capture_async(intent["id"], {"amount_to_capture": amount})
    (release,) = await till.bench.state("refunds")
    assert release["amount"] == PRICE - amount
    await told(till)
    return str(intent["id"])


@pytest.mark.requirement("refund-logic", "ledger", "escrow")
@pytest.mark.parametrize("amount", [2000, 2250, 3000])
async def test_the_rest_of_a_partial_capture_is_not_money_given_back(till: Till, amount: int) -> None:
    await captured_in_part(till, amount)
    assert (await till.balance(ESCROW), await till.balance(REFUND_LOSSES)) == (amount, 0)
    assert await till.engine.fetch("SELECT * FROM dashboard_refund") == []
    assert "RefundSucceeded" not in await till.events()
    await agrees(till)
    await till.tell(capture(), settle(refund=PRICE))
    assert (await till.balance(ESCROW), await till.balance(CLEARING)) == (0, 0)
    assert [one["amount"] for one in await till.bench.state("refunds")] == [PRICE - amount, amount]
    await agrees(till)


@pytest.mark.requirement("refund-logic", "escrow")
async def test_a_refund_by_hand_after_it_still_counts(till: Till) -> None:
    intent = await captured_in_part(till, 2250)
    till.bench.later(minutes=1)
    await till.bench.api.v1.refunds.create_async({"payment_intent": intent})
    await told(till)
    assert (await till.balance(ESCROW), await till.balance(CLEARING)) == (0, 0)
    assert len(await till.engine.fetch("SELECT * FROM dashboard_refund")) == 1
    await agrees(till)


@pytest.mark.requirement("refund-logic", "ledger")
async def test_a_refund_by_hand_of_just_what_was_not_captured_counts(till: Till) -> None:
    """As newer accounts have it: no Refund for the rest, so the only one gave money back."""
    await till.tell(authorize(expires_at=soon(till.bench)))
    (intent,) = await till.bench.state("payment_intents")
    await till.bench.api.v1.payment_intents.capture_async(intent["id"], {"amount_to_capture": 2250})
    await told(till)
    till.bench.later(minutes=1)
    await till.bench.api.v1.refunds.create_async({"payment_intent": intent["id"]})
    await told(till)
    assert await till.balance(ESCROW) == 0
    await agrees(till)


@pytest.mark.requirement("refund-logic", "ledger")
async def test_a_void_gives_nothing_back(till: Till) -> None:
    await till.bench.control("PUT", "/behaviour", {"releases_are_refunds": True})
    await till.tell(authorize(expires_at=soon(till.bench)), void())
    assert [one["amount"] for one in await till.bench.state("refunds")] == [PRICE]
    await told(till)
    assert (await till.balance(CLEARING), "RefundSucceeded" in await till.events()) == (0, False)
    await till.tell(authorize(attempt=2, expires_at=soon(till.bench)), capture(attempt=2))
    await told(till)
    assert await till.balance(ESCROW) == PRICE
    await agrees(till)


@pytest.mark.requirement("payment-booking-coupling")
async def test_a_report_is_open_while_any_of_the_captured_part_is_held(till: Till) -> None:
    await till.bench.control("PUT", "/behaviour", {"releases_are_refunds": True})
    orphan = await till.bench.api.v1.payment_intents.create_async(
        {
            "amount": 900,
            "currency": "eur",
            "capture_method": "manual",
            "confirm": True,
            "payment_method": "pm_card_visa",
            "metadata": {"booking_id": str(uuid4()), "attempt": "1"},
        }
    )
    await till.bench.api.v1.payment_intents.capture_async(orphan.id, {"amount_to_capture": 450})
    await till.another_round()
    assert await open_reports(till) == {orphan.id}
    till.bench.later(minutes=1)
    await till.bench.api.v1.refunds.create_async({"payment_intent": orphan.id})
    await till.another_round()
    assert await ended(till) == {orphan.id: "given back at Stripe"}


@pytest.mark.parametrize(
    ("refund", "release"),
    [
        ({"amount": 25, "created": 9, "charge": {"amount": 45, "amount_captured": 20}}, True),
        ({"amount": 24, "created": 9, "charge": {"amount": 45, "amount_captured": 20}}, False),
        ({"amount": 45, "created": 9, "charge": {"amount": 45, "amount_captured": 45}}, False),
        ({"amount": 45, "created": 9, "charge": {"amount": 45, "amount_captured": 0}}, True),
        ({"amount": 45, "created": 9, "charge": "ch_1"}, False),
        ({"amount": 45, "created": 9}, False),
        (None, False),
    ],
)
def test_what_stripe_leaves_out_decides_nothing(refund: object, release: bool) -> None:
    assert is_release(refund) is release
