"""Money that waits for somebody: shown, tried again, or ended as paid outside, by who may move money alone."""

from __future__ import annotations

import asyncpg
import pytest

from services.payments import operator
from tests.console.acting import WHY, Operations, dialog, do, kept, mona, operations, otto, refused, told_by
from tests.console.conftest import Visitor
from tests.payments.conftest import bench, engine, till
from tests.payments.test_accounts import released
from tests.payments.test_paid_outside import TRANSFER, parked
from tests.payments.till import Till

__all__ = ["bench", "engine", "mona", "operations", "otto", "till"]
pytestmark = pytest.mark.requirement("console", "refund-logic")


async def test_a_failed_refund_is_shown_and_ended_by_who_may_move_money(
    mona: Visitor, till: Till, operations: Operations[asyncpg.Record]
) -> None:
    refund = await parked(till)
    page = await mona.shown("/money")
    assert "45.00 EUR" in page
    assert "/acts/money-paid-outside?" in page
    assert "ledger says that it was paid" in await mona.shown(dialog("money-paid-outside", refund_id=refund))
    said = await do(mona, "money-paid-outside", refund_id=refund, asked={"reference": TRANSFER})
    assert "paid outside" in said
    (row,) = await till.engine.fetch("SELECT by_whom, reference FROM refund_paid_outside WHERE refund_id = $1", refund)
    assert tuple(row) == ("mona", TRANSFER)
    ((*of, outcome),) = await kept(operations, refund)
    assert of == ["mona", "money-paid-outside", "payments", WHY]
    assert "has ended: paid outside" in outcome
    assert "is no failed refund" in await mona.shown(dialog("money-paid-outside", refund_id=refund), status=409)


async def test_without_a_reference_it_is_asked_again_and_nothing_is_done(mona: Visitor, till: Till) -> None:
    refund = await parked(till)
    said = await do(mona, "money-paid-outside", status=422, refund_id=refund, asked={"reference": ""})
    assert "Reference" in said
    assert "ledger says that it was paid" in said, "what will happen stands there still"
    assert await till.engine.fetch("SELECT FROM refund_paid_outside") == []


async def test_a_failed_refund_is_tried_again(
    mona: Visitor, till: Till, operations: Operations[asyncpg.Record]
) -> None:
    refund = await parked(till)
    assert "to the card that paid" in await mona.shown(dialog("money-try-again", waiting_id=refund))
    said = await do(mona, "money-try-again", status=409, waiting_id=refund, asked={"account": "acct_1"})
    assert "it goes to the card that paid" in said
    before = len(await till.engine.fetch("SELECT FROM local_message"))
    assert "is tried again" in await do(mona, "money-try-again", waiting_id=refund)
    assert len(await till.engine.fetch("SELECT FROM local_message")) == before + 1
    first, second = await kept(operations, refund)
    assert first[-1].startswith("not done: ")
    assert "is tried again" in second[-1]
    assert told_by(await mona.shown("/money"), "mona", "money-try-again", WHY, "is tried again", "and before that")


async def test_a_payout_without_an_account_goes_to_the_one_that_is_named(mona: Visitor, till: Till) -> None:
    await released(till)
    (waiting,) = await operator.waiting(await till.engine.session.connection())
    assert "40.50 EUR" in await mona.shown("/money")
    assert "name one" in await do(mona, "money-try-again", status=409, waiting_id=waiting.id)
    await do(mona, "money-try-again", waiting_id=waiting.id, asked={"account": "acct_named", "from_balance": "true"})
    (row,) = await till.engine.fetch("SELECT body FROM local_message WHERE type = 'local.PayoutAgain'")
    assert b'"account":"acct_named","from_balance":true' in row["body"]


async def test_an_operator_sees_it_and_moves_nothing(otto: Visitor, till: Till) -> None:
    refund = await parked(till)
    page = await otto.shown("/money")
    assert "45.00 EUR" in page
    assert "/acts/money" not in page
    await refused(otto, "money-try-again", waiting_id=refund)
    await refused(otto, "money-paid-outside", refund_id=refund, reference=TRANSFER)
    assert await till.engine.fetch("SELECT FROM refund_paid_outside") == []


async def test_money_that_is_parked_is_told_by_now_in_its_first_line_with_why(mona: Visitor, till: Till) -> None:
    assert "none is parked" in await mona.shown("/")
    await parked(till)
    (row,) = await till.engine.fetch("SELECT failure FROM refund")
    said = f'<p><a href="/money">refunds are parked: 1; one of them for {row["failure"]}</a></p>'
    page = await mona.shown("/")
    assert said in page[page.index("<h2>Money") :]
    assert "none is parked" not in page


async def test_a_payout_that_is_parked_is_told_likewise(mona: Visitor, till: Till) -> None:
    await released(till)
    assert '<a href="/money">payouts have no account to go to: 1</a>' in await mona.shown("/")
    await till.engine.fetch("UPDATE payout SET status = 'parked', account = 'acct_1', failure = 'account_closed'")
    assert '<a href="/money">payouts are parked: 1; one of them for account_closed</a>' in await mona.shown("/")
