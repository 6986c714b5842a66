"""Refunds made in Stripe's dashboard: the ledger follows to the cent, and what is left is what we can still give."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from booking_contracts.payments import PaymentSettled, TopUpWallet, WithdrawFromWallet
from booking_contracts.types import Actor, PaymentChoice, Price

from services.payments import gauges, metrics, operator
from services.payments.local_messages import DashboardRefundSeen, RefundAgain, RefundTold
from services.payments.model import ledger
from services.payments.model.dashboard_refund import cover
from services.payments.model.ledger import CLEARING, REFUND_LOSSES
from services.payments.model.refund import Refund
from services.payments.store import reads
from tests.payments.builders import BOOKING, INTENT, PRICE, PROVIDER, World, authorize, capture, settle
from tests.payments.till import Till, soon

ESCROW, OWED, PAYABLE = ledger.escrow(BOOKING), ledger.refund_owed(BOOKING), ledger.payable(PROVIDER)
AVAILABLE = ledger.available("bob")
BOB = Actor(kind="customer", id="bob")
REFUND_FAILS = PaymentChoice(method="card", payment_method="pm_card_refundFail")


async def paid(till: Till, **changes: Any) -> str:
    """A booking's payment in escrow; returns its PaymentIntent."""
    await till.tell(authorize(expires_at=soon(till.bench), **changes), capture())
    return str((await till.bench.state("payment_intents"))[-1]["id"])


async def by_hand(till: Till, intent: str, amount: int) -> str:
    """Somebody refunds at Stripe, and Stripe tells of it."""
    refund = await till.bench.api.v1.refunds.create_async({"payment_intent": intent, "amount": amount})
    await told(till)
    return refund.id


async def told(till: Till) -> None:
    await till.engine.fetch("UPDATE stripe_sweep SET try_at = now() - interval '1 hour'")
    await till.sweep()


async def agrees(till: Till) -> None:
    """What the ledger says Stripe holds is what Stripe holds; nothing was set aside on the way."""
    held = (await till.bench.api.v1.balance.retrieve_async()).available[0].amount
    assert await till.balance(CLEARING) == -held
    assert await till.engine.fetch("SELECT * FROM dead_letter") == []


async def settled(till: Till) -> dict[str, Any]:
    (sent,) = [sent for sent in await till.engine.sent() if sent.type == PaymentSettled.ce_type]
    return {name: sent.body[name]["amount"] for name in ("refund", "release", "provider_amount")}


@pytest.mark.requirement("refund-logic", "ledger", "webhooks")
async def test_a_later_refund_of_ours_is_limited_to_what_is_left(till: Till) -> None:
    intent = await paid(till)
    await by_hand(till, intent, 1000)
    assert await till.balance(ESCROW) == 3500
    await agrees(till)
    await till.tell(settle(refund=PRICE))
    assert await settled(till) == {"refund": PRICE, "release": 0, "provider_amount": 0}
    assert [refund["amount"] for refund in await till.bench.state("refunds")] == [1000, 3500]
    shown = await reads.payment_shown(till.pool, BOOKING)
    assert shown is not None
    assert [(one["amount"]["amount"], one["status"]) for one in shown["refunds"]] == [
        (1000, "succeeded"),
        (3500, "succeeded"),
    ]
    assert (await till.events()).count("RefundSucceeded") == 2
    await agrees(till)


@pytest.mark.requirement("refund-logic", "escrow")
async def test_the_provider_gets_what_is_left(till: Till) -> None:
    await by_hand(till, await paid(till), 1000)
    await till.tell(settle(release=PRICE))
    assert await settled(till) == {"refund": 1000, "release": 3500, "provider_amount": 3150}
    assert (await till.balance(ESCROW), await till.balance(PAYABLE)) == (0, 3150)
    await agrees(till)


@pytest.mark.requirement("refund-logic", "ledger")
async def test_beyond_the_escrow_it_is_our_loss_and_a_person_is_alerted(till: Till) -> None:
    intent = await paid(till)
    await till.tell(settle(release=PRICE))
    refund = await by_hand(till, intent, PRICE)
    assert await till.balance(REFUND_LOSSES) == -PRICE
    await agrees(till)
    await gauges.look(till.pool)
    counts = [metrics.dashboard_refunds.labels(lost)._value.get() for lost in ("true", "false")]
    assert counts == [1, 0]
    (line,) = await operator.repairs(await till.engine.session.connection(), days=1)
    assert (line["repair"], line["booking_id"], refund in line["detail"]) == ("import", BOOKING, True)


@pytest.mark.requirement("refund-logic")
async def test_it_stands_for_a_refund_of_ours_that_had_failed(till: Till) -> None:
    intent = await paid(till, payment=REFUND_FAILS)
    await till.tell(settle(refund=PRICE))
    (ours,) = await till.bench.state("refunds")
    await till.bench.control("POST", f"/refunds/{ours['id']}/fail")
    await told(till)
    assert await till.balance(OWED) == PRICE
    refund = await by_hand(till, intent, PRICE)
    assert await operator.waiting(await till.engine.session.connection()) == []
    assert (await till.balance(OWED), await till.balance(REFUND_LOSSES)) == (0, 0)
    shown = await reads.payment_shown(till.pool, BOOKING)
    assert shown is not None
    assert [(one["id"], one["status"]) for one in shown["refunds"]] == [(refund, "succeeded")]
    await agrees(till)


@pytest.mark.requirement("refund-logic")
async def test_a_part_of_it_makes_the_failed_refund_smaller(till: Till) -> None:
    intent = await paid(till, payment=REFUND_FAILS)
    await till.tell(settle(refund=PRICE))
    (ours,) = await till.bench.state("refunds")
    await till.bench.control("POST", f"/refunds/{ours['id']}/fail")
    await told(till)
    await by_hand(till, intent, 1000)
    connection = await till.engine.session.connection()
    (waiting,) = await operator.waiting(connection)
    assert (waiting.amount_minor, await till.balance(OWED)) == (3500, 3500)
    await operator.try_again(connection, waiting.id, till.bench.clock.now())
    await till.settle()
    assert [refund["amount"] for refund in await till.bench.state("refunds")] == [PRICE, 1000, 3500]
    assert await till.balance(OWED) == 0
    await agrees(till)


@pytest.mark.requirement("refund-logic", "webhooks")
async def test_one_that_fails_is_owed_and_waits_for_a_person(till: Till) -> None:
    refund = await by_hand(till, await paid(till), 1000)
    await till.bench.control("POST", f"/refunds/{refund}/fail")
    await told(till)
    assert (await till.events())[-2:] == ["RefundSucceeded", "RefundFailed"]
    assert (await till.balance(OWED), await till.balance(ESCROW)) == (1000, 3500)
    await agrees(till)
    connection = await till.engine.session.connection()
    (waiting,) = await operator.waiting(connection)
    assert waiting.parked
    await operator.paid_outside(connection, till.bench.clock, waiting.id, by_whom="mia", reference="4711")
    await till.bench.api.v1.refunds.update_async(refund, {"metadata": {"note": "seen"}})
    await told(till)
    assert await till.balance(OWED) == 0
    await agrees(till)


@pytest.mark.requirement("webhooks")
async def test_one_that_had_failed_before_we_looked_moves_nothing(till: Till) -> None:
    intent = await paid(till)
    refund = await till.bench.api.v1.refunds.create_async({"payment_intent": intent, "amount": 1000})
    await till.bench.control("POST", f"/refunds/{refund.id}/fail")
    await told(till)
    assert await till.balance(ESCROW) == PRICE
    await agrees(till)


@pytest.mark.requirement("wallet", "ledger")
async def test_a_top_up_refunded_at_stripe_leaves_the_wallet(till: Till) -> None:
    card = TopUpWallet(
        customer_id="bob", amount=Price(amount=5000, currency="EUR"), payment_method="pm_card_visa", actor=BOB
    )
    await till.tell(card)
    (intent,) = await till.bench.state("payment_intents")
    refund = await by_hand(till, intent["id"], 2000)
    assert (await till.balance(AVAILABLE), (await till.events())[-1]) == (3000, "WalletWithdrawn")
    await agrees(till)
    await till.tell(WithdrawFromWallet(customer_id="bob", amount=Price(amount=3001, currency="EUR"), actor=BOB))
    assert (await till.events())[-1] == "CommandRejected"
    await till.bench.control("POST", f"/refunds/{refund}/fail")
    await told(till)
    assert await till.balance(AVAILABLE) == 5000
    await agrees(till)


@pytest.mark.requirement("wallet", "ledger")
async def test_what_the_wallet_has_spent_is_our_loss(till: Till) -> None:
    card = TopUpWallet(
        customer_id="bob", amount=Price(amount=5000, currency="EUR"), payment_method="pm_card_visa", actor=BOB
    )
    await till.tell(card)
    await till.tell(authorize(payment=PaymentChoice(method="wallet"), expires_at=soon(till.bench)), capture())
    (intent,) = await till.bench.state("payment_intents")
    refund = await by_hand(till, intent["id"], 5000)
    assert (await till.balance(AVAILABLE), await till.balance(REFUND_LOSSES)) == (0, -PRICE)
    await agrees(till)
    await till.bench.control("POST", f"/refunds/{refund}/fail")
    await told(till)
    assert (await till.balance(AVAILABLE), await till.balance(REFUND_LOSSES)) == (500, 0)
    await agrees(till)


@pytest.mark.requirement("wallet")
async def test_money_that_a_card_has_back_is_not_sent_there_again(till: Till) -> None:
    card = TopUpWallet(
        customer_id="bob", amount=Price(amount=5000, currency="EUR"), payment_method="pm_card_visa", actor=BOB
    )
    await till.tell(card)
    await till.tell(authorize(payment=PaymentChoice(method="wallet"), expires_at=soon(till.bench)), capture())
    (intent,) = await till.bench.state("payment_intents")
    await by_hand(till, intent["id"], 5000)
    await till.tell(settle(refund=PRICE))
    assert await till.balance(AVAILABLE) == PRICE
    await till.tell(WithdrawFromWallet(customer_id="bob", amount=Price(amount=1, currency="EUR"), actor=BOB))
    assert (await till.events())[-1] == "CommandRejected"
    assert not any(key.endswith(":refund") for key in await till.bench.keys()), "Stripe was not even asked"


def seen(amount: int = PRICE, status: str = "succeeded") -> DashboardRefundSeen:
    return DashboardRefundSeen(
        stripe_refund="re_hand", payment_intent=INTENT, amount_minor=amount, status=status, booking_id=BOOKING
    )


@pytest.mark.requirement("refund-logic")
def test_while_a_refund_of_ours_is_on_its_way_it_waits() -> None:
    world = World().captured()
    world.tell(settle(refund=PRICE))
    world.tell(seen())
    assert world.balance(REFUND_LOSSES) == 0
    assert len(world.reminders(RefundTold)) == 1
    world.refund_is("failed", "charge_already_refunded")
    assert world.balance(OWED) == PRICE
    world.tell(seen())
    assert (world.balance(OWED), world.balance(REFUND_LOSSES), world.balance(CLEARING)) == (0, 0, 0)
    assert world.events[-1] == "RefundSucceeded"


@pytest.mark.requirement("refund-logic", "webhooks")
def test_a_capture_that_is_news_is_posted_first() -> None:
    world = World().authorized()
    world.tell(seen(1000))
    assert (world.operations[-1], world.entries) == ("retrieve", [])
    world.stripe_says("succeeded")
    world.tell(seen(1000))
    assert (world.balance(ESCROW), world.balance(CLEARING)) == (3500, -3500)


@pytest.mark.requirement("refund-logic")
def test_one_that_fails_is_not_made_again_without_a_person() -> None:
    world = World().captured()
    world.tell(seen(1000, "pending"))
    world.tell(seen(1000, "failed").model_copy(update={"failure": "declined"}))
    (refund,) = world.work.all(Refund)
    assert (refund.parked, world.reminders(RefundAgain)) == (True, [])


@pytest.mark.requirement("webhooks")
def test_told_twice_it_counts_once() -> None:
    world = World().captured()
    world.tell(seen(1000, "pending"))
    world.tell(seen(1000, "pending"))
    world.tell(seen(1000))
    world.tell(seen(1000))
    assert world.balance(ESCROW) == 3500
    assert world.events.count("RefundSucceeded") == 1
    assert ledger.unbalanced(world.entries) == {}


def test_of_another_paymentintent_nothing_is_posted() -> None:
    world = World().captured()
    world.tell(seen().model_copy(update={"payment_intent": "pi_earlier"}))
    assert world.balance(ESCROW) == world.payment.escrow_minor == PRICE


def test_a_failed_refund_goes_before_the_escrow() -> None:
    world = World().captured()
    for amount in (1000, 2000):
        world.tell(settle(refund=amount, settlement_id=uuid4()))
    world.refund_is("failed", "declined", number=1)
    world.refund_is("failed", "declined", number=2)
    small, large = world.work.all(Refund)
    assert cover(2500, [small, large], 1500).instead_of == large
    assert (cover(2500, [small, large], 300).escrow_minor, cover(2500, [small, large], 300).lost_minor) == (300, 200)
    assert cover(500, [small, large], 1500).less_of == small
