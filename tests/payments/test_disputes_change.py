"""Disputes that change after their end: the money is posted each time it moves, and ends where it belongs."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from booking_contracts.payments import ChargebackClosed, ChargebackOpened, PaymentSettled, RefundSucceeded
from booking_contracts.types import Money
from hypothesis import given
from hypothesis import strategies as st

import services.payments
from services.payments.local_messages import DashboardRefundSeen, DisputeChanged, DisputeSeen, RefundSeen
from services.payments.model import ledger
from services.payments.model.chargeback import Chargeback, Outcome, outcome_of
from services.payments.model.ledger import LOSSES
from services.payments.model.payment import Status
from services.payments.model.refund import Refund
from services.payments.work import Reconciliation
from tests.payments.builders import BOOKING, INTENT, PRICE, PROVIDER, World, authorize, capture, eur, settle, void
from tests.payments.strange_hands import (
    agrees,
    dispute,
    noted,
    now_stands,
    refund_by_hand,
    told,
    top_up,
    wallet,
    withdraw,
)
from tests.payments.test_wallets import Purse
from tests.payments.till import Till, soon

ESCROW, PAYABLE, OWED = ledger.escrow(BOOKING), ledger.payable(PROVIDER), ledger.refund_owed(BOOKING)
ACCOUNTS = (ESCROW, PAYABLE, OWED, ledger.COMMISSION, LOSSES, ledger.CLEARING, ledger.disputed("du_1"))


async def paid(till: Till, **changes: Any) -> str:
    await till.tell(authorize(expires_at=soon(till.bench), **changes), capture())
    return await dispute(till)


@pytest.mark.requirement("chargebacks", "ledger")
@pytest.mark.parametrize("settled", ["before it opened", "while it was lost", "not at all"])
async def test_what_was_lost_and_is_won_is_where_it_would_have_been(till: Till, settled: str) -> None:
    await till.tell(authorize(expires_at=soon(till.bench), payout_account="acct_1"), capture())
    if settled == "before it opened":
        await till.tell(settle(release=PRICE))
    found = await dispute(till)
    await now_stands(till, found, "lost")
    await agrees(till)
    if settled == "while it was lost":
        await till.tell(settle(refund=1500, release=3000))
        assert await till.balance(PAYABLE) == 0
    await now_stands(till, found, "won")
    await agrees(till)
    assert (await till.events()).count("ChargebackClosed") == 2
    assert await till.balance(LOSSES) == await till.balance(ledger.disputed(found)) == 0
    sent = [transfer["amount"] for transfer in await till.bench.state("transfers")]
    assert sent == {"before it opened": [4050], "while it was lost": [2700], "not at all": []}[settled]
    assert await till.balance(ESCROW) == (PRICE if settled == "not at all" else 0)
    refunds = [refund["amount"] for refund in await till.bench.state("refunds")]
    assert refunds == ([1500] if settled == "while it was lost" else [])


@pytest.mark.requirement("chargebacks", "ledger")
async def test_back_and_forth_the_ledger_follows(till: Till) -> None:
    found = await paid(till)
    for status in ("needs_response", "lost", "won", "needs_response", "won", "lost", "under_review", "won"):
        await now_stands(till, found, status)
        await agrees(till)
        frozen = await till.engine.fetch("SELECT disputes FROM payment")
        assert frozen[0]["disputes"] == (status in ("needs_response", "under_review"))
    assert await till.balance(ESCROW) == PRICE
    names = [event.removeprefix("Chargeback") for event in await till.events() if event.startswith("Charge")]
    assert names == [
        *("Opened", "Closed", "Closed"),  # lost, then won
        *("Opened", "Closed"),  # and disputed again, won
        *("Opened", "Closed"),  # taken again
        *("Opened", "Closed"),  # and taken up once more
    ]


@pytest.mark.requirement("chargebacks", "ledger")
async def test_an_inquiry_takes_nothing_until_it_becomes_a_chargeback(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)), capture())
    found = await dispute(till, inquiry=True)
    for status in ("warning_under_review", "warning_closed"):
        await now_stands(till, found, status)
    assert "ChargebackOpened" not in await till.events()
    await now_stands(till, found, "needs_response")
    assert (await till.events())[-1] == "ChargebackOpened"
    await agrees(till)
    await now_stands(till, found, "warning_closed")
    assert (await till.events())[-1] == "ChargebackClosed"
    await agrees(till)


@pytest.mark.requirement("chargebacks", "ledger")
async def test_the_bank_s_amount_may_be_in_another_currency_ours_is_what_left_the_balance(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)), capture())
    found = await dispute(till, amount=5000, currency="usd")
    await told(till)
    await now_stands(till, found, "lost")
    (row,) = await till.engine.fetch("SELECT amount_minor, currency FROM chargeback")
    assert tuple(row) == (PRICE, "EUR")
    assert (await till.balance(ESCROW), await till.balance(LOSSES)) == (0, 0)
    await agrees(till)


@pytest.mark.requirement("chargebacks", "ledger", "poison")
@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_what_left_in_another_currency_than_was_paid_is_our_loss_and_a_person_sees_it(outcome: str) -> None:
    world = World().captured()
    stands(world, "needs_response", 5000, "USD")
    assert world.last(ChargebackOpened).amount == Money(amount=5000, currency="USD")
    stands(world, outcome, 5000, "USD")
    assert world.last(ChargebackClosed).amount == Money(amount=5000, currency="USD")
    lost = sum(entry.amount_minor for entry in world.entries if (entry.account, entry.currency) == (LOSSES, "USD"))
    assert (lost, world.balance(ESCROW)) == (-5000 if outcome == "lost" else 0, PRICE)
    (line,) = world.records(Reconciliation)
    assert (line.repair, line.booking_id) == ("unclaimed", BOOKING)
    assert ledger.unbalanced(world.entries) == {}


@pytest.mark.requirement("chargebacks", "wallet")
async def test_a_wallet_goes_the_same_way(till: Till) -> None:
    await till.tell(top_up(5000))
    found = await dispute(till, amount=3000)
    await told(till)
    for status, holds in (
        ("needs_response", (2000, 3000)),
        ("lost", (2000, 0)),
        ("won", (5000, 0)),
        ("needs_response", (2000, 3000)),
        ("won", (5000, 0)),
        ("lost", (2000, 0)),
        ("under_review", (2000, 3000)),
        ("lost", (2000, 0)),
    ):
        await now_stands(till, found, status)
        assert (await wallet(till), await till.balance(LOSSES)) == (holds, 0)
    await now_stands(till, found, "won")
    await till.tell(withdraw(5000))
    assert await wallet(till) == (0, 0)


@pytest.mark.requirement("chargebacks", "wallet", "ledger")
async def test_a_wallet_that_spent_it_loses_no_more_than_it_has(till: Till) -> None:
    await till.tell(top_up(5000))
    found = await dispute(till)
    await now_stands(till, found, "won")
    await till.tell(withdraw(4000))
    await now_stands(till, found, "lost")
    assert (await wallet(till), await till.balance(LOSSES)) == ((0, 0), -4000)
    await now_stands(till, found, "won")
    assert (await wallet(till), await till.balance(LOSSES)) == ((1000, 0), 0)
    assert await noted(till) == []


@pytest.mark.requirement("chargebacks", "refund-logic")
async def test_a_refund_that_a_lost_one_made_good_is_made_when_it_is_won_after_all(till: Till) -> None:
    found = await paid(till)
    await till.tell(settle(refund=PRICE), settle=False)  # Stripe refuses it, before we have heard of the dispute
    await till.settle()
    assert await till.balance(OWED) == PRICE
    await now_stands(till, found, "lost")
    assert (await till.balance(OWED), await till.balance(LOSSES)) == (0, 0)
    await now_stands(till, found, "won")
    assert [refund["amount"] for refund in await till.bench.state("refunds")] == [PRICE]
    assert (await till.balance(OWED), await till.balance(LOSSES)) == (0, 0)
    assert (await till.events())[-1] == "RefundSucceeded"
    await agrees(till)


@pytest.mark.requirement("chargebacks")
def test_a_void_after_a_loss_in_part_leaves_nothing_in_escrow() -> None:
    world = World().captured()
    world.dispute("needs_response", 2000)
    world.dispute("lost", 2000)
    world.tell(void())
    assert [refund.amount_minor for refund in world.work.all(Refund)] == [PRICE - 2000]
    assert (world.balance(ESCROW), world.payment.status, world.events[-1]) == (0, Status.SETTLED, "PaymentVoided")


@pytest.mark.requirement("escrow", "refund-logic")
def test_no_settlement_says_more_than_was_captured() -> None:
    """Somebody has captured a part by hand: what booking asks for is the price, what is there is less."""
    world = World().authorized()
    world.tell(capture())
    world.stripe_says("succeeded", received_minor=2000)
    world.tell(settle(refund=PRICE))
    assert world.last(PaymentSettled).refund == eur(2000)
    assert [refund.amount_minor for refund in world.work.all(Refund)] == [2000]
    assert world.balance(ESCROW) == 0


@pytest.mark.parametrize(
    ("status", "withdrawn", "outcome"),
    [
        ("won", True, Outcome.OPEN),  # Stripe gives it back in a while
        ("won", False, Outcome.WON),
        ("lost", True, Outcome.LOST),
        ("lost", False, Outcome.WON),
        ("needs_response", True, Outcome.OPEN),
        ("warning_closed", False, Outcome.WON),
        ("warning_needs_response", None, None),
        ("prevented", None, None),
        ("lost", None, Outcome.LOST),
        ("under_review", None, Outcome.OPEN),
    ],
)
def test_where_the_money_is_counts_more_than_the_word(
    status: str, withdrawn: bool | None, outcome: Outcome | None
) -> None:
    assert outcome_of(status, withdrawn=withdrawn) is outcome


def stands(world: World, status: str, amount: int = PRICE, currency: str = "EUR") -> None:
    """Stripe tells of the booking's dispute and says how it stands; refunds asked for are made."""
    changed = DisputeChanged(
        event_id="evt",
        dispute_id="du_1",
        payment_intent=INTENT,
        booking_id=BOOKING,
        amount_minor=amount,
        currency=currency,
    )
    world.tell(changed)
    with_bank = None if status.startswith("warning") else status != "won"
    seen = {"dispute_id": "du_1", "booking_id": BOOKING, "amount_minor": amount, "currency": currency}
    world.tell(DisputeSeen(**seen, status=status, withdrawn=with_bank))
    refunds_are_made(world)


def refunds_are_made(world: World) -> None:
    for refund in [one for one in world.work.all(Refund) if one.calling]:
        made = f"re_{refund.number}"
        answer = {"booking_id": BOOKING, "refund_id": refund.refund_id, "stripe_refund": made}
        world.tell(RefundSeen(**answer, status="succeeded"))


def settles(world: World, refund: int) -> None:
    world.tell(settle(refund=refund, release=PRICE - refund, settlement_id=UUID(int=5)))
    refunds_are_made(world)


def balances(world: World) -> dict[str, int]:
    assert ledger.unbalanced(world.entries) == {}
    assert world.payment.escrow_minor == world.balance(ESCROW) >= 0
    return {account: world.balance(account) for account in ACCOUNTS}


STATUSES = st.lists(
    st.sampled_from(["needs_response", "under_review", "won", "lost", "warning_under_review"]), max_size=6
)


@pytest.mark.requirement("chargebacks", "ledger")
@given(
    STATUSES,
    st.sampled_from(["won", "lost"]),
    st.integers(0, 7),
    st.integers(0, PRICE // 10).map(lambda tens: tens * 10),
    st.integers(1, PRICE // 10).map(lambda tens: tens * 10),
)
def test_whatever_it_went_through_the_last_outcome_is_as_if_it_had_been_the_only_one(
    statuses: list[str], last: str, when: int, refund: int, amount: int
) -> None:
    """But for what was released while it was won: that is as if it had been settled before the dispute began."""
    world, released = World().captured(), False
    for number, status in enumerate([*statuses, last]):
        if number == when:
            settles(world, refund)
        released = released or (world.payment.status is Status.SETTLED and not at_bank(world))
        stands(world, status, amount)
    if when > len(statuses):
        settles(world, refund)
    once = World().captured()
    if released:
        settles(once, refund)
    stands(once, "needs_response", amount)
    if not released:
        settles(once, refund)
    stands(once, last, amount)
    assert balances(world) == balances(once)
    total = sum(one.amount.amount for one in world.sent(RefundSucceeded))
    assert total == sum(one.amount.amount for one in once.sent(RefundSucceeded))


def at_bank(world: World) -> bool:
    return any(row.outcome in (Outcome.OPEN, Outcome.LOST) for row in world.work.all(Chargeback))


@pytest.mark.requirement("chargebacks", "wallet", "ledger")
@given(STATUSES, st.sampled_from(["won", "lost"]), st.integers(1, 5000))
def test_the_same_of_a_wallet(statuses: list[str], last: str, amount: int) -> None:
    purse = Purse()
    command_id = purse.charged(5000)
    for status in [*statuses, last]:
        of = {"dispute_id": "du_1", "customer_id": "bob", "command_id": command_id, "amount_minor": amount}
        purse.tell(DisputeChanged(**of, event_id="e", payment_intent="pi_5000", currency="eur"))
        with_bank = None if status.startswith("warning") else status != "won"
        purse.tell(DisputeSeen(**of, currency="EUR", status=status, withdrawn=with_bank))
        (row,) = purse.work.all(Chargeback)
        left = 5000 - (amount if row.outcome in (Outcome.OPEN, Outcome.LOST) else 0)
        assert purse.holds == (left, amount if row.outcome is Outcome.OPEN else 0)
    assert (purse.balance(LOSSES), purse.balance(ledger.disputed("du_1"))) == (0, 0)


@pytest.mark.requirement("chargebacks", "refund-logic", "ledger")
@given(
    st.integers(1, PRICE // 10).map(lambda tens: tens * 10),
    st.integers(0, PRICE // 10).map(lambda tens: tens * 10),
    st.permutations(["by hand", "settled"]),
    st.booleans(),
)
def test_what_was_refunded_by_hand_stays_with_the_payer_when_a_lost_one_is_won(
    by_hand: int, refund: int, order: list[str], twice: bool
) -> None:
    """A refund by hand counts towards what the payer is to get, before what a lost chargeback has given them."""
    disputed = PRICE - by_hand
    world = World().captured()
    once = World().captured()
    if order[0] == "by hand":
        refunded_by_hand(world, by_hand)
        refunded_by_hand(once, by_hand)
    if disputed:
        stands(world, "lost", disputed)
    settles(world, refund)
    settles(once, refund)
    if disputed:
        stands(world, "won", disputed)
    if disputed and twice:
        stands(world, "lost", disputed)
        stands(world, "won", disputed)
    if order[0] == "settled":
        refunded_by_hand(world, by_hand)
        refunded_by_hand(once, by_hand)
    assert balances(world) == balances(once)


def refunded_by_hand(world: World, amount: int) -> None:
    seen = {"stripe_refund": "re_by_hand", "payment_intent": INTENT, "amount_minor": amount, "booking_id": BOOKING}
    world.tell(DashboardRefundSeen(**seen, status="succeeded"))


@pytest.mark.parametrize(("earlier", "later"), [("won", "lost"), ("lost", "won")])
def test_told_twice_or_late_it_counts_once(earlier: str, later: str) -> None:
    world = World().captured()
    for status in (earlier, earlier, later, later):
        stands(world, status)
    assert world.events.count("ChargebackClosed") == 2
    assert world.payment.disputes == 0


@pytest.mark.requirement("chargebacks", "ledger")
async def test_what_was_lost_before_this_build_is_undone_to_the_cent(till: Till) -> None:
    """The migration's own statement, run over chargebacks that an older build has posted."""
    found = await paid(till)
    await now_stands(till, found, "lost")
    await till.tell(top_up(5000))
    other = await dispute(till, amount=3000)
    await now_stands(till, other, "lost")
    connection = await till.engine.session.connection()
    await connection.execute("UPDATE chargeback SET covered_minor = 0, owed_minor = 0")
    sql = Path(services.payments.__file__).with_name("migrations").joinpath("0015_lost_before.sql").read_text()
    await connection.execute(sql)
    for one in (found, other):
        await now_stands(till, one, "won")
    assert (await till.balance(ESCROW), await wallet(till)) == (PRICE, (5000, 0))
    assert await till.balance(LOSSES) == 0


@pytest.mark.requirement("chargebacks", "refund-logic", "ledger")
async def test_what_was_refunded_by_hand_before_this_build_stays_with_the_payer(till: Till) -> None:
    """The migration's own statement, run over a refund that an older build has posted."""
    await till.tell(authorize(expires_at=soon(till.bench), payout_account="acct_1"), capture())
    await refund_by_hand(till, 1000)
    await told(till)
    found = await dispute(till, amount=PRICE - 1000)
    await now_stands(till, found, "lost")
    connection = await till.engine.session.connection()
    assert await connection.fetchval("UPDATE payment SET by_hand_minor = 0 RETURNING lost_minor") == PRICE
    sql = Path(services.payments.__file__).with_name("migrations").joinpath("0023_by_hand_before.sql").read_text()
    await connection.execute(sql)
    await till.tell(settle(refund=1500, release=3000))
    await now_stands(till, found, "won")
    assert [refund["amount"] for refund in await till.bench.state("refunds")] == [1000, 500]
    assert await till.balance(ledger.COMMISSION) == 300
    await agrees(till)


@pytest.mark.requirement("chargebacks", "ledger", "escrow")
async def test_one_that_is_won_in_part_takes_the_rest_and_holds_nothing_up(till: Till) -> None:
    """Stripe says that it is won, and gives back less than it took."""
    found = await paid(till)
    await told(till)
    await till.tell(settle(refund=1000, release=PRICE - 1000))
    world = till.bench.simulator._api.world
    stripes = world.disputes.at_path(found)
    stripes.status = "won"
    world.emit("charge.dispute.closed", stripes, found)
    await told(till)
    assert await till.balance(ESCROW) == PRICE, "what is won is ours again once it was reinstated"
    stripes.movements = (*stripes.movements, world.move("dispute_reversal", 3000, "eur", found))
    world.emit("charge.dispute.funds_reinstated", stripes, found)
    await told(till)
    assert (await till.balance(ESCROW), await till.balance(LOSSES)) == (0, 0)
    assert await till.balance(PAYABLE) == 2700, "the payer has 1500 by the bank, more than the 1000 that were asked for"
    await agrees(till)
    stripes.movements = (*stripes.movements, world.move("dispute_reversal", 1500, "eur", found))
    world.emit("charge.dispute.funds_reinstated", stripes, found)
    await told(till)
    assert (await till.balance(ESCROW), await till.balance(LOSSES)) == (0, 0)
    assert [refund["amount"] for refund in await till.bench.state("refunds")] == [1000]
    assert await till.balance(PAYABLE) == 3150
    await agrees(till)
