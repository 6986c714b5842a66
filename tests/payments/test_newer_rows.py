"""What a newer build may have written into payments' rows: read where it can be, named where not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from booking_contracts.types import Money

from services.chassis.failures import NewerBuild
from services.chassis.messages import Message, Raw
from services.chassis.reading import Reader
from services.payments.app import SERVICE
from services.payments.local_messages import AuthorizeLater
from services.payments.model.chargeback import Chargeback
from services.payments.model.declines import Decline
from services.payments.model.payment import Operation, Payment, Status, Terms
from services.payments.model.payout import Payout
from services.payments.model.refund import Refund
from services.payments.store import rows
from services.payments.store.tables import CHARGEBACK, PAYMENT, PAYOUT, REFUND
from tests.payments.builders import BOOKING, NOW, PROVIDER, authorize
from tests.payments.builders import PAYMENT as PAYMENT_ID

TERMS = Terms("card", Money(amount=4500, currency="EUR"), "bob", PROVIDER, None, 500)
PAID = Payment(BOOKING, PAYMENT_ID, "correlation", status=Status.AUTHORIZED, terms=TERMS, calling=Operation.CAPTURE)
DECLINED = replace(PAID, status=Status.DECLINED, decline=Decline("card_declined", True, "Try another card."))
KNOWN: list[tuple[Callable[[Any], Any], Any, Any]] = [
    (rows.payment, PAYMENT, PAID),
    (rows.payment, PAYMENT, DECLINED),
    (rows.payment, PAYMENT, Payment(BOOKING, PAYMENT_ID, "correlation")),
    (rows.refund, REFUND, Refund(PAYMENT_ID, BOOKING, 1, 1, "pi_1", 4500)),
    (rows.payout, PAYOUT, Payout(PAYMENT_ID, BOOKING, 1, 1, PROVIDER, "acct_1", 4000, "EUR", "ch_1")),
    (rows.chargeback, CHARGEBACK, Chargeback("dp_1", BOOKING, "pi_1", 4500, "EUR")),
]


def row_of(kept: Any, row: Any) -> Any:
    """The row that the table's statements write."""
    return dict(zip(kept.table.columns().split(", "), (read(row) for read in kept.insert.reads), strict=True))


@pytest.mark.parametrize(("read", "kept", "row"), KNOWN)
def test_columns_that_this_build_does_not_know_are_passed_over(read: Callable[[Any], Any], kept: Any, row: Any) -> None:
    assert read({**row_of(kept, row), "planted": "of a newer build"}) == row


@pytest.mark.parametrize(
    ("number", "column", "value", "place"),
    [
        (0, "status", "parked", "payment.status holds 'parked'"),
        (0, "calling", "increment", "payment.calling holds 'increment'"),
        (0, "action", "call_bank", "payment.action holds 'call_bank'"),
        (0, "method", "bank", "payment.method holds 'bank'"),
        (3, "status", "on_hold", "refund.status"),
        (4, "status", "on_hold", "payout.status"),
        (5, "outcome", "appealed", "chargeback.outcome"),
    ],
)
def test_a_value_that_is_not_understood_is_a_newer_builds(number: int, column: str, value: str, place: str) -> None:
    read, kept, row = KNOWN[number]
    with pytest.raises(NewerBuild, match=place):
        read({**row_of(kept, row), column: value})


def test_a_command_that_waits_in_a_timer_is_read_without_the_fields_of_a_newer_build() -> None:
    waiting = AuthorizeLater(booking_id=BOOKING, command=authorize())
    body = json.loads(waiting.model_dump_json())
    body["command"]["surprise"] = body["command"]["amount"]["vat"] = 1
    headers = [("ce_id", str(uuid4())), ("ce_correlationid", "correlation")]
    raw = Raw(waiting.ce_type, 0, 0, b"", headers, json.dumps(body).encode(), row=uuid4())
    message = Reader(SERVICE).read(raw, NOW)
    assert isinstance(message, Message)
    assert message.body == waiting
