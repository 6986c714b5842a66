"""Each call to Stripe × its answer lost × what somebody does at Stripe in between: every cent ends where it belongs.

Nothing of ours hears of it before the answer, then all of it at once: events in the order in which Stripe made them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from booking_contracts.envelope import MessageBody

from services.payments.model import ledger
from tests.payments.builders import BOOKING, PRICE, PROVIDER, authorize, capture, settle, void
from tests.payments.strange_hands import (
    AVAILABLE,
    LOCKED,
    agrees,
    answer_is_lost,
    dispute,
    fail_refund,
    heard,
    noted,
    refund_by_hand,
    reverse,
    told,
    top_up,
    withdraw,
)
from tests.payments.till import Till, soon

HALF = PRICE // 2
Deed = Callable[[Till], Awaitable[object]]


def steps_until(call: str, till: Till) -> list[MessageBody]:
    """The commands up to the one whose call is struck."""
    booked = authorize(expires_at=soon(till.bench), payout_account="acct_1")
    ways: dict[str, list[MessageBody]] = {
        "authorize": [booked],
        "capture": [booked, capture()],
        "void": [booked, void()],
        "refund": [booked, capture(), settle(refund=HALF, release=PRICE - HALF)],
        "top up": [top_up(PRICE)],
        "withdraw": [top_up(PRICE), withdraw(HALF)],
    }
    return ways[call]


async def nothing(till: Till) -> None:
    """As a measure."""


async def part_refunded(till: Till) -> None:
    await refund_by_hand(till, 1000, refund_id="RF-1")


async def refunded_and_failed(till: Till) -> None:
    await fail_refund(till, await refund_by_hand(till, 1000))


async def disputed(till: Till) -> None:
    await dispute(till, amount=1000)


async def lost(till: Till) -> None:
    found = await dispute(till, amount=1000)
    await till.bench.control("POST", f"/disputes/{found}/close", {"status": "lost"})


async def lost_then_won(till: Till) -> None:
    found = await dispute(till, amount=1000)
    for status in ("lost", "won"):
        await till.bench.control("POST", f"/disputes/{found}/change", {"status": status})


async def sent_back(till: Till) -> None:
    """The bank sends our own refund back."""
    await fail_refund(till, (await till.bench.state("refunds"))[0]["id"])


async def called_off(till: Till) -> None:
    refund = (await till.bench.state("refunds"))[0]["id"]
    await fail_refund(till, refund, status="canceled", reason="merchant_request")


async def taken_back(till: Till) -> None:
    await reverse(till, 500)


CHARGED: tuple[Deed, ...] = (nothing, part_refunded, refunded_and_failed, disputed, lost, lost_then_won)
REFUNDED: tuple[Deed, ...] = (*CHARGED, sent_back, called_off)
CASES = [
    *(("authorize", deed) for deed in (nothing,)),
    *(("void", deed) for deed in (nothing,)),
    *(("capture", deed) for deed in CHARGED),
    *(("refund", deed) for deed in (*REFUNDED, taken_back)),
    *(("top up", deed) for deed in CHARGED),
    *(("withdraw", deed) for deed in REFUNDED),
]


@pytest.mark.requirement("ledger", "retry-mechanism", "refund-logic", "chargebacks", "wallet", "webhooks")
@pytest.mark.parametrize("acted", [True, False], ids=["answer lost", "call not made yet"])
@pytest.mark.parametrize(("call", "deed"), CASES, ids=lambda one: getattr(one, "__name__", one))
async def test_every_cent_ends_where_it_belongs(till: Till, call: str, deed: Deed, acted: bool) -> None:
    await till.bench.control("PUT", "/behaviour", {"refunds_without_balance": "overdrawn"})
    *before, last = steps_until(call, till)
    for step in before:
        await till.tell(step)
    await till.tell(last, settle=False)
    if acted or not before or deed in (sent_back, called_off, taken_back) or call == "capture":
        await answer_is_lost(till)
    await deed(till)
    await heard(till)
    await till.settle()
    for _ in range(3):
        await told(till)
    await agrees(till)
    await nobody_waits(till)
    assert await noted(till) == []
    assert await what_the_payer_has_paid(till) == await what_our_books_say(till)


async def nobody_waits(till: Till) -> None:
    """No row waits for Stripe, nothing is overdrawn, and what a dispute has taken is accounted for."""
    for table in ("payment WHERE calling IS NOT NULL", "refund WHERE calling", "chargeback WHERE calling"):
        assert await till.engine.fetch(f"SELECT * FROM {table}") == []
    for table in ("top_up", "withdrawal_part", "payout"):
        assert await till.engine.fetch(f"SELECT * FROM {table} WHERE status = 'pending'") == []
    rows = await till.engine.fetch("SELECT * FROM ledger_balance WHERE balance_minor < 0")
    assert rows == []


async def what_the_payer_has_paid(till: Till) -> int:
    """By Stripe's own figures: what the payer of the one charge is out of pocket."""
    paid = sum(int(one["amount_received"]) for one in await till.bench.state("payment_intents"))
    paid -= sum(
        int(one["amount"]) for one in await till.bench.state("refunds") if one["status"] in ("pending", "succeeded")
    )
    return paid + sum(_moved(one) for one in await till.bench.state("disputes"))


def _moved(dispute: Any) -> int:
    return sum(int(one["amount"]) for one in dispute["balance_transactions"])


async def what_our_books_say(till: Till) -> int:
    """What became of it by the ledger: in escrow or wallet, with the provider, ours, less what is owed or lost."""
    transferred = sum(int(one["amount"]) - int(one["amount_reversed"]) for one in await till.bench.state("transfers"))
    accounts = (
        *(ledger.escrow(BOOKING), ledger.refund_owed(BOOKING), ledger.payable(PROVIDER), ledger.COMMISSION),
        *(AVAILABLE, LOCKED, ledger.LOSSES, ledger.REFUND_LOSSES),
    )
    rows = await till.engine.fetch("SELECT account, amount_minor FROM ledger_entry WHERE account LIKE 'chargeback:du%'")
    between = sum(int(row["amount_minor"]) for row in rows)
    return transferred + between + sum([await till.balance(account) for account in accounts])
