"""Released money whose provider had no payout account, and transfers that somebody took back (provider-payouts)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from booking_contracts.payments import SettlePayment

import services.payments
from services.payments import gauges, metrics, operator
from services.payments.local_messages import AccountKnown, PayoutAgain, TransferReversed, TransferSeen
from services.payments.model import ledger
from services.payments.model.payout import SLICE, Payout, PayoutStatus
from services.payments.work import Reconciliation
from tests.payments.builders import BOOKING, PRICE, PROVIDER, World, authorize, capture, eur, settle
from tests.payments.till import Till, soon

PAYABLE = ledger.payable(PROVIDER)
OTHER = UUID(int=0xE)


async def released(till: Till, **changes: Any) -> None:
    await till.tell(authorize(expires_at=soon(till.bench), **changes))
    await till.tell(capture(), settle(release=PRICE))


async def another_booking(till: Till, **changes: Any) -> None:
    command = authorize(expires_at=soon(till.bench), booking_id=uuid4(), payment_id=uuid4(), **changes)
    await till.tell(command)


async def destinations(till: Till) -> list[tuple[str, int]]:
    return [(one["destination"], one["amount"]) for one in await till.bench.state("transfers")]


@pytest.mark.requirement("provider-payouts", "operations-cli", "observability")
async def test_money_without_an_account_is_seen_and_paid_when_the_next_booking_brings_one(till: Till) -> None:
    await released(till)
    connection = await till.engine.session.connection()
    (waiting,) = await operator.waiting(connection)
    assert (waiting.kind, waiting.amount_minor, waiting.failure) == ("payout", 4050, "no_account")
    await gauges.look(till.pool)
    assert metrics.payouts_without_account._value.get() == 1
    await another_booking(till)
    await another_booking(till, provider_id=OTHER, payout_account="acct_other")
    assert await destinations(till) == []
    await another_booking(till, payout_account="acct_new")
    assert await destinations(till) == [("acct_new", 4050)]
    assert await till.balance(PAYABLE) == 0
    assert await operator.waiting(connection) == []
    await another_booking(till, payout_account="acct_new")
    assert len(await destinations(till)) == 1
    await gauges.look(till.pool)
    assert metrics.payouts_without_account._value.get() == 0


@pytest.mark.requirement("provider-payouts", "operations-cli")
async def test_an_operator_names_the_account(till: Till) -> None:
    await released(till)
    connection = await till.engine.session.connection()
    (waiting,) = await operator.waiting(connection)
    now = till.bench.clock.now()
    with pytest.raises(operator.NotWaiting, match="name one"):
        await operator.try_again(connection, waiting.id, now)
    await operator.try_again(connection, waiting.id, now, account="acct_named")
    await till.settle()
    assert await destinations(till) == [("acct_named", 4050)]


@pytest.mark.requirement("provider-payouts", "operations-cli")
async def test_an_operator_moves_a_payout_from_a_closed_account_to_another(till: Till) -> None:
    await released(till, payout_account="acct_closed_1")
    connection = await till.engine.session.connection()
    (waiting,) = await operator.waiting(connection)
    assert waiting.failure == "insufficient_capabilities_for_transfer"
    await operator.try_again(connection, waiting.id, till.bench.clock.now(), account="acct_2", from_balance=True)
    await till.settle()
    assert await destinations(till) == [("acct_2", 4050)]
    (transfer,) = await till.bench.state("transfers")
    assert transfer["source_transaction"] is None


@pytest.mark.requirement("operations-cli")
async def test_a_refund_goes_to_no_account(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)))
    await till.tell(capture())
    await till.bench.api.v1.refunds.create_async({"payment_intent": (await _intent(till))})
    await till.tell(settle(refund=PRICE))
    connection = await till.engine.session.connection()
    (waiting,) = await operator.waiting(connection)
    with pytest.raises(operator.NotWaiting, match="card that paid"):
        await operator.try_again(connection, waiting.id, till.bench.clock.now(), account="acct_1")


async def _intent(till: Till) -> str:
    (intent,) = await till.bench.state("payment_intents")
    return str(intent["id"])


def test_many_payouts_are_made_a_slice_at_a_time() -> None:
    world = World()
    for number in range(SLICE):
        booking_id = UUID(int=number + 1000)
        world.work.load(_waiting(booking_id))
    world.tell(authorize(payout_account="acct_1"))
    world.tell(AccountKnown(provider_id=PROVIDER, account="acct_1"))  # in the same batch: done already
    assert len(world.reminders(PayoutAgain)) == SLICE
    (rest,) = world.reminders(AccountKnown)
    assert rest.body == AccountKnown(provider_id=PROVIDER, account="acct_1")


def _waiting(booking_id: UUID) -> Payout:
    return Payout(uuid4(), booking_id, 1, 1, PROVIDER, None, 100, "EUR", None, PayoutStatus.NO_ACCOUNT, tries=0)


def test_the_first_try_with_an_account_has_the_first_key() -> None:
    world = World().captured()
    world.tell(settle(release=PRICE))
    (payout,) = world.work.all(Payout)
    again = PayoutAgain(booking_id=BOOKING, payout_id=payout.payout_id, tries=0, account="acct_1")
    world.tell(again)
    world.tell(again)
    (call,) = [call for call in world.calls if call.operation == "transfer"]
    assert call.idempotency_key == f"{BOOKING}:payout:1"
    assert json.loads(call.parameters)["destination"] == "acct_1"


@pytest.mark.requirement("provider-payouts", "ledger", "webhooks", "observability")
async def test_a_transfer_that_was_reversed_is_posted_once_and_reported(till: Till) -> None:
    await released(till, payout_account="acct_1")
    (transfer,) = await till.bench.state("transfers")
    before = await till.balance(ledger.CLEARING)
    for amount in (1000, 500):
        await till.bench.api.v1.transfers.reversals.create_async(transfer["id"], {"amount": amount})
    await till.engine.fetch("UPDATE stripe_sweep SET try_at = now() - interval '1 hour'")
    await till.sweep()
    assert await till.balance(PAYABLE) == 1500
    assert await till.balance(ledger.CLEARING) == before - 1500
    lines = await operator.repairs(await till.engine.session.connection(), days=1)
    assert {(line["repair"], line["booking_id"]) for line in lines} == {("reversal", BOOKING)}
    assert transfer["id"] in lines[0]["detail"]
    await gauges.look(till.pool)
    assert metrics.differences.labels("reversal")._value.get() == len(lines)
    assert await till.engine.fetch("SELECT * FROM dead_letter") == []


@pytest.mark.requirement("webhooks", "ledger")
def test_reversals_in_any_order_and_twice_count_once() -> None:
    world = World()
    world.captured(payout_account="acct_1")
    world.tell(settle(release=PRICE))
    (payout,) = world.work.all(Payout)

    def reversed_by(amount: int, transfer_id: str = "tr_1") -> None:
        told = {"event_id": "e", "booking_id": BOOKING, "payout_id": payout.payout_id, "transfer_id": transfer_id}
        world.tell(TransferReversed.model_validate({**told, "reversed_minor": amount}))

    reversed_by(100)
    assert len(world.reminders(TransferReversed)) == 1  # its own answer is on the way
    world.tell(TransferSeen(booking_id=BOOKING, payout_id=payout.payout_id, transfer_id="tr_1"))
    for amount in (300, 100, 300):
        reversed_by(amount)
    reversed_by(900, "tr_other")
    assert world.balance(PAYABLE) == 300
    assert len(world.records(Reconciliation)) == 1
    assert ledger.unbalanced(world.entries) == {}


@pytest.mark.requirement("provider-payouts")
async def test_what_waited_before_this_build_waits_as_a_payout(till: Till) -> None:
    """The migration's own statement, run over a payment that was released without an account by an older build."""
    await released(till)
    connection = await till.engine.session.connection()
    await connection.execute("DELETE FROM payout")
    await connection.execute("UPDATE payment SET payouts = 0")
    await connection.execute(_backfill())
    (waiting,) = await operator.waiting(connection)
    assert waiting.amount_minor == 4050
    await operator.try_again(connection, waiting.id, till.bench.clock.now(), account="acct_1")
    await till.settle()
    assert await destinations(till) == [("acct_1", 4050)]
    assert await till.balance(PAYABLE) == 0


def _backfill() -> str:
    sql = (
        Path(services.payments.__file__)
        .with_name("migrations")
        .joinpath("0013_earnings_without_account.sql")
        .read_text()
    )
    return sql[sql.index("WITH waiting AS") :]


def test_a_settlement_in_part_leaves_a_payout_for_each() -> None:
    world = World().captured()
    for release in (1000, 3500):
        command: SettlePayment = settle(release=release)
        world.tell(command)
    assert [(one.number, one.amount_minor) for one in world.work.all(Payout)] == [(1, 900), (2, 3150)]
    assert world.balance(PAYABLE) == 4050 == eur(4050).amount
