"""Each call to Stripe, struck by each fault and by the death of the process between two steps: money moves once."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import pytest
from booking_contracts.payments import TopUpWallet, WithdrawFromWallet
from booking_contracts.types import Actor, Price

from services.payments.model import ledger
from tests.payments.builders import BOOKING, PRICE, PROVIDER, authorize, capture, settle, void
from tests.payments.till import Till, soon

BOB = Actor(kind="customer", id="bob")
DEAD = UUID(int=0xDEAD)
REFUND, RELEASE, COMMISSION = 1500, PRICE - 1500, 300
TOP_UP, WITHDRAWN = 3000, 2000
OPERATIONS = (
    "payment_intents.create",
    "payment_intents.capture",
    "payment_intents.cancel",
    "refunds.create",
    "transfers.create",
)
FAULTS: dict[str, dict[str, Any]] = {
    "time-out before effect": {"kind": "timeout_before", "seconds": 0.05},
    "time-out after effect": {"kind": "timeout_after", "seconds": 0.05},
    "stored 500 without effect": {"kind": "500"},
    "stored 500 with effect": {"kind": "500", "effect": True},
    "429": {"kind": "429"},
    "connection reset": {"kind": "connection_reset"},
}


async def play(till: Till, *, dies: bool = False) -> None:
    """A booking that is settled in part, one that is voided, a wallet topped up and withdrawn from."""
    steps = [
        authorize(expires_at=soon(till.bench), payout_account="acct_1"),
        capture(),
        settle(refund=REFUND, release=RELEASE),
        authorize(expires_at=soon(till.bench), booking_id=DEAD, payment_id=uuid4()),
        void().model_copy(update={"booking_id": DEAD}),
        TopUpWallet(
            customer_id="bob", amount=Price(amount=TOP_UP, currency="EUR"), payment_method="pm_card_visa", actor=BOB
        ),
        WithdrawFromWallet(customer_id="bob", amount=Price(amount=WITHDRAWN, currency="EUR"), actor=BOB),
    ]
    for step in steps:
        await till.tell(step, settle=False)
        if dies:
            await till.answers()  # Stripe has acted, and nobody is left to hear it
        await till.settle()


async def moved_once(till: Till) -> None:
    """Two charges, one for each purpose; a cancelled authorisation; refunds, a transfer and postings to match."""
    intents = Counter((one["status"], one["amount_received"]) for one in await till.bench.state("payment_intents"))
    assert intents == {("succeeded", PRICE): 1, ("succeeded", TOP_UP): 1, ("canceled", 0): 1}
    assert sorted(refund["amount"] for refund in await till.bench.state("refunds")) == [REFUND, WITHDRAWN]
    assert [transfer["amount"] for transfer in await till.bench.state("transfers")] == [RELEASE - COMMISSION]
    assert -await till.balance(ledger.CLEARING) == PRICE - REFUND - (RELEASE - COMMISSION) + TOP_UP - WITHDRAWN
    assert await till.balance(ledger.escrow(BOOKING)) == await till.balance(ledger.payable(PROVIDER)) == 0
    assert await till.balance(ledger.COMMISSION) == COMMISSION
    assert await till.balance(ledger.available("bob")) == TOP_UP - WITHDRAWN
    events = Counter(await till.events())
    assert max(events[name] for name in ("PaymentCaptured", "PaymentSettled", "PaymentVoided", "RefundSucceeded")) == 1


@pytest.mark.requirement("retry-mechanism", "ledger", "refund-logic", "provider-payouts", "wallet")
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_at_a_call_moves_money_once(till: Till, operation: str, fault: str) -> None:
    await till.bench.faults({"operation": operation, "count": 1, **FAULTS[fault]})
    await play(till)
    (struck,) = await till.bench.control("GET", "/faults")
    assert struck["fired"] == 1
    await moved_once(till)


@pytest.mark.requirement("retry-mechanism", "ledger", "refund-logic", "provider-payouts", "wallet")
async def test_a_process_that_dies_between_every_call_and_its_record_moves_money_once(till: Till) -> None:
    await play(till, dies=True)
    await moved_once(till)
