"""Payments through the real engine and store at the simulator, and what the database refuses on its own."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import asyncpg
import pytest
from booking_contracts.payments import TopUpWallet, WithdrawFromWallet
from booking_contracts.types import Actor, PaymentChoice, Price

from services.payments import operator
from services.payments.app import SERVICE
from services.payments.model import ledger
from services.payments.model.ledger import CLEARING
from services.payments.store import reads
from tests.chassis.harness import Engine
from tests.payments.builders import BOOKING, PRICE, PROVIDER, authorize, capture, settle, void
from tests.payments.till import Till, soon

ESCROW = ledger.escrow(BOOKING)
BOB = Actor(kind="customer", id="bob")
WALLET = PaymentChoice(method="wallet")
TRANSACTION = "INSERT INTO ledger_transaction (transaction_id, cause, at) VALUES ($1, 'test', now())"


async def post(engine: Engine, *lines: tuple[str, int]) -> None:
    """A ledger transaction written by hand."""
    connection = await engine.session.connection()
    transaction = uuid4()
    async with connection.transaction():
        await connection.execute(TRANSACTION, transaction)
        await connection.execute(
            """
            INSERT INTO ledger_entry (transaction_id, account, amount_minor, currency)
            SELECT $1, account, amount, 'EUR' FROM unnest($2::text[], $3::bigint[]) AS t (account, amount)
            """,
            transaction,
            [account for account, _ in lines],
            [amount for _, amount in lines],
        )


async def refused(engine: Engine, query: str, *arguments: object) -> str:
    """The database's refusal of a statement by the service's own role."""
    connection = await engine.session.connection()
    with pytest.raises((asyncpg.IntegrityConstraintViolationError, asyncpg.InsufficientPrivilegeError)) as caught:
        await connection.execute(query, *arguments)
    return str(caught.value)


@pytest.mark.requirement("ledger")
async def test_a_transaction_that_does_not_balance_is_refused(engine: Engine) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="off by 1 EUR"):
        await post(engine, (CLEARING, -100), (ESCROW, 101))
    await post(engine, (CLEARING, -100), (ESCROW, 100))
    assert await engine.fetch("SELECT * FROM ledger_entry WHERE amount_minor = 101") == []


@pytest.mark.requirement("ledger", "escrow")
@pytest.mark.parametrize("account", [ESCROW, ledger.available("bob"), ledger.locked("bob")])
async def test_nothing_is_paid_from_what_is_not_there(engine: Engine, account: str) -> None:
    await post(engine, (CLEARING, -100), (account, 100))
    with pytest.raises(asyncpg.CheckViolationError, match="ledger_not_overdrawn"):
        await post(engine, (CLEARING, 101), (account, -101))
    await post(engine, (CLEARING, 100), (account, -100))


@pytest.mark.requirement("ledger")
@pytest.mark.parametrize(
    "query",
    [
        "UPDATE ledger_entry SET amount_minor = 1",
        "DELETE FROM ledger_entry",
        "TRUNCATE ledger_entry",
        "UPDATE ledger_transaction SET cause = 'x'",
        "DELETE FROM ledger_transaction",
        "UPDATE ledger_balance SET balance_minor = 0",
        "INSERT INTO ledger_balance VALUES ('wallet:bob:available', 'EUR', 10)",
        "DELETE FROM ledger_balance",
        "DELETE FROM payment",
    ],
)
async def test_the_ledger_is_kept_as_it_was_written(engine: Engine, query: str) -> None:
    await post(engine, (CLEARING, -100), (ESCROW, 100))
    await refused(engine, query)


@pytest.mark.requirement("ledger", "payment-booking-coupling")
async def test_a_payment_goes_through_the_real_store(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)))
    await till.tell(capture())
    await till.tell(settle(refund=2000, release=2500))
    assert await till.events() == ["PaymentAuthorized", "PaymentCaptured", "PaymentSettled", "RefundSucceeded"]
    assert [sent.sequence for sent in await till.engine.sent()] == [1, 2, 3, 4]
    shown = await reads.payment_shown(till.pool, BOOKING)
    assert shown is not None
    (intent,) = await till.bench.state("payment_intents")
    assert (shown["status"], shown["payment_intent"]) == ("settled", intent["id"])
    assert [(refund["amount"]["amount"], refund["status"]) for refund in shown["refunds"]] == [(2000, "succeeded")]
    assert await till.balance(ESCROW) == 0
    assert await till.balance(ledger.payable(PROVIDER)) == 2250


@pytest.mark.requirement("transaction-atomicity", "inbox")
async def test_a_result_that_comes_twice_counts_once(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)), settle=False)
    first, again = await till.answers(), await till.answers()
    await till.engine.run(*first)
    await till.engine.run(*again)
    assert await till.events() == ["PaymentAuthorized"]
    assert len(await till.bench.state("payment_intents")) == 1


@pytest.mark.requirement("late-payment")
async def test_a_void_in_the_same_batch_as_the_authorisation(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)), void())
    assert await till.events() == ["PaymentAuthorized", "PaymentVoided"]
    (intent,) = await till.bench.state("payment_intents")
    assert intent["status"] == "canceled"


@pytest.mark.requirement("refund-logic", "webhooks")
async def test_a_refund_that_fails_later_is_found_by_the_sweep(till: Till) -> None:
    refund_fails = PaymentChoice(method="card", payment_method="pm_card_refundFail")
    await till.tell(authorize(expires_at=soon(till.bench), payment=refund_fails), capture())
    await till.tell(settle(refund=PRICE))
    (refund,) = await till.bench.state("refunds")
    await till.bench.control("POST", f"/refunds/{refund['id']}/fail")
    assert await till.sweep() > 0
    assert (await till.events())[-2:] == ["RefundSucceeded", "RefundFailed"]
    assert await till.balance(ledger.refund_owed(BOOKING)) == PRICE
    connection = await till.engine.session.connection()
    (waiting,) = await operator.waiting(connection)
    assert (waiting.kind, waiting.parked) == ("refund", True)
    await operator.try_again(connection, waiting.id, till.bench.clock.now())
    await till.settle()
    assert (await till.events())[-1] == "RefundSucceeded"
    with pytest.raises(operator.NotWaiting):
        await operator.try_again(connection, waiting.id, till.bench.clock.now())


@pytest.mark.requirement("webhooks")
async def test_what_no_webhook_brought_is_found_once(till: Till) -> None:
    challenged = PaymentChoice(method="card", payment_method="pm_card_authenticationRequired")
    await till.tell(authorize(expires_at=soon(till.bench), payment=challenged))
    (intent,) = await till.bench.state("payment_intents")
    await till.bench.control("POST", f"/authenticate/{intent['id']}", {"success": True})
    assert await till.events() == ["PaymentActionRequired"]
    await till.sweep()
    await till.engine.fetch("UPDATE stripe_sweep SET try_at = now() - interval '1 hour'")
    assert await till.sweep() == 0
    assert await till.events() == ["PaymentActionRequired", "PaymentAuthorized"]
    kept = await till.engine.fetch("SELECT body::text FROM stripe_event")
    assert kept
    assert not any("_secret_" in row["body"] for row in kept)


@pytest.mark.requirement("payment-booking-coupling")
async def test_the_reconciler_mends_both_sides(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)))
    (mine,) = await till.bench.state("payment_intents")
    metadata = {"booking_id": str(uuid4()), "attempt": "1"}
    orphan = await till.bench.api.v1.payment_intents.create_async(
        {
            "amount": 900,
            "currency": "eur",
            "capture_method": "manual",
            "confirm": True,
            "payment_method": "pm_card_visa",
            "metadata": metadata,
        }
    )
    await till.bench.api.v1.payment_intents.capture_async(mine["id"])
    till.bench.later(minutes=2)
    await till.reconcile()
    assert await till.events() == ["PaymentAuthorized", "PaymentCaptured"]
    states = {intent["id"]: intent["status"] for intent in await till.bench.state("payment_intents")}
    assert states == {mine["id"]: "succeeded", orphan.id: "canceled"}
    record = await till.engine.fetch("SELECT payment_intent, repair FROM reconciliation ORDER BY line")
    assert {(row["payment_intent"], row["repair"]) for row in record} == {(mine["id"], "look"), (orphan.id, "cancel")}


def top_up(amount: int) -> TopUpWallet:
    price = Price(amount=amount, currency="EUR")
    return TopUpWallet(customer_id="bob", amount=price, payment_method="pm_card_visa", actor=BOB)


@pytest.mark.requirement("wallet", "one-reply")
async def test_a_wallet_goes_through_the_real_store(till: Till) -> None:
    command_id = uuid4()
    await till.tell(top_up(5000), message_id=command_id)
    await till.tell(top_up(5000), message_id=command_id)
    till.bench.later(seconds=1)
    await till.tell(top_up(3000))
    await till.tell(authorize(payment=WALLET, expires_at=soon(till.bench)), capture(), settle(refund=PRICE))
    withdraw = WithdrawFromWallet(customer_id="bob", amount=Price(amount=7000, currency="EUR"), actor=BOB)
    await till.tell(withdraw)
    await till.tell(withdraw)
    sent = [(one.type.split(".")[1], one.sequence) for one in await till.engine.sent()]
    assert sent == [
        ("CommandAccepted", None),
        ("WalletToppedUp", 1),
        ("CommandAccepted", None),
        ("WalletToppedUp", 2),
        ("PaymentAuthorized", 1),
        ("PaymentCaptured", 2),
        ("PaymentSettled", 3),
        ("RefundSucceeded", 4),
        ("CommandAccepted", None),
        ("WalletWithdrawn", 3),
        ("CommandRejected", None),
    ]
    (balance,) = (await reads.wallet(till.pool, "bob"))["balances"]
    assert (balance["available"]["amount"], balance["locked"]["amount"]) == (1000, 0)
    assert sorted(refund["amount"] for refund in await till.bench.state("refunds")) == [3000, 4000]
    receipts = await till.engine.fetch("SELECT command_id, reply_type FROM command_receipt")
    assert (command_id, "wallet.CommandAccepted.v1") in {(row["command_id"], row["reply_type"]) for row in receipts}


@pytest.mark.requirement("wallet", "pessimistic-locking")
async def test_two_replicas_race_for_one_balance(till: Till) -> None:
    await till.tell(top_up(5000))
    other = Engine(till.engine.session.url, till.bench.clock, SERVICE)
    first = authorize(payment=WALLET, booking_id=UUID(int=1), expires_at=soon(till.bench))
    second = authorize(payment=WALLET, booking_id=UUID(int=2), expires_at=soon(till.bench))
    records = till.engine.record(first), till.engine.record(second)
    await asyncio.gather(till.engine.run(records[0]), other.run(records[1]), return_exceptions=True)
    for engine, record in ((till.engine, records[0]), (other, records[1])):
        known = await engine.fetch("SELECT 1 FROM payment WHERE booking_id = $1", UUID(record.key.decode()))  # type: ignore[union-attr]
        if not known:
            await engine.run(record)
    await other.close()
    events = [event for event in await till.events() if event.startswith("Payment")]
    assert sorted(events) == ["PaymentAuthorized", "PaymentDeclined"]


@pytest.mark.requirement("chargebacks")
async def test_a_dispute_reaches_the_ledger_and_the_events(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)), capture())
    (intent,) = await till.bench.state("payment_intents")
    dispute = await till.bench.control("POST", "/disputes", {"payment_intent": intent["id"], "amount": 2000})
    await till.sweep()
    await till.tell(settle(release=PRICE))
    await till.bench.control("POST", f"/disputes/{dispute['id']}/close", {"status": "lost"})
    await till.engine.fetch("UPDATE stripe_sweep SET try_at = now() - interval '1 hour'")
    await till.sweep()
    assert (await till.events())[2:] == ["ChargebackOpened", "ChargebackClosed", "PaymentSettled"]
    assert (await till.balance(ESCROW), await till.balance(ledger.payable(PROVIDER))) == (0, 2250)


@pytest.mark.requirement("provider-payouts")
async def test_a_transfer_to_a_closed_account_waits_for_an_operator(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench), payout_account="acct_closed"), capture())
    await till.tell(settle(release=PRICE))
    for hours in (1, 4, 12, 24):
        till.bench.later(hours=hours, seconds=1)
        await till.settle()
    (waiting,) = await operator.waiting(await till.engine.session.connection())
    assert (waiting.kind, waiting.parked, waiting.tries) == ("payout", True, 5)
    assert (await till.events()).count("PayoutFailed") == 2
