"""Every posting balances, whatever happens to a payment (requirement ledger)."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.payments.model import ledger
from services.payments.model.ledger import CLEARING, COMMISSION
from services.payments.model.settlement import split
from tests.payments.builders import BOOKING, PRICE, PROVIDER, World, authorize, capture, settle, void

ESCROW = ledger.escrow(BOOKING)


@pytest.mark.requirement("ledger")
@given(st.integers(1, 10**12), st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 10_000))
def test_captured_and_settled_postings_balance(escrow: int, refund: int, release: int, bps: int) -> None:
    lines = [
        *ledger.captured(BOOKING, "EUR", escrow),
        *ledger.settled(BOOKING, PROVIDER, "EUR", split(escrow, refund, release, bps)),
    ]
    assert ledger.unbalanced(lines) == {}
    assert all(line.amount_minor for line in lines)
    assert sum(line.amount_minor for line in lines if line.account == ESCROW) >= 0


def test_a_posting_that_does_not_balance_is_a_fault_of_ours() -> None:
    with pytest.raises(AssertionError):
        ledger.entries("EUR", {"a": 1, "b": -2})


@pytest.mark.requirement("ledger", "escrow")
def test_capture_and_settlement_are_posted() -> None:
    world = World().captured()
    assert (world.balance(ESCROW), world.balance(CLEARING)) == (PRICE, -PRICE)
    world.tell(settle(refund=2000, release=2500))
    assert world.balance(ESCROW) == 0
    assert world.balance(CLEARING) == -2500
    assert world.balance(ledger.payable(PROVIDER)) == 2250
    assert world.balance(COMMISSION) == 250


@pytest.mark.requirement("ledger", "refund-logic")
def test_a_refund_that_comes_back_is_owed_to_the_payer() -> None:
    world = World().captured()
    world.tell(settle(refund=PRICE))
    assert world.balance(CLEARING) == 0
    world.refund_is("failed", "expired_or_canceled_card")
    assert (world.balance(CLEARING), world.balance(ledger.refund_owed(BOOKING))) == (-PRICE, PRICE)


STEPS = st.lists(
    st.sampled_from(["capture", "void", "settle", "requires_capture", "succeeded", "canceled", "requires_action", ""]),
    max_size=12,
)


@pytest.mark.requirement("ledger", "escrow")
@settings(max_examples=300)
@given(STEPS)
def test_no_order_of_messages_loses_or_makes_money(steps: list[str]) -> None:
    """Commands in any order, each open call answered in any way: books balance and amounts agree with them."""
    world = World()
    world.tell(authorize())
    for number, step in enumerate(steps):
        commands = {"capture": capture(), "void": void(), "settle": settle(2000, 2500, settlement_id=UUID(int=number))}
        if step in commands:
            world.tell(commands[step])
        elif world.payment.calling is not None:
            world.stripe_says(step)
    payment = world.payment
    assert ledger.unbalanced(world.entries) == {}
    assert world.balance(ESCROW) == payment.escrow_minor >= 0
    assert payment.escrow_minor + payment.refunded_minor + payment.released_minor == payment.captured_minor
    assert payment.captured_minor in (0, PRICE)
    sequences = [send.sequence for send in world.sends]
    assert sequences == list(range(1, len(sequences) + 1))
