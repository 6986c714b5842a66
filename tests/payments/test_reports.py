"""What the reconciler can only report, until it agrees (requirement payment-booking-coupling)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from booking_contracts.types import PaymentChoice

from services.payments import operator
from services.payments.model.reconciliation import top_up_is_missing
from services.payments.model.wallet import TopUp, TopUpStatus
from tests.payments.builders import BOOKING, INTENT, NOW, authorize
from tests.payments.till import Till, soon


async def open_reports(till: Till) -> set[str]:
    rows = await operator.open_reports(await till.engine.session.connection())
    return {row["payment_intent"] for row in rows}


async def ended(till: Till) -> dict[str, str | None]:
    rows = await till.engine.fetch("SELECT payment_intent, ended FROM reconciliation")
    return {row["payment_intent"]: row["ended"] for row in rows}


@pytest.mark.requirement("payment-booking-coupling")
async def test_a_captured_orphan_is_reported_once_and_until_its_money_is_back(till: Till) -> None:
    orphan = await till.bench.charged(booking_id=str(uuid4()), attempt="1")
    await till.another_round()
    await till.engine.fetch("UPDATE reconciled_until SET until = NULL")
    await till.another_round()
    assert await open_reports(till) == {orphan}
    assert await ended(till) == {orphan: None}
    assert await till.engine.fetch("SELECT * FROM dead_letter") == []
    await till.bench.api.v1.refunds.create_async({"payment_intent": orphan, "amount": 400})
    await till.another_round()
    assert await open_reports(till) == {orphan}
    await till.bench.api.v1.refunds.create_async({"payment_intent": orphan})
    await till.another_round()
    assert await ended(till) == {orphan: "given back at Stripe"}


@pytest.mark.requirement("payment-booking-coupling", "wallet")
async def test_a_charge_for_a_wallet_that_no_top_up_knows_is_reported(till: Till) -> None:
    command_id = uuid4()
    orphan = await till.bench.charged(customer_id="bob", command_id=str(command_id))
    await till.another_round()
    assert await open_reports(till) == {orphan}
    await till.engine.fetch("INSERT INTO wallet VALUES ('bob', 0)")
    await till.engine.fetch("INSERT INTO wallet_command VALUES ($1, 'bob', '', '', NULL, true)", command_id)
    await till.engine.fetch(
        "INSERT INTO top_up VALUES ($1, 'bob', 900, 'EUR', now(), 'done', $2, 0, false)", command_id, orphan
    )
    await till.another_round()
    assert await ended(till) == {orphan: "our row agrees by now"}


@pytest.mark.requirement("payment-booking-coupling", "wallet")
@pytest.mark.parametrize("ends_after_minutes", [2, 20])
async def test_a_top_up_that_was_under_way_is_compared_again(till: Till, ends_after_minutes: int) -> None:
    """Within a quarter of an hour, or within a day, for what takes longer."""
    orphan = await till.bench.charged(customer_id="bob", command_id=str(command_id := uuid4()))
    await till.engine.fetch("INSERT INTO wallet VALUES ('bob', 0)")
    await till.engine.fetch("INSERT INTO wallet_command VALUES ($1, 'bob', '', '', NULL, true)", command_id)
    await till.engine.fetch(
        "INSERT INTO top_up VALUES ($1, 'bob', 900, 'EUR', now(), 'pending', NULL, 0, false)", command_id
    )
    await till.another_round()
    till.bench.later(minutes=ends_after_minutes)
    await till.another_round()
    await till.engine.fetch("UPDATE top_up SET status = 'declined'")
    await till.another_round()
    assert await open_reports(till) == set()
    till.bench.later(minutes=15 if ends_after_minutes < 15 else 24 * 60)
    await till.another_round()
    assert await open_reports(till) == {orphan}


@pytest.mark.requirement("payment-booking-coupling")
async def test_a_payment_whose_call_was_under_way_is_compared_again(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)))
    (mine,) = await till.bench.state("payment_intents")
    await till.bench.api.v1.payment_intents.capture_async(mine["id"])
    await till.engine.fetch("UPDATE payment SET calling = 'retrieve'")
    await till.another_round()
    await till.engine.fetch("UPDATE payment SET calling = NULL")
    await till.another_round()
    assert "PaymentCaptured" not in await till.events()
    till.bench.later(minutes=15)
    await till.another_round()
    assert (await till.events())[-1] == "PaymentCaptured"


@pytest.mark.requirement("operations-cli")
async def test_an_operator_sees_the_last_round_and_its_repairs(till: Till) -> None:
    connection = await till.engine.session.connection()
    await till.tell(authorize(expires_at=soon(till.bench)))
    (mine,) = await till.bench.state("payment_intents")
    await till.bench.api.v1.payment_intents.capture_async(mine["id"])
    await till.another_round()
    last: Any = await operator.last_round(connection)
    assert last["compared"] == 1
    (repair,) = await operator.repairs(connection, days=1)
    assert (repair["repair"], repair["booking_id"], repair["detail"]) == ("look", BOOKING, "succeeded")
    assert repair["payment_id"] is not None
    assert await operator.repairs(connection, days=-1) == []


@pytest.mark.requirement("payment-booking-coupling")
@pytest.mark.parametrize(
    ("status", "intent", "missing"),
    [
        (TopUpStatus.DONE, INTENT, False),
        (TopUpStatus.PENDING, None, False),
        (TopUpStatus.DECLINED, INTENT, True),
        (TopUpStatus.DONE, "pi_other", True),
    ],
)
def test_a_top_up_knows_its_charge_or_still_waits_for_it(status: TopUpStatus, intent: str, missing: bool) -> None:
    top_up = TopUp(uuid4(), "bob", 900, "EUR", NOW, status, intent)
    assert top_up_is_missing(top_up, INTENT, "succeeded") is missing
    assert top_up_is_missing(top_up, INTENT, "canceled") is False
    assert top_up_is_missing(None, INTENT, "succeeded") is True


@pytest.mark.requirement("webhooks", "payment-booking-coupling")
async def test_a_look_that_brings_news_no_event_told_is_recorded(till: Till) -> None:
    challenged = PaymentChoice(method="card", payment_method="pm_card_authenticationRequired")
    await till.tell(authorize(expires_at=soon(till.bench), payment=challenged))
    (intent,) = await till.bench.state("payment_intents")
    for _ in range(2):
        await till.engine.fetch("UPDATE payment SET changed_at = now() - interval '1 hour'")
        await till.another_round()
    assert await ended(till) == {}
    await till.bench.control("POST", f"/authenticate/{intent['id']}", {"success": True})
    await till.engine.fetch("UPDATE payment SET changed_at = now() - interval '1 hour'")
    await till.engine.fetch("UPDATE reconciled_until SET until = now() + interval '1 day'")
    await till.another_round()
    (line,) = await till.engine.fetch("SELECT finding, repair FROM reconciliation")
    assert tuple(line) == ("requires_action → authorized", "look")
