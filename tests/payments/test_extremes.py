"""Amounts at the ends of what a command may name, many times over: decided, told, and the books balance."""

from __future__ import annotations

import contextlib

import pytest
from booking_contracts.codes import Rejected
from booking_contracts.types import MAX_AMOUNT_MINOR, Price
from hypothesis import given, settings
from hypothesis import strategies as st

from services.payments.model.wallet import Part, PartStatus
from tests.payments.builders import authorize, capture, settle, void
from tests.payments.test_wallets import WALLET, Purse, withdraw

AMOUNTS = st.sampled_from([1, 2, MAX_AMOUNT_MINOR - 1, MAX_AMOUNT_MINOR])
STEPS = st.sampled_from(["top up", "top up", "top up declined", "withdraw", "sent", "failed", "book", "take", "void"])


@pytest.mark.requirement("wallet", "ledger", "bad-input")
@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(STEPS, AMOUNTS, AMOUNTS), max_size=25))
def test_every_amount_that_is_read_is_decided(steps: list[tuple[str, int, int]]) -> None:
    world, attempt = Purse(), 0
    for step, amount, part in steps:
        with contextlib.suppress(Rejected):
            if step.startswith("top up"):
                world.charged(amount, *([""] if step.endswith("declined") else []))
            elif step == "withdraw":
                world.tell(withdraw(amount))
            elif step in ("sent", "failed"):
                if any(one.status is PartStatus.PENDING for one in world.work.all(Part)):
                    world.part_is({"sent": "succeeded", "failed": "failed"}[step])
            elif step == "book":
                attempt += 1
                price = Price(amount=amount, currency="EUR")
                world.tell(authorize(attempt, amount=price, payment=WALLET, commission_bps=10_000))
            elif attempt and step == "take":
                world.tell(capture(attempt))
                held = world.payment.captured_minor
                world.tell(settle(min(part, held), held - min(part, held), attempt=attempt))
            elif attempt:
                world.tell(void(attempt))
        assert min(world.holds) >= 0
