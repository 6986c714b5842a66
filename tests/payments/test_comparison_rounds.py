"""Rounds of the comparison: in pieces, one replica at a time, and without false alarms while money moves."""

from __future__ import annotations

import asyncio
import contextlib
import random
from uuid import UUID, uuid4

import pytest
import stripe
from booking_contracts.envelope import MessageBody
from booking_contracts.payments import TopUpWallet, WithdrawFromWallet
from booking_contracts.types import PaymentChoice, Price

from services.chassis.messages import Raw
from services.payments import operator
from services.payments.comparison import differences
from services.payments.comparison.rounds import Comparison
from services.payments.model import ledger
from services.payments.stripe_calls.circuit_breaker import FAILURES, CircuitBreaker
from services.payments.stripe_events.sweeper import ON_THE_WAY, Sweeper
from tests.chassis.harness import SetClock
from tests.payments.builders import PRICE, authorize, capture, settle
from tests.payments.comparing import (
    BOB,
    a_round,
    agrees,
    by_hand,
    counted,
    paid,
    post,
    rounds,
    seen,
    topped_up,
    withdrawn,
)
from tests.payments.till import Till, soon

LIST = "balance_transactions.list"


@pytest.mark.requirement("ledger")
async def test_what_is_mended_within_the_grace_never_counts(till: Till) -> None:
    intent = await paid(till)
    await agrees(till)
    await by_hand(till, intent, 1000)
    await rounds(till, minutes=28)
    assert len(await seen(till)) == 2
    await till.sweep()
    await a_round(till)
    assert await till.engine.fetch("SELECT * FROM stripe_difference") == []


@pytest.mark.requirement("ledger")
async def test_time_in_which_nobody_looked_does_not_count(till: Till) -> None:
    intent = await paid(till)
    await agrees(till)
    await by_hand(till, intent, 1000)
    await a_round(till)
    await a_round(till, minutes=90)
    assert await counted(till) == set()
    await rounds(till)
    assert len(await counted(till)) == 2


@pytest.mark.requirement("ledger")
async def test_a_killed_round_is_gone_on_with(till: Till) -> None:
    await asyncio.gather(*(till.bench.charged(booking_id=str(uuid4()), attempt="1") for _ in range(250)))
    await till.bench.faults({"operation": LIST, "kind": "latency", "seconds": 0.3})
    till.bench.later(minutes=1)
    comparison = Comparison(till.bench.api, till.bench.clock, CircuitBreaker())
    killed = asyncio.create_task(comparison.compare(till.pool))
    for _ in range(500):
        await asyncio.sleep(0.02)
        if (await till.engine.fetch("SELECT after FROM comparison_state"))[0]["after"]:
            break
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    (state,) = await till.engine.fetch("SELECT after, ended_at FROM comparison_state")
    assert state["after"] is not None
    assert state["ended_at"] is None
    asked = len([one for one in await till.bench.state("requests") if "balance_transactions" in one["path"]])
    await a_round(till)
    requests = [one for one in await till.bench.state("requests") if "balance_transactions" in one["path"]]
    assert requests[asked]["params"]["starting_after"] == state["after"]
    await a_round(till)
    (total,) = await till.engine.fetch("SELECT amount_minor FROM stripe_total")
    assert total["amount_minor"] == 250 * 900
    assert len(await seen(till)) == 251


@pytest.mark.requirement("ledger")
async def test_two_replicas_make_one_round(till: Till) -> None:
    await paid(till)
    await till.engine.fetch("UPDATE comparison_state SET try_at = now() - interval '1 hour'")
    both = [Comparison(till.bench.api, till.bench.clock, CircuitBreaker()) for _ in range(2)]
    await asyncio.gather(*(one.compare(till.pool) for one in both))
    requests = [one for one in await till.bench.state("requests") if "balance_transactions" in one["path"]]
    assert len(requests) == 1


@pytest.mark.requirement("ledger")
async def test_stripe_is_left_alone_when_it_says_so_and_when_it_is_away(till: Till) -> None:
    breaker = CircuitBreaker()
    await till.bench.faults({"operation": LIST, "kind": "429", "retry_after": 120})
    with pytest.raises(stripe.RateLimitError):
        await a_round(till, breaker=breaker)
    (state,) = await till.engine.fetch("SELECT try_at > now() + interval '50 seconds' AS later FROM comparison_state")
    assert state["later"]
    assert not breaker.is_open
    await till.bench.faults({"operation": LIST, "kind": "500"})
    for _ in range(FAILURES):
        with pytest.raises(stripe.APIError):
            await a_round(till, breaker=breaker)
    before = len(await till.bench.state("requests"))
    await a_round(till, breaker=breaker)
    assert breaker.is_open
    assert len(await till.bench.state("requests")) == before


@pytest.mark.requirement("ledger")
async def test_what_is_older_than_what_was_read_is_asked_about_and_agrees(till: Till) -> None:
    """An account that was used before anybody compared: the sums begin with what was there."""
    await paid(till)
    till.bench.later(days=40)
    await a_round(till)
    await till.tell(settle(release=PRICE))
    await a_round(till)
    assert ("charge", PRICE, 0) in {(kind, ours, theirs) for kind, _, ours, theirs in await seen(till)}
    await rounds(till)
    assert await counted(till) == set()
    await rounds(till)
    assert await seen(till) == set()
    (total,) = await operator.totals(await till.engine.session.connection())
    assert (total["opening_balance_minor"], total["opening_clearing_minor"]) == (PRICE, -PRICE)
    await post(till, "mistake", *ledger.move("EUR", 1, debit=ledger.CLEARING, credit=ledger.COMMISSION))
    await rounds(till)
    assert {(kind, subject) for kind, subject, *_ in await counted(till)} == {("balance", "stripe:clearing")}


@pytest.mark.requirement("ledger", "wallet")
async def test_a_refund_that_waits_for_the_balance_is_under_way(till: Till) -> None:
    await topped_up(till, 4500)
    await agrees(till)
    refund = await withdrawn(till, 1000)
    world = till.bench.simulator._api.world
    world.balance_transactions.rows.pop()
    world.balance["eur"] += 1000
    found = world.refunds.at_path(refund)
    found.status, found.balance_transaction = "pending", None
    await rounds(till, minutes=120)
    assert await counted(till) == set()
    assert {kind for kind, *_ in await seen(till)} == {"refund", "balance"}


@pytest.mark.requirement("ledger", "webhooks")
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_money_in_motion_raises_no_alarm(till: Till, seed: int) -> None:
    """No webhook comes, answers are lost or late for up to 20 minutes, people refund by hand; a round every minute."""
    traffic = Traffic(till, random.Random(seed))
    await till.bench.faults(
        {"operation": "refunds.create", "kind": "timeout_after", "seconds": 0.01, "rate": 0.3, "seed": seed},
        {"operation": "payment_intents.create", "kind": "timeout_after", "seconds": 0.01, "rate": 0.2, "seed": seed},
    )
    suspected = 0
    for minute in range(90):
        if minute < 60:
            await traffic.something()
        await traffic.late_answers(minute)
        if minute % 20 == 19:
            await traffic.swept()
        await a_round(till)
        suspected += len(await seen(till))
        assert await counted(till) == set()
    assert suspected, "nothing was in motion: the test shows nothing"
    assert await seen(till) == set()
    assert await till.engine.fetch("SELECT * FROM dead_letter") == []


class Traffic:
    """Bookings, wallets and people at Stripe's dashboard; answers come when they come."""

    def __init__(self, till: Till, rng: random.Random) -> None:
        self._till, self._rng = till, rng
        self._late: list[tuple[int, Raw]] = []
        self._asked: set[UUID] = set()
        self._bookings: list[UUID] = []

    async def something(self) -> None:
        """One thing that people do."""
        await self._rng.choice((self._book, self._book, self._settle, self._top_up, self._withdraw, self._by_hand))()

    async def late_answers(self, minute: int) -> None:
        """Stripe's answers are taken in between now and eight minutes later."""
        for raw in await self._till.answers():
            call = next(value for name, value in raw.headers if name == "call_id")
            if UUID(str(call)) not in self._asked:
                self._asked.add(UUID(str(call)))
                self._late.append((minute + self._rng.randint(0, 8), raw))
        due = [raw for when, raw in self._late if when <= minute]
        self._late = [(when, raw) for when, raw in self._late if when > minute]
        if due:
            await self._till.engine.run(*due)
        while await self._till.engine.run_local():
            pass

    async def swept(self) -> None:
        """What no webhook brought is found."""
        await self._till.engine.fetch("UPDATE stripe_sweep SET try_at = now() - interval '1 hour'")
        self._till.bench.later(seconds=ON_THE_WAY.total_seconds() + 1)
        await Sweeper(self._till.bench.api, self._till.bench.clock).sweep(self._till.pool)
        while await self._till.engine.run_local():
            pass

    async def _tell(self, *bodies: MessageBody) -> None:
        await self._till.tell(*bodies, settle=False)

    async def _book(self) -> None:
        booking = uuid4()
        self._bookings.append(booking)
        pay = PaymentChoice(method="card", payment_method=self._rng.choice(("pm_card_visa", "pm_card_refundFail")))
        asked = authorize(
            booking_id=booking, payment=pay, expires_at=soon(self._till.bench), payout_account="acct_provider"
        )
        await self._tell(asked, capture().model_copy(update={"booking_id": booking}))

    async def _settle(self) -> None:
        if self._bookings:
            booking = self._bookings.pop(self._rng.randrange(len(self._bookings)))
            back = self._rng.choice((0, 1, 2250, PRICE))
            asked = settle(refund=back, release=PRICE - back)
            await self._tell(asked.model_copy(update={"booking_id": booking}))

    async def _top_up(self) -> None:
        price = Price(amount=self._rng.randint(100, 9000), currency="EUR")
        await self._tell(TopUpWallet(customer_id="bob", amount=price, payment_method="pm_card_visa", actor=BOB))

    async def _withdraw(self) -> None:
        price = Price(amount=self._rng.randint(1, 3000), currency="EUR")
        await self._tell(WithdrawFromWallet(customer_id="bob", amount=price, actor=BOB))

    async def _by_hand(self) -> None:
        charges = [one for one in await self._till.bench.state("charges") if one["amount_captured"]]
        left = [one for one in charges if one["amount_captured"] - one["amount_refunded"] > 10]
        if left:
            with contextlib.suppress(stripe.APIConnectionError):
                await by_hand(self._till, self._rng.choice(left)["payment_intent"], 10)


@pytest.mark.requirement("ledger", "observability")
async def test_however_many_differ_each_counts_and_stays_counted(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a round looks at again, as after a restore: none begins its grace anew because of the others."""
    monkeypatch.setattr(differences, "MOST", 4)
    for _ in range(30):
        await till.bench.charged(booking_id=str(uuid4()), attempt="1")
    till.bench.simulator._api.world.balance["eur"] += 1
    till.bench.later(minutes=1)
    for _ in range(60):
        await a_round(till, minutes=2)
    found = await counted(till)
    assert len([one for one in found if one[0] == "charge"]) == 30
    assert [(ours, theirs) for kind, subject, ours, theirs in found if subject == "Stripe's balance"] == []
    till.bench.simulator._api.world.balance["eur"] += 1
    for _ in range(20):
        await a_round(till, minutes=2)
    found = await counted(till)
    assert len([one for one in found if one[0] == "charge"]) == 30
    assert [theirs - ours for kind, subject, ours, theirs in found if subject == "Stripe's balance"] == [1]


@pytest.mark.requirement("ledger")
@pytest.mark.parametrize("ahead", [-600, 600])
async def test_a_clock_that_is_wrong_misses_no_movement(till: Till, ahead: int) -> None:
    """What is read on from is Stripe's time, not ours."""
    clock = SetClock(till.bench.clock.now())
    clock.advance(seconds=ahead)
    comparison = Comparison(till.bench.api, clock, CircuitBreaker())
    await paid(till)
    for number in range(25):
        till.bench.later(minutes=2)
        clock.advance(minutes=2)
        await till.engine.fetch("UPDATE comparison_state SET try_at = now() - interval '1 hour'")
        await comparison.compare(till.pool)
        if number == 1:
            await topped_up(till, 3000)
    assert await seen(till) == set()
    (total,) = await operator.totals(await till.engine.session.connection())
    assert (total["net_minor"], total["opening_balance_minor"]) == (PRICE + 3000, 0)
