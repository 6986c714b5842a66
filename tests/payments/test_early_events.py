"""Events that come before our row knows its object, or while a call about the same money is open: nothing is lost.

The same for bookings and wallets. D1 to D6 and C10 of what was found in the books.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from booking_contracts.payments import WalletCommandAccepted, WalletCommandRejected

from services.payments import gauges, metrics, operator
from services.payments.handlers import unclaimed_events
from services.payments.local_messages import RefundTold, TopUpSeen, Unclaimed
from services.payments.model import ledger
from services.payments.model.ledger import REFUND_LOSSES
from tests.payments.builders import BOOKING, PRICE, PROVIDER, World, authorize, capture, settle
from tests.payments.strange_hands import (
    agrees,
    answer_is_lost,
    dispute,
    fail_refund,
    heard,
    noted,
    now_stands,
    refund_by_hand,
    reverse,
    told,
    top_up,
    wallet,
    withdraw,
)
from tests.payments.test_wallets import Purse
from tests.payments.till import Till, soon

ESCROW, PAYABLE = ledger.escrow(BOOKING), ledger.payable(PROVIDER)


async def replies(till: Till) -> list[str]:
    return [sent.type.split(".")[1] for sent in await till.engine.sent() if sent.topic == "wallet.replies"]


@pytest.mark.requirement("wallet", "refund-logic", "webhooks")
async def test_a_top_up_that_is_refunded_before_its_answer_is_known(till: Till) -> None:
    await till.tell(top_up(PRICE), settle=False)
    await answer_is_lost(till)
    await refund_by_hand(till, PRICE)
    await heard(till)
    await till.settle()
    await told(till)
    assert await wallet(till) == (0, 0)


@pytest.mark.requirement("wallet", "chargebacks", "webhooks")
async def test_a_top_up_that_is_disputed_before_its_answer_is_known(till: Till) -> None:
    await till.tell(top_up(PRICE), settle=False)
    await answer_is_lost(till)
    found = await dispute(till)
    await heard(till)
    await till.settle()
    await told(till)
    assert await wallet(till) == (0, PRICE)
    await now_stands(till, found, "won")
    assert await wallet(till) == (PRICE, 0)


@pytest.mark.requirement("wallet", "refund-logic", "webhooks")
async def test_a_withdrawal_that_the_bank_sends_back_before_its_answer_is_known(till: Till) -> None:
    await till.tell(top_up(PRICE))
    await till.tell(withdraw(PRICE), settle=False)
    await answer_is_lost(till)
    (refund,) = await till.bench.state("refunds")
    await fail_refund(till, refund["id"])
    await heard(till)
    await till.settle()
    assert await replies(till) == ["CommandAccepted", "CommandAccepted"], "the stored answer says that it succeeded"
    await told(till)
    assert await wallet(till) == (PRICE, 0)


@pytest.mark.requirement("wallet", "refund-logic")
async def test_a_refund_by_hand_while_a_withdrawal_is_under_way(till: Till) -> None:
    await till.tell(top_up(PRICE))
    await till.tell(withdraw(PRICE), settle=False)
    await refund_by_hand(till, PRICE)
    await heard(till)
    await till.settle()
    await told(till)
    assert (await replies(till))[-1] == "CommandRejected"
    assert (await wallet(till), await till.balance(REFUND_LOSSES)) == ((0, 0), 0)


@pytest.mark.requirement("wallet", "chargebacks")
async def test_a_dispute_while_a_withdrawal_is_under_way_locks_what_comes_back(till: Till) -> None:
    await till.tell(top_up(PRICE))
    await till.tell(withdraw(3000), settle=False)
    found = await dispute(till)
    await heard(till)
    await till.settle()
    assert (await replies(till))[-1] == "CommandRejected"
    assert await wallet(till) == (0, PRICE), "what a refused withdrawal gives back is disputed as well"
    await now_stands(till, found, "lost")
    assert (await wallet(till), await till.balance(ledger.LOSSES)) == ((0, 0), 0)


@pytest.mark.requirement("wallet", "chargebacks")
async def test_a_dispute_that_is_lost_while_a_withdrawal_is_under_way_waits_for_it(till: Till) -> None:
    await till.tell(top_up(PRICE))
    await till.tell(withdraw(3000), settle=False)
    await now_stands_unheard(till, await dispute(till), "lost")
    await heard(till)
    await told(till)
    assert (await wallet(till), await till.balance(ledger.LOSSES)) == ((0, 0), 0)


async def now_stands_unheard(till: Till, dispute_id: str, status: str) -> None:
    await till.bench.control("POST", f"/disputes/{dispute_id}/change", {"status": status})


@pytest.mark.requirement("wallet")
@pytest.mark.parametrize(
    ("reason", "again"),
    [("expired_or_canceled_card", False), ("lost_or_stolen_card", False), ("declined", True), ("unknown", True)],
)
async def test_only_a_card_that_is_gone_closes_a_top_up(till: Till, reason: str, again: bool) -> None:
    await till.tell(top_up(PRICE))
    await till.tell(withdraw(PRICE))
    (refund,) = await till.bench.state("refunds")
    await fail_refund(till, refund["id"], reason=reason)
    await told(till)
    assert await wallet(till) == (PRICE, 0)
    await till.tell(withdraw(PRICE))
    assert (await replies(till))[-1] == ("CommandAccepted" if again else "CommandRejected")
    assert await wallet(till) == ((0, 0) if again else (PRICE, 0))


@pytest.mark.requirement("wallet", "refund-logic")
async def test_a_withdrawal_that_is_called_off_is_in_the_wallet_again(till: Till) -> None:
    await till.tell(top_up(PRICE, "pm_card_pendingRefund"))
    await till.tell(withdraw(PRICE))
    (refund,) = await till.bench.state("refunds")
    await fail_refund(till, refund["id"], status="canceled", reason="merchant_request")
    await told(till)
    assert await wallet(till) == (PRICE, 0)


@pytest.mark.requirement("wallet")
async def test_without_balance_at_stripe_a_withdrawal_is_refused_and_can_be_asked_for_again(till: Till) -> None:
    await till.bench.control("PUT", "/behaviour", {"refunds_without_balance": "refused"})
    await till.tell(top_up(3000))
    await till.bench.control("POST", "/balance", {"currency": "eur", "amount": -3000})
    await till.tell(withdraw(3000))
    assert (await replies(till))[-1] == "CommandRejected"
    assert await till.balance(ledger.available("bob")) == 3000
    await till.bench.control("POST", "/balance", {"currency": "eur", "amount": 3000})
    till.bench.later(days=1)
    await till.tell(withdraw(3000))
    assert (await replies(till))[-1] == "CommandAccepted"
    assert await wallet(till) == (0, 0)


@pytest.mark.requirement("wallet")
def test_a_withdrawal_asks_each_top_up_once_and_ends() -> None:
    purse = Purse()
    purse.charged(5000)
    purse.charged(3000)
    purse.tell(withdraw(6000))
    purse.part_is("failed", "insufficient_funds")
    purse.part_is("failed", "insufficient_funds")
    assert purse.operations.count("withdraw") == 2
    assert "later" in purse.last(WalletCommandRejected).message
    assert purse.holds == (8000, 0)
    purse.tell(withdraw(8000))
    purse.part_is("succeeded")
    purse.part_is("succeeded")
    assert purse.sent(WalletCommandAccepted)[-1].result["available"]["amount"] == 0


@pytest.mark.requirement("wallet", "retry-mechanism")
def test_a_charge_that_the_bank_still_works_on_is_no_decline() -> None:
    purse = Purse()
    command_id = purse.charged(5000, status="processing")
    assert (purse.events, purse.holds) == ([], (0, 0))
    purse.tell(TopUpSeen(command_id=command_id, customer_id="bob", payment_intent="pi_5000", status="succeeded"))
    assert purse.events == ["CommandAccepted", "WalletToppedUp"]


@pytest.mark.requirement("refund-logic", "webhooks")
@pytest.mark.parametrize("metadata", [{"refund_id": "RF-77"}, {"part_id": "7"}, {"refund_id": str(BOOKING)}])
async def test_whose_refund_it_is_our_rows_say_not_its_metadata(till: Till, metadata: dict[str, str]) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)), capture())
    await refund_by_hand(till, 1000, **metadata)
    await told(till)
    assert await till.balance(ESCROW) == PRICE - 1000
    await till.tell(settle(refund=PRICE))
    assert [refund["amount"] for refund in await till.bench.state("refunds")] == [1000, PRICE - 1000]
    assert await till.balance(ledger.refund_owed(BOOKING)) == 0
    await told(till)
    await agrees(till)
    (line,) = await operator.repairs(await till.engine.session.connection(), days=1)
    assert line["repair"] == "import", "our own refund is none that was made by hand"


@pytest.mark.requirement("refund-logic", "webhooks")
async def test_a_booking_s_refund_that_fails_before_its_answer_is_known(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench)), capture())
    await till.tell(settle(refund=PRICE), settle=False)
    await answer_is_lost(till)
    (refund,) = await till.bench.state("refunds")
    await fail_refund(till, refund["id"])
    await heard(till)
    await told(till)
    assert await till.balance(ledger.refund_owed(BOOKING)) == PRICE
    assert (await till.events())[-2:] == ["RefundSucceeded", "RefundFailed"]
    await agrees(till)


@pytest.mark.requirement("provider-payouts", "ledger", "webhooks")
@pytest.mark.parametrize("when", ["before the answer", "after it", "with other metadata"])
async def test_a_transfer_that_is_taken_back_at_stripe_is_owed_again(till: Till, when: str) -> None:
    await till.tell(authorize(expires_at=soon(till.bench), payout_account="acct_1"), capture())
    await till.tell(settle(release=PRICE), settle=when != "before the answer")
    await answer_is_lost(till)
    if when == "with other metadata":
        (transfer,) = await till.bench.state("transfers")
        gone = {"booking_id": "", "payout_id": ""}
        await till.bench.api.v1.transfers.update_async(transfer["id"], {"metadata": gone})
    await reverse(till, 1000)
    await heard(till)
    await told(till)
    assert await till.balance(PAYABLE) == 1000
    await agrees(till)


@pytest.mark.requirement("webhooks", "operations-cli", "observability")
async def test_what_nobody_claims_has_an_end_that_a_person_sees(till: Till) -> None:
    """A charge that was made at Stripe without us: nothing of it is posted, so neither is what follows from it."""
    charged = await till.bench.charged(note="a terminal's")
    await refund_by_hand(till, 100, of=charged)
    await dispute(till, of=charged, amount=500)
    await heard(till)
    for _ in range(unclaimed_events.MOST_LOOKS + 2):
        till.bench.later(minutes=11)
        await till.engine.run_local()
    assert sorted(name.split(" ")[0] for name in await noted(till)) == ["dispute", "refund"], "each once"
    assert all(charged in line for line in await noted(till))
    assert await till.engine.fetch("SELECT * FROM local_message") == []
    assert await till.engine.fetch("SELECT * FROM ledger_entry") == []
    await gauges.look(till.pool)
    assert metrics.differences.labels("unclaimed")._value.get() == 2


def test_the_looks_are_ever_fewer_and_end_after_three_days() -> None:
    world, told = World(), RefundTold(event_id="e", stripe_refund="re_1", payment_intent="pi_x", status="pending")
    waited = timedelta()
    message = Unclaimed(told=told)
    for number in range(1, 1000):
        world.tell(message)
        timers = world.reminders(Unclaimed)
        if len(timers) < number:
            break
        waited += timers[-1].due_at - world.work.now
        world.at(timers[-1].due_at)
        assert isinstance(timers[-1].body, Unclaimed)
        message = timers[-1].body
    assert number == unclaimed_events.MOST_LOOKS + 1
    assert timedelta(days=3) <= waited < timedelta(days=3.2)


@pytest.mark.requirement("wallet", "webhooks")
async def test_an_event_that_had_to_wait_is_found_by_what_the_top_up_learns(till: Till) -> None:
    """However long the answer takes: the next look comes no later than ten minutes after it."""
    await till.tell(top_up(PRICE), settle=False)
    await answer_is_lost(till)
    await refund_by_hand(till, 1000)
    await heard(till)
    for _ in range(30):
        till.bench.later(hours=1)
        await till.engine.run_local()
    await till.settle()
    assert await till.balance(ledger.available("bob")) == PRICE
    till.bench.later(minutes=10)
    await till.settle()
    assert await wallet(till) == (PRICE - 1000, 0)
    assert await noted(till) == []
