"""What is stored, here and at Stripe, is never called otherwise (requirements retry-mechanism, ledger)."""

from __future__ import annotations

from uuid import UUID

import pytest

from services.payments.model import idempotency_keys
from services.payments.model.ledger import Cause
from services.payments.model.payment import Operation
from services.payments.model.stripe_operations import StripeOperation

BOOKING, COMMAND = UUID(int=1), UUID(int=2)


@pytest.mark.requirement("retry-mechanism")
@pytest.mark.parametrize(
    ("key", "stored"),
    [
        (idempotency_keys.of_intent(BOOKING, Operation.AUTHORIZE, 2), f"{BOOKING}:authorize:2"),
        (idempotency_keys.of_intent(BOOKING, Operation.CAPTURE, 1), f"{BOOKING}:capture:1"),
        (idempotency_keys.of_leftover(BOOKING, 2, "pi_1"), f"{BOOKING}:leftover:2:pi_1"),
        (idempotency_keys.of_refund(BOOKING, 1, 1, 1), f"{BOOKING}:refund:1"),
        (idempotency_keys.of_refund(BOOKING, 1, 2, 3), f"{BOOKING}:refund-2:1:try-3"),
        (idempotency_keys.of_payout(BOOKING, 1, 1, 1), f"{BOOKING}:payout:1"),
        (idempotency_keys.of_payout(BOOKING, 4, 3, 2), f"{BOOKING}:payout-3:4:try-2"),
        (idempotency_keys.of_top_up(COMMAND), f"{COMMAND}:top_up"),
        (idempotency_keys.of_withdrawal(COMMAND, 1), f"{COMMAND}:refund"),
        (idempotency_keys.of_withdrawal(COMMAND, 2), f"{COMMAND}:refund-2"),
        (idempotency_keys.of_confirmation("k"), "k:confirm"),
        (idempotency_keys.after_stored_failure("k", 0), "k"),
        (idempotency_keys.after_stored_failure("k", 2), "k:2"),
    ],
)
def test_a_key_has_its_format(key: str, stored: str) -> None:
    assert key == stored


@pytest.mark.requirement("retry-mechanism")
def test_operations_keep_their_names() -> None:
    assert {str(one) for one in (*Operation, *StripeOperation)} == {
        *("authorize", "capture", "void", "retrieve", "leftover", "refund", "retrieve_refund", "dashboard_refund"),
        *("transfer", "dispute", "top_up", "withdraw", "retrieve_part"),
    }


@pytest.mark.requirement("ledger")
def test_causes_keep_their_names() -> None:
    assert Cause.SETTLEMENT.of("x") == "settle:x"
    assert {str(cause) for cause in Cause} == {
        *("lock", "unlock", "capture", "settle", "payout", "transfer reversed", "top up"),
        *("refund failed", "refund again", "refund paid outside", "refund at Stripe", "refund at Stripe failed"),
        *("withdrawal", "withdrawn", "withdrawal came back"),
        *("chargeback", "chargeback won", "chargeback lost", "chargeback taken up"),
    }
