"""A database that was restored: what it has forgotten is asked for again, and Stripe has done it (decisions/0037)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from booking_contracts.envelope import MessageBody
from booking_contracts.payments import TopUpWallet, WithdrawFromWallet
from booking_contracts.topics import PAYMENTS_COMMANDS
from booking_contracts.types import Actor, PaymentChoice, Price

from services.payments.model import ledger
from services.payments.stripe_events.sweeper import Sweeper
from tests.payments.builders import BOOKING, PRICE, authorize, capture, settle
from tests.payments.conftest import TABLES
from tests.payments.till import Till, soon

BOB = Actor(kind="customer", id="bob")
TOP_UP = TopUpWallet(
    customer_id="bob", amount=Price(amount=9000, currency="EUR"), payment_method="pm_card_visa", actor=BOB
)
WITHDRAWAL = WithdrawFromWallet(customer_id="bob", amount=Price(amount=2000, currency="EUR"), actor=BOB)
WALLET = PaymentChoice(method="wallet")
Told = Mapping[UUID, MessageBody]
Forget = Callable[[], Awaitable[None]]


@pytest.fixture
async def forget(till: Till, databases: dict[str, str]) -> Forget:
    """Sets the database back to its beginning, as the engine then knows."""

    async def forget() -> None:
        admin = await asyncpg.connect(databases["POSTGRES_ADMIN_URL"].rsplit("/", 1)[0] + "/payments")
        await admin.execute(f"SET session_replication_role = replica; TRUNCATE {TABLES} RESTART IDENTITY CASCADE")
        await admin.close()
        till.engine.runner.was_set_back = lambda: True

    return forget


async def tell(till: Till, told: Told, *, again: bool = False) -> None:
    for message_id, body in told.items():
        await till.engine.run(replace(till.engine.record(body, message_id=message_id), again=again))
        await till.settle()


async def at_stripe(till: Till) -> dict[str, list[int]]:
    """What moved there, in minor units."""
    kinds = {"payment_intents": "amount_received", "refunds": "amount", "transfers": "amount"}
    return {kind: sorted(one[amount] for one in await till.bench.state(kind)) for kind, amount in kinds.items()}


@pytest.mark.requirement("retry-mechanism", "ledger")
@pytest.mark.parametrize("payable_hours", [1, 72])
async def test_money_moves_once_though_stripe_has_forgotten_the_keys(
    till: Till, forget: Forget, payable_hours: int
) -> None:
    expires_at = soon(till.bench) + timedelta(hours=payable_hours - 1)
    bodies = [
        authorize(expires_at=expires_at, payout_account="acct_1"),
        capture(),
        settle(refund=1500, release=3000),
        TOP_UP,
        WITHDRAWAL,
    ]
    told = {uuid4(): body for body in bodies}
    await tell(till, told)
    once = {"payment_intents": [PRICE, 9000], "refunds": [1500, 2000], "transfers": [2700]}
    assert await at_stripe(till) == once
    events, accounts = await till.events(), (ledger.CLEARING, ledger.COMMISSION, ledger.available("bob"))
    balances = [await till.balance(account) for account in accounts]
    await forget()
    till.bench.later(hours=30)
    await tell(till, told, again=True)
    assert await at_stripe(till) == once
    told_again = Counter(await till.events())
    told_again.subtract(events)
    assert +told_again == {"PaymentCaptured": 1}, "by the look, and by the command"
    assert -told_again == {}
    assert [await till.balance(account) for account in accounts] == balances


@pytest.mark.requirement("refund-logic", "retry-mechanism")
async def test_a_further_try_of_a_refund_is_looked_for(till: Till, forget: Forget) -> None:
    told = {uuid4(): body for body in (authorize(expires_at=soon(till.bench)), capture(), settle(refund=1500))}
    await tell(till, told)
    (refund,) = await till.bench.state("refunds")
    await till.bench.control("POST", f"/refunds/{refund['id']}/fail", {"reason": "unknown"})
    await till.sweep()
    till.bench.later(hours=2)
    await till.settle()
    assert len(await till.bench.state("refunds")) == 2
    await forget()
    till.bench.later(hours=30)
    await tell(till, told, again=True)
    till.engine.runner.was_set_back = lambda: False  # a person may ask for it at any time
    till.bench.later(hours=2)
    await till.settle()
    assert len(await till.bench.state("refunds")) == 2
    assert (await till.events())[-3:] == ["PaymentSettled", "RefundFailed", "RefundSucceeded"]


@pytest.mark.requirement("payment-booking-coupling")
async def test_what_is_asked_for_too_late_is_declined_unless_stripe_has_it(till: Till, forget: Forget) -> None:
    late = authorize(expires_at=till.bench.clock.now() - timedelta(seconds=1))
    await till.tell(late)
    assert await till.events() == ["PaymentDeclined"]
    assert await till.bench.state("payment_intents") == [], "nothing was made"
    in_time = authorize(attempt=2, expires_at=soon(till.bench))
    await till.tell(in_time)
    await forget()
    till.bench.later(hours=2)
    await till.tell(in_time)
    assert await till.events() == ["PaymentAuthorized"]
    assert len(await till.bench.state("payment_intents")) == 1


@pytest.mark.requirement("wallet")
@pytest.mark.parametrize(("again", "says"), [(True, "PaymentAuthorized"), (False, "PaymentDeclined")])
async def test_a_wallet_pays_late_for_what_it_may_have_paid_in_time(till: Till, again: bool, says: str) -> None:
    await till.tell(TOP_UP)
    late = authorize(payment=WALLET, expires_at=till.bench.clock.now() - timedelta(seconds=1))
    await tell(till, {uuid4(): late}, again=again)
    assert (await till.events())[-1] == says


@pytest.mark.requirement("wallet")
@pytest.mark.parametrize("comes", [True, False])
async def test_a_wallet_payment_read_again_before_its_money_waits_for_it(till: Till, comes: bool) -> None:
    pay = authorize(payment=WALLET, expires_at=till.bench.clock.now() - timedelta(seconds=1))
    await tell(till, {uuid4(): pay, uuid4(): capture()}, again=True)
    assert await till.events() == []
    if comes:
        await tell(till, {uuid4(): TOP_UP}, again=True)
        till.bench.later(seconds=2)
        await till.settle()
        assert (await till.events())[-2:] == ["PaymentAuthorized", "PaymentCaptured"]
    else:
        till.bench.later(hours=1)
        await till.settle()
        assert await till.events() == ["PaymentDeclined"]


@pytest.mark.requirement("wallet")
@pytest.mark.parametrize("comes", [True, False])
async def test_a_withdrawal_read_again_before_its_money_waits_for_it(till: Till, comes: bool) -> None:
    await tell(till, {uuid4(): WITHDRAWAL}, again=True)
    assert await till.events() == []
    if comes:
        await tell(till, {uuid4(): TOP_UP}, again=True)
        till.bench.later(seconds=2)
        await till.settle()
        assert (await till.events())[-2:] == ["CommandAccepted", "WalletWithdrawn"]
        assert await till.balance(ledger.available("bob")) == 7000
    else:
        till.bench.later(hours=1)
        await till.settle()
        assert await till.events() == ["CommandRejected"]


@pytest.mark.requirement("payment-booking-coupling", "webhooks")
async def test_nobody_judges_what_is_at_stripe_before_the_commands_are_read_again(till: Till, forget: Forget) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)))
    await forget()
    till.bench.later(minutes=2)
    await till.engine.fetch(
        "INSERT INTO read_again (topic, partition, until_offset, handled_until) VALUES ($1, 0, 2, 2)",
        PAYMENTS_COMMANDS.name,
    )
    await till.engine.fetch("UPDATE stripe_sweep SET try_at = now() - interval '1 hour'")
    await till.reconcile()
    assert await Sweeper(till.bench.api, till.bench.clock).sweep(till.pool) == 0
    assert [one["status"] for one in await till.bench.state("payment_intents")] == ["requires_capture"]
    await till.engine.fetch(
        "INSERT INTO consumed_position (topic, partition, next_offset) VALUES ($1, 0, 2)", PAYMENTS_COMMANDS.name
    )
    await till.reconcile()
    assert [one["status"] for one in await till.bench.state("payment_intents")] == ["requires_capture"], (
        "calls may last"
    )
    await till.engine.fetch("UPDATE read_again SET read_at = read_at - interval '1 minute'")
    await till.reconcile()
    assert [one["status"] for one in await till.bench.state("payment_intents")] == ["canceled"], "nobody's after all"
    assert await Sweeper(till.bench.api, till.bench.clock).sweep(till.pool) > 0
    assert BOOKING not in {row["booking_id"] for row in await till.engine.fetch("SELECT booking_id FROM payment")}
