"""Every posting, line by line: from which account to which, in the payment's currency (requirement ledger)."""

from __future__ import annotations

import pytest

from services.payments.model import ledger
from services.payments.model.dashboard_refund import Cover
from services.payments.model.ledger import CLEARING, COMMISSION, LOSSES, OUTSIDE, REFUND_LOSSES, Entry
from services.payments.model.settlement import Split
from tests.payments.builders import BOOKING, PROVIDER

CURRENCY = "CHF"
ESCROW, OWED, PAYABLE = ledger.escrow(BOOKING), ledger.refund_owed(BOOKING), ledger.payable(PROVIDER)
AVAILABLE, LOCKED, DISPUTED = "wallet:bob:available", "wallet:bob:locked", "chargeback:du_1"


@pytest.mark.requirement("ledger")
@pytest.mark.parametrize(
    ("posted", "lines"),
    [
        (ledger.captured(BOOKING, CURRENCY, 9), {CLEARING: -9, ESCROW: 9}),
        (ledger.captured(BOOKING, CURRENCY, 9, wallet="bob"), {LOCKED: -9, ESCROW: 9}),
        (
            ledger.settled(BOOKING, PROVIDER, CURRENCY, Split(4, 5, 2)),
            {ESCROW: -9, CLEARING: 4, PAYABLE: 3, COMMISSION: 2},
        ),
        (
            ledger.settled(BOOKING, PROVIDER, CURRENCY, Split(4, 5, 2), wallet="bob"),
            {ESCROW: -9, AVAILABLE: 4, PAYABLE: 3, COMMISSION: 2},
        ),
        (ledger.refund_came_back(BOOKING, CURRENCY, 9), {CLEARING: -9, OWED: 9}),
        (ledger.refund_sent_again(BOOKING, CURRENCY, 9), {OWED: -9, CLEARING: 9}),
        (ledger.refund_paid_outside(BOOKING, CURRENCY, 9), {OWED: -9, OUTSIDE: 9}),
        (
            ledger.refunded_at_stripe(BOOKING, CURRENCY, Cover(1, 2, 4)),
            {OWED: -1, ESCROW: -2, REFUND_LOSSES: -4, CLEARING: 7},
        ),
        (
            ledger.top_up_refunded_at_stripe("bob", CURRENCY, 9, 7),
            {AVAILABLE: -7, REFUND_LOSSES: -2, CLEARING: 9},
        ),
        (
            ledger.top_up_refunded_at_stripe("bob", CURRENCY, -9, -7),
            {AVAILABLE: 7, REFUND_LOSSES: 2, CLEARING: -9},
        ),
        (ledger.chargeback_opened("du_1", CURRENCY, 9), {DISPUTED: -9, CLEARING: 9}),
        (ledger.chargeback_won("du_1", CURRENCY, 9), {CLEARING: -9, DISPUTED: 9}),
        (
            ledger.chargeback_lost("du_1", CURRENCY, 9, {ESCROW: 4, OWED: 3}),
            {DISPUTED: 9, ESCROW: -4, OWED: -3, LOSSES: -2},
        ),
        (
            ledger.chargeback_lost("du_1", CURRENCY, 9, {}),
            {DISPUTED: 9, LOSSES: -9},
        ),
        (
            ledger.chargeback_lost("du_1", CURRENCY, 9, {LOCKED: 4, AVAILABLE: 3}),
            {DISPUTED: 9, LOCKED: -4, AVAILABLE: -3, LOSSES: -2},
        ),
    ],
)
def test_a_posting(posted: tuple[Entry, ...], lines: dict[str, int]) -> None:
    assert {entry.account: entry.amount_minor for entry in posted} == lines
    assert {entry.currency for entry in posted} == {CURRENCY}


@pytest.mark.requirement("ledger")
def test_what_does_not_balance_is_named_with_its_amount() -> None:
    assert ledger.unbalanced([Entry("a", 5, "EUR"), Entry("b", -3, "EUR"), Entry("c", 4, "USD")]) == {
        "EUR": 2,
        "USD": 4,
    }
