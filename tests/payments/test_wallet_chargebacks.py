"""The dispute of a wallet's top-up: the wallet cannot spend what the bank has taken back (requirement chargebacks)."""

from __future__ import annotations

import pytest
from booking_contracts.payments import TopUpWallet, WithdrawFromWallet
from booking_contracts.types import Actor, PaymentChoice, Price

from services.payments import gauges, metrics, operator
from services.payments.model import ledger
from services.payments.model.ledger import CLEARING, LOSSES
from tests.payments.builders import BOOKING, PRICE, authorize, capture, settle, void
from tests.payments.strange_hands import fail_refund, refund_by_hand
from tests.payments.till import Till, soon

AVAILABLE, LOCKED = ledger.available("bob"), ledger.locked("bob")
BOB = Actor(kind="customer", id="bob")
WALLET = PaymentChoice(method="wallet")


async def top_up(till: Till, amount: int) -> str:
    """Returns the PaymentIntent."""
    price = Price(amount=amount, currency="EUR")
    await till.tell(TopUpWallet(customer_id="bob", amount=price, payment_method="pm_card_visa", actor=BOB))
    till.bench.later(seconds=1)
    return str((await till.bench.state("payment_intents"))[-1]["id"])


async def pay_by_wallet(till: Till) -> None:
    await till.tell(authorize(payment=WALLET, expires_at=soon(till.bench)), capture())


async def withdraw(till: Till, amount: int) -> str:
    price = Price(amount=amount, currency="EUR")
    await till.tell(WithdrawFromWallet(customer_id="bob", amount=price, actor=BOB))
    return next(event for event in reversed(await till.events()) if event.startswith("Command"))


async def told(till: Till) -> None:
    await till.engine.fetch("UPDATE stripe_sweep SET try_at = now() - interval '1 hour'")
    await till.sweep()
    assert await till.engine.fetch("SELECT * FROM dead_letter") == []


async def disputed(till: Till, intent: str, amount: int) -> str:
    dispute = await till.bench.control("POST", "/disputes", {"payment_intent": intent, "amount": amount})
    await told(till)
    return str(dispute["id"])


async def closed(till: Till, dispute: str, outcome: str) -> None:
    await till.bench.control("POST", f"/disputes/{dispute}/close", {"status": outcome})
    await told(till)


async def balances(till: Till) -> tuple[int, int, int]:
    """(available, locked, losses), after a look that the ledger and Stripe agree."""
    held = (await till.bench.api.v1.balance.retrieve_async()).available[0].amount
    assert await till.balance(CLEARING) == -held
    return await till.balance(AVAILABLE), await till.balance(LOCKED), await till.balance(LOSSES)


@pytest.mark.requirement("chargebacks", "wallet")
async def test_what_the_bank_took_back_cannot_be_spent(till: Till) -> None:
    await disputed(till, await top_up(till, 5000), 5000)
    assert await balances(till) == (0, 5000, 0)
    await pay_by_wallet(till)
    assert "PaymentDeclined" in await till.events()
    assert await withdraw(till, 1) == "CommandRejected"


@pytest.mark.requirement("chargebacks", "wallet")
async def test_won_it_can_be_spent_and_withdrawn_again(till: Till) -> None:
    dispute = await disputed(till, await top_up(till, 5000), 3000)
    assert await balances(till) == (2000, 3000, 0)
    assert await withdraw(till, 2000) == "CommandRejected", "the card takes no refund while it is disputed"
    assert not any(key.endswith(":refund") for key in await till.bench.keys()), "Stripe was not even asked"
    await closed(till, dispute, "won")
    assert await balances(till) == (5000, 0, 0)
    assert await withdraw(till, 5000) == "CommandAccepted"


@pytest.mark.requirement("chargebacks", "wallet")
async def test_lost_it_is_gone_from_the_wallet(till: Till) -> None:
    dispute = await disputed(till, await top_up(till, 5000), 3000)
    await closed(till, dispute, "lost")
    assert await balances(till) == (2000, 0, 0)
    assert await till.balance(ledger.disputed(dispute)) == 0
    assert await withdraw(till, 1) == "CommandRejected"


@pytest.mark.requirement("chargebacks", "ledger")
async def test_what_was_spent_before_is_our_loss_and_the_wallet_is_never_below_zero(till: Till) -> None:
    intent = await top_up(till, 5000)
    await pay_by_wallet(till)
    dispute = await disputed(till, intent, 5000)
    assert await balances(till) == (0, 500, 0)
    await closed(till, dispute, "lost")
    assert await balances(till) == (0, 0, -PRICE)
    assert await till.balance(ledger.escrow(BOOKING)) == PRICE, "the booking that it paid for keeps its money"


@pytest.mark.requirement("chargebacks", "wallet")
async def test_what_has_come_in_since_covers_the_rest(till: Till) -> None:
    intent = await top_up(till, 5000)
    await pay_by_wallet(till)
    dispute = await disputed(till, intent, 5000)
    await top_up(till, 4000)
    assert await balances(till) == (4000, 500, 0)
    await closed(till, dispute, "lost")
    assert await balances(till) == (0, 0, -500)


@pytest.mark.requirement("chargebacks")
async def test_one_that_is_first_seen_lost(till: Till) -> None:
    intent = await top_up(till, 5000)
    dispute = await till.bench.control("POST", "/disputes", {"payment_intent": intent, "amount": 5000})
    await closed(till, str(dispute["id"]), "lost")
    assert await balances(till) == (0, 0, 0)


@pytest.mark.requirement("chargebacks", "operations-cli")
async def test_an_operator_sees_it_until_it_is_closed(till: Till) -> None:
    dispute = await disputed(till, await top_up(till, 5000), 3000)
    connection = await till.engine.session.connection()
    await gauges.look(till.pool)
    assert metrics.chargebacks_open._value.get() == 1
    (row,) = await operator.chargebacks(connection, every=False)
    assert (row["dispute_id"], row["customer_id"], row["frozen_minor"]) == (dispute, "bob", 3000)
    await closed(till, dispute, "won")
    await gauges.look(till.pool)
    assert metrics.chargebacks_open._value.get() == 0
    assert await operator.chargebacks(connection, every=False) == []
    assert [row["outcome"] for row in await operator.chargebacks(connection, every=True)] == ["won"]


@pytest.mark.requirement("chargebacks", "wallet")
@pytest.mark.parametrize("outcome", ["won", "lost"])
async def test_a_refund_by_hand_that_comes_back_meanwhile_is_locked(till: Till, outcome: str) -> None:
    """As a withdrawal that comes back is: else it is spent, and the bank gives it to the payer once more."""
    intent = await top_up(till, PRICE + 2000)
    refund = await refund_by_hand(till, 2000)
    await told(till)
    await pay_by_wallet(till)
    dispute = await disputed(till, intent, 3000)
    assert await balances(till) == (0, 0, 0)
    await fail_refund(till, refund)
    await told(till)
    assert await balances(till) == (0, 2000, 0)
    await closed(till, dispute, outcome)
    assert await balances(till) == ((2000, 0, 0) if outcome == "won" else (0, 0, -1000))


@pytest.mark.requirement("chargebacks", "wallet")
@pytest.mark.parametrize("captured", [False, True])
@pytest.mark.parametrize("outcome", ["won", "lost"])
async def test_what_a_booking_gives_back_meanwhile_is_locked(till: Till, captured: bool, outcome: str) -> None:
    """Else who spends first and disputes then needs only to cancel, and has it twice."""
    intent = await top_up(till, PRICE)
    await till.tell(authorize(payment=WALLET, expires_at=soon(till.bench)))
    if captured:
        await till.tell(capture())
    dispute = await disputed(till, intent, PRICE - 500)
    await till.tell(settle(refund=PRICE) if captured else void())
    assert await balances(till) == (500, PRICE - 500, 0)
    await closed(till, dispute, outcome)
    assert await balances(till) == ((PRICE, 0, 0) if outcome == "won" else (500, 0, 0))


@pytest.mark.requirement("chargebacks", "wallet")
async def test_a_withdrawal_that_comes_back_is_locked_for_the_dispute_of_another_top_up(till: Till) -> None:
    """All money of a wallet is one: which card it is from does not matter."""
    first = await top_up(till, 3000)
    await top_up(till, 2000)
    await till.tell(authorize(payment=WALLET, expires_at=soon(till.bench), amount=Price(amount=3000, currency="EUR")))
    assert await withdraw(till, 2000) == "CommandAccepted"
    await disputed(till, first, 3000)
    await fail_refund(till, (await till.bench.state("refunds"))[-1]["id"])
    await told(till)
    assert await balances(till) == (0, 3000 + 2000, 0)
