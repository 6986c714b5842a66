"""Results that were lost: discarded by an operator, or set aside by a fault of ours. Nobody waits for ever."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from booking_contracts.payments import TopUpWallet, WithdrawFromWallet
from booking_contracts.types import Actor, Price

from services.payments import gauges, metrics
from services.payments.model import ledger
from services.payments.reconciliation import lost_results, overdue
from services.payments.stripe_events.sweeper import ON_THE_WAY, Sweeper
from tests.payments.builders import BOOKING, PRICE, authorize, capture, settle, void
from tests.payments.till import Till, soon

BOB = Actor(kind="customer", id="bob")
TOP_UP = TopUpWallet(
    customer_id="bob", amount=Price(amount=3000, currency="EUR"), payment_method="pm_card_visa", actor=BOB
)
WITHDRAWAL = WithdrawFromWallet(customer_id="bob", amount=Price(amount=2000, currency="EUR"), actor=BOB)


async def lose(till: Till, *, minutes: int = 11) -> list[str]:
    """Stripe has acted, the result is gone: what a discarded letter leaves. Returns the operations."""
    await till.answers()
    rows = await till.engine.fetch(
        "UPDATE gateway_call SET state = 'done', opened_at = now() - make_interval(mins => $1) "
        "WHERE state = 'open' RETURNING operation",
        minutes,
    )
    return [row["operation"] for row in rows]


async def open_calls(till: Till) -> int:
    return int((await till.engine.fetch("SELECT count(*) AS n FROM gateway_call WHERE state = 'open'"))[0]["n"])


@pytest.mark.requirement("retry-mechanism", "payment-booking-coupling")
async def test_a_booking_whose_every_result_is_lost_moves_its_money_once(till: Till) -> None:
    lost = []
    for command in (
        authorize(expires_at=soon(till.bench), payout_account="acct_1"),
        capture(),
        settle(refund=1500, release=3000),
    ):
        await till.tell(command, settle=False)
        lost += await lose(till)
        await till.another_round()
    assert lost == ["authorize", "capture", "refund", "transfer"]
    assert (await till.events())[:3] == ["PaymentAuthorized", "PaymentCaptured", "PaymentSettled"]
    assert sorted((await till.events())[3:]) == ["PayoutPaid", "RefundSucceeded"]
    assert [intent["amount_received"] for intent in await till.bench.state("payment_intents")] == [PRICE]
    assert [refund["amount"] for refund in await till.bench.state("refunds")] == [1500]
    assert [transfer["amount"] for transfer in await till.bench.state("transfers")] == [2700]
    assert -await till.balance(ledger.CLEARING) == 300 == await till.balance(ledger.COMMISSION)


@pytest.mark.requirement("retry-mechanism", "payment-booking-coupling")
async def test_a_void_whose_result_is_lost_is_answered(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)))
    await till.tell(void(), settle=False)
    assert await lose(till) == ["void"]
    await till.another_round()
    assert await till.events() == ["PaymentAuthorized", "PaymentVoided"]


@pytest.mark.requirement("wallet", "retry-mechanism")
async def test_wallet_commands_whose_results_are_lost_are_answered_once(till: Till) -> None:
    for command in (TOP_UP, WITHDRAWAL):
        await till.tell(command, settle=False)
        await lose(till)
        await till.another_round()
    assert await till.balance(ledger.available("bob")) == 1000
    assert -await till.balance(ledger.CLEARING) == 1000
    assert [refund["amount"] for refund in await till.bench.state("refunds")] == [2000]
    replies = [sent.type for sent in await till.engine.sent() if sent.topic == "wallet.replies"]
    assert replies == ["wallet.CommandAccepted.v1"] * 2


@pytest.mark.requirement("wallet", "refund-logic")
async def test_what_stripe_says_by_now_counts_not_its_stored_answer(till: Till) -> None:
    await till.tell(TOP_UP)
    await till.tell(WITHDRAWAL, settle=False)
    await lose(till)
    (refund,) = await till.bench.state("refunds")
    await till.bench.control("POST", f"/refunds/{refund['id']}/fail")
    await till.another_round()
    assert await till.balance(ledger.available("bob")) == 3000
    assert -await till.balance(ledger.CLEARING) == 3000


@pytest.mark.requirement("chargebacks", "retry-mechanism")
async def test_a_dispute_whose_result_is_lost_is_looked_at_again(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)))
    await till.tell(capture())
    (intent,) = await till.bench.state("payment_intents")
    await till.bench.control("POST", "/disputes", {"payment_intent": intent["id"]})
    await till.engine.fetch("UPDATE stripe_sweep SET try_at = now() - interval '1 hour'")
    till.bench.later(seconds=ON_THE_WAY.total_seconds() + 1)
    await Sweeper(till.bench.api, till.bench.clock).sweep(till.pool)
    await till.engine.run_local()
    assert await lose(till) == ["dispute"]
    await till.another_round()
    assert (await till.events())[-1] == "ChargebackOpened"


async def test_a_result_that_is_on_its_way_or_set_aside_is_not_lost(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)), settle=False)
    connection = await till.engine.session.connection()
    assert await lost_results.make_again(connection) == 0  # open
    await lose(till, minutes=5)
    assert await lost_results.make_again(connection) == 0  # a moment ago
    await lose(till)
    await till.engine.fetch("UPDATE gateway_call SET opened_at = now() - interval '1 hour'")
    await till.engine.fetch("INSERT INTO blocked_key (key) VALUES ($1)", str(BOOKING))
    assert await lost_results.make_again(connection) == 0  # its letter is a person's
    await till.engine.fetch("DELETE FROM blocked_key")
    assert await lost_results.make_again(connection) == 1
    assert await lost_results.make_again(connection) == 0


@pytest.mark.requirement("operations-cli")
async def test_a_discarded_result_is_looked_at_again_at_once(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)), settle=False)
    await lose(till, minutes=0)
    (call,) = await till.engine.fetch("SELECT id FROM gateway_call")
    connection = await till.engine.session.connection()
    assert await lost_results.look_again(connection, [call["id"], uuid4()]) == 1
    assert await lost_results.look_again(connection, [call["id"]]) == 0
    await till.settle()
    assert await till.events() == ["PaymentAuthorized"]


@pytest.mark.requirement("retry-mechanism", "ledger")
async def test_a_result_that_was_handled_is_handled_once(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench), payout_account="acct_1"))
    for command in (capture(), settle(refund=1500, release=3000), TOP_UP, WITHDRAWAL):
        await till.tell(command)
    before = await till.events()
    rows = await till.engine.fetch("SELECT id FROM gateway_call WHERE state = 'done' ORDER BY opened_at, id")
    connection = await till.engine.session.connection()
    for row in rows:
        assert await lost_results.look_again(connection, [row["id"]]) == 1
        await till.settle()
    assert await till.engine.fetch("SELECT * FROM dead_letter") == []
    assert await till.events() == before
    assert await till.balance(ledger.available("bob")) == 1000
    assert await till.balance(ledger.payable(UUID(int=0xC))) == 0


@pytest.mark.requirement("observability", "operations-cli")
async def test_calls_that_do_not_end_are_seen(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)), settle=False)
    connection = await till.engine.session.connection()
    assert await overdue.calls(connection, minutes=10) == []
    await till.engine.fetch(
        "UPDATE gateway_call SET opened_at = now() - interval '2 hours', last_error = '403 no permission', tries = 3"
    )
    (call,) = await overdue.calls(connection, minutes=10)
    assert (call["operation"], call["last_error"]) == ("authorize", "403 no permission")
    await gauges.look(till.pool)
    assert metrics.calls_overdue._value.get() == 1
