"""A failed refund that an operator has paid by other means (requirement refund-logic)."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from booking_contracts.types import PaymentChoice

from services.chassis import local_messages
from services.chassis.statements import Statements
from services.chassis.unit_of_work import Remind
from services.payments import operator
from services.payments.local_messages import RefundAgain, RefundTold
from services.payments.model import ledger
from services.payments.model.ledger import CLEARING, OUTSIDE
from tests.payments.builders import BOOKING, PRICE, authorize, capture, settle
from tests.payments.till import Till, soon

OWED = ledger.refund_owed(BOOKING)
TRANSFER = "bank transfer 4711"
REFUND_FAILS = PaymentChoice(method="card", payment_method="pm_card_refundFail")


async def parked(till: Till) -> UUID:
    """A refund that the bank has sent back, on the operator's list."""
    await till.tell(authorize(expires_at=soon(till.bench), payment=REFUND_FAILS), capture())
    await till.tell(settle(refund=PRICE))
    (refund,) = await till.bench.state("refunds")
    await till.bench.control("POST", f"/refunds/{refund['id']}/fail")
    await till.sweep()
    (waiting,) = await operator.waiting(await till.engine.session.connection())
    return waiting.id


async def pay(till: Till, refund_id: UUID, *, reference: str = TRANSFER, by_whom: str = "mia") -> str:
    connection = await till.engine.session.connection()
    return await operator.paid_outside(connection, till.bench.clock, refund_id, by_whom=by_whom, reference=reference)


async def written(till: Till) -> tuple[Any, ...]:
    """How many rows there are of all that such an act writes."""
    tables = ("ledger_transaction", "ledger_entry", "outbox", "refund_paid_outside", "local_message")
    return tuple([(await till.engine.fetch(f"SELECT count(*) FROM {table}"))[0][0] for table in tables])


@pytest.mark.requirement("refund-logic", "ledger")
async def test_it_ends_the_refund_and_is_posted_and_told(till: Till) -> None:
    refund_id = await parked(till)
    assert "has ended" in await pay(till, refund_id)
    assert (await till.events())[-2:] == ["RefundFailed", "RefundSucceeded"]
    sent = (await till.engine.sent())[-1]
    assert (sent.body["amount"]["amount"], sent.sequence) == (PRICE, 6)
    balances = [await till.balance(account) for account in (OWED, OUTSIDE, CLEARING)]
    assert balances == [0, PRICE, -PRICE], "Stripe holds what the other account has paid"
    assert await operator.waiting(await till.engine.session.connection()) == []
    (kept,) = await till.engine.fetch("SELECT refund_id, by_whom, reference FROM refund_paid_outside")
    assert tuple(kept) == (refund_id, "mia", TRANSFER)


@pytest.mark.requirement("refund-logic")
async def test_said_twice_it_changes_nothing(till: Till) -> None:
    refund_id = await parked(till)
    await pay(till, refund_id)
    before = await written(till)
    assert f"before: {TRANSFER}, by mia" in await pay(till, refund_id, by_whom="tom")
    with pytest.raises(operator.NotWaiting, match=TRANSFER):
        await pay(till, refund_id, reference="another transfer")
    assert await written(till) == before


@pytest.mark.requirement("refund-logic")
async def test_nothing_that_still_comes_brings_it_back(till: Till) -> None:
    refund_id = await parked(till)
    await pay(till, refund_id)
    before = await written(till)
    (refund,) = await till.bench.state("refunds")
    changed = RefundTold(
        event_id="evt_late",
        event_type="refund.failed",
        booking_id=BOOKING,
        refund_id=refund_id,
        stripe_refund=refund["id"],
        status="failed",
    )
    again = RefundAgain(booking_id=BOOKING, refund_id=refund_id, tries=1, by_operator=True)
    timers = [Remind(uuid4(), body, str(BOOKING), till.bench.clock.now(), None) for body in (changed, again)]
    async with Statements(await till.engine.session.connection()) as writes:
        local_messages.save_timers(writes, timers)
    await till.settle()
    with pytest.raises(operator.NotWaiting):
        await operator.try_again(await till.engine.session.connection(), refund_id, till.bench.clock.now())
    assert await written(till) == before
    assert len(await till.bench.state("refunds")) == 1


@pytest.mark.requirement("refund-logic")
async def test_what_may_still_reach_the_card_is_not_paid_twice(till: Till) -> None:
    refund_id = await parked(till)
    await operator.try_again(await till.engine.session.connection(), refund_id, till.bench.clock.now())
    await till.engine.run_local()
    with pytest.raises(operator.NotWaiting, match="being asked about"):
        await pay(till, refund_id)
    await till.settle()
    with pytest.raises(operator.NotWaiting, match="is succeeded"):
        await pay(till, refund_id)
    assert await till.balance(OUTSIDE) == 0


@pytest.mark.requirement("refund-logic")
async def test_a_refund_that_stripe_is_asked_about_waits_for_no_operator(till: Till) -> None:
    refund_id = await parked(till)
    await till.engine.fetch("UPDATE refund SET calling = true")
    connection = await till.engine.session.connection()
    assert await operator.waiting(connection) == []
    with pytest.raises(operator.NotWaiting, match="say it again in a moment"):
        await pay(till, refund_id)
    with pytest.raises(operator.NotWaiting):
        await operator.try_again(connection, refund_id, till.bench.clock.now())


@pytest.mark.requirement("refund-logic")
async def test_it_needs_a_refund_a_name_and_a_reference(till: Till) -> None:
    refund_id = await parked(till)
    for refund, reference, by_whom in ((uuid4(), "x", "mia"), (refund_id, " ", "mia"), (refund_id, "x", "")):
        with pytest.raises(operator.NotWaiting):
            await pay(till, refund, reference=reference, by_whom=by_whom)
    assert await till.balance(OWED) == PRICE


@pytest.mark.requirement("refund-logic", "history-tracking")
@pytest.mark.parametrize("query", ["UPDATE refund_paid_outside SET by_whom = 'x'", "DELETE FROM refund_paid_outside"])
async def test_who_has_paid_is_kept_as_it_was_written(till: Till, query: str) -> None:
    await pay(till, await parked(till))
    with pytest.raises(asyncpg.CheckViolationError, match="kept as it was written"):
        await till.engine.fetch(query)
