"""A bank that answers later: the PaymentIntent is `processing` meanwhile (docs.stripe.com, How PaymentIntents work)."""

from __future__ import annotations

import pytest
from booking_contracts.types import PaymentChoice

from services.payments.model import ledger
from tests.payments.builders import BOOKING, PRICE, authorize, capture, void
from tests.payments.test_dashboard_refunds import told
from tests.payments.till import Till, soon

LATER = PaymentChoice(method="card", payment_method="pm_card_processing")


async def under_way(till: Till) -> str:
    await till.tell(authorize(expires_at=soon(till.bench), payment=LATER))
    (intent,) = await till.bench.state("payment_intents")
    assert (intent["status"], await till.events()) == ("processing", [])
    return str(intent["id"])


@pytest.mark.requirement("payment-capture-timing", "failure-handling")
@pytest.mark.parametrize(("success", "event"), [(True, "PaymentAuthorized"), (False, "PaymentDeclined")])
async def test_it_is_authorised_or_declined_when_the_bank_answers(till: Till, success: bool, event: str) -> None:
    intent = await under_way(till)
    await till.bench.control("POST", f"/processing/{intent}", {"success": success})
    await told(till)
    assert (await till.events())[-1] == event
    if success:
        await till.tell(capture())
        assert await till.balance(ledger.escrow(BOOKING)) == PRICE


@pytest.mark.requirement("late-payment")
async def test_a_void_meanwhile_leaves_nothing_reserved(till: Till) -> None:
    intent = await under_way(till)
    await till.tell(void(), settle=False)
    for _ in range(3):
        if results := await till.answers():
            await till.engine.run(*results)
        await till.engine.run_local()
    await till.bench.control("POST", f"/processing/{intent}", {"success": True})
    await told(till)
    await till.another_round()
    (found,) = await till.bench.state("payment_intents")
    assert found["status"] == "canceled"
    assert (await till.events())[-1] == "PaymentVoided"
