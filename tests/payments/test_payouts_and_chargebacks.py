"""What happens to released money, to failed refunds and to disputed payments."""

from __future__ import annotations

from datetime import timedelta

import pytest
from booking_contracts.payments import (
    ChargebackClosed,
    ChargebackOpened,
    PaymentSettled,
    PayoutFailed,
    PayoutPaid,
)

from services.payments.local_messages import DisputeChanged, PayoutAgain, RefundAgain, TransferSeen
from services.payments.model import ledger
from services.payments.model.chargeback import Outcome, outcome_of
from services.payments.model.ledger import CLEARING, LOSSES
from services.payments.model.payout import RETRY_AFTER, Payout, PayoutStatus
from services.payments.model.refund import Refund
from tests.payments.builders import BOOKING, INTENT, NOW, PRICE, PROVIDER, World, eur, settle, void

ESCROW, PAYABLE, OWED = ledger.escrow(BOOKING), ledger.payable(PROVIDER), ledger.refund_owed(BOOKING)


def released(world: World, account: str | None = "acct_1") -> World:
    world.captured(payout_account=account)
    world.tell(settle(release=PRICE))
    return world


def transfer_is(world: World, transfer_id: str | None, failure: str | None = None) -> None:
    (payout,) = world.work.all(Payout)
    world.tell(TransferSeen(booking_id=BOOKING, payout_id=payout.payout_id, transfer_id=transfer_id, failure=failure))


@pytest.mark.requirement("provider-payouts")
def test_released_money_goes_to_the_connected_account_less_commission() -> None:
    world = released(World())
    assert world.calls[-1].idempotency_key == f"{BOOKING}:payout:1"
    assert world.balance(PAYABLE) == 4050
    transfer_is(world, "tr_1")
    assert (world.last(PayoutPaid).transfer_id, world.last(PayoutPaid).amount) == ("tr_1", eur(4050))
    assert world.balance(PAYABLE) == 0
    assert world.balance(CLEARING) == -450


@pytest.mark.requirement("provider-payouts")
def test_without_an_account_it_stays_payable() -> None:
    world = released(World(), account=None)
    assert world.balance(PAYABLE) == 4050
    assert "transfer" not in world.operations


@pytest.mark.requirement("provider-payouts")
def test_a_failed_transfer_is_tried_again_then_parked_and_told_twice() -> None:
    world = released(World())
    for wait in RETRY_AFTER:
        transfer_is(world, None, "balance_insufficient")
        timer = world.reminders(PayoutAgain)[-1]
        assert timer.due_at == world.work.now + wait
        world.at(timer.due_at).tell(timer.body)
    transfer_is(world, None, "balance_insufficient")
    (payout,) = world.work.all(Payout)
    assert payout.status is PayoutStatus.PARKED
    assert len(world.reminders(PayoutAgain)) == len(RETRY_AFTER)
    assert world.events.count("PayoutFailed") == 2
    assert world.last(PayoutFailed).code == "balance_insufficient"
    keys = [call.idempotency_key for call in world.calls if call.operation == "transfer"]
    assert keys[:2] == [f"{BOOKING}:payout:1", f"{BOOKING}:payout:1:try-2"]
    assert len(set(keys)) == len(keys) == 5


@pytest.mark.requirement("provider-payouts")
def test_an_operator_has_a_parked_payout_tried_again() -> None:
    world = released(World())
    for _ in range(len(RETRY_AFTER) + 1):
        transfer_is(world, None, "balance_insufficient")
        if timers := world.reminders(PayoutAgain):
            world.tell(timers[-1].body)
    (payout,) = world.work.all(Payout)
    again = PayoutAgain(booking_id=BOOKING, payout_id=payout.payout_id, tries=payout.tries)
    world.tell(again)
    assert world.operations.count("transfer") == 5
    world.tell(again.model_copy(update={"by_operator": True}))
    assert world.operations.count("transfer") == 6
    transfer_is(world, "tr_1")
    assert world.balance(PAYABLE) == 0


@pytest.mark.requirement("refund-logic")
def test_a_failed_refund_is_tried_again_under_a_new_key() -> None:
    world = World().captured()
    world.tell(settle(refund=PRICE))
    world.refund_is("failed", "declined")
    assert (world.events[-1], world.balance(OWED)) == ("RefundFailed", PRICE)
    (timer,) = world.reminders(RefundAgain)
    assert timer.due_at == NOW + timedelta(hours=1)
    world.tell(timer.body)
    world.tell(timer.body)
    assert [call.idempotency_key for call in world.calls[-2:]] == [f"{BOOKING}:refund:1", f"{BOOKING}:refund:1:try-2"]
    world.refund_is("succeeded")
    assert (world.events[-1], world.balance(OWED), world.balance(CLEARING)) == ("RefundSucceeded", 0, 0)


@pytest.mark.requirement("refund-logic")
def test_a_refund_that_no_retry_helps_is_parked_for_an_operator() -> None:
    world = World().captured()
    world.tell(settle(refund=PRICE))
    world.refund_is("failed", "expired_or_canceled_card")
    (refund,) = world.work.all(Refund)
    assert refund.parked
    assert world.reminders(RefundAgain) == []
    again = RefundAgain(booking_id=BOOKING, refund_id=refund.refund_id, tries=1)
    world.tell(again)
    assert world.operations.count("refund") == 1
    world.tell(again.model_copy(update={"by_operator": True}))
    assert world.operations.count("refund") == 2


@pytest.mark.requirement("chargebacks")
def test_an_open_chargeback_freezes_the_escrow_and_is_posted() -> None:
    world = World().captured()
    world.dispute("needs_response", 2000)
    assert world.last(ChargebackOpened).amount == eur(2000)
    assert world.balance(ledger.disputed("du_1")) == -2000
    world.tell(settle(release=PRICE))
    assert "PaymentSettled" not in world.events
    assert world.balance(ESCROW) == PRICE


@pytest.mark.requirement("chargebacks")
def test_a_chargeback_that_is_won_lets_the_settlement_go_on_as_asked() -> None:
    world = World().captured()
    world.dispute("needs_response", 2000)
    world.tell(settle(refund=1000, release=3500))
    world.dispute("won", 2000)
    assert world.events[-2:] == ["ChargebackClosed", "PaymentSettled"]
    assert (world.last(PaymentSettled).refund, world.last(PaymentSettled).release) == (eur(1000), eur(3500))
    assert world.balance(ledger.disputed("du_1")) == 0


@pytest.mark.requirement("chargebacks")
@pytest.mark.parametrize(
    ("amount", "refund", "release", "sent", "given"),
    [(2000, 0, 4500, 0, 2500), (2000, 1000, 3500, 0, 2500), (2000, 4500, 0, 2500, 0), (4500, 0, 4500, 0, 0)],
)
def test_a_lost_chargeback_counts_as_refunded(amount: int, refund: int, release: int, sent: int, given: int) -> None:
    world = World().captured()
    world.dispute("needs_response", amount)
    world.tell(settle(refund=refund, release=release))
    world.dispute("lost", amount)
    settled = world.last(PaymentSettled)
    assert (settled.refund, settled.release) == (eur(amount + sent), eur(given))
    refunds = [item.amount_minor for item in world.work.all(Refund)]
    assert refunds == ([sent] if sent else [])
    assert (world.balance(ESCROW), world.balance(LOSSES)) == (0, 0)
    assert ledger.unbalanced(world.entries) == {}


@pytest.mark.requirement("chargebacks")
def test_a_chargeback_after_the_release_is_our_loss() -> None:
    world = World().captured()
    world.tell(settle(release=PRICE))
    world.dispute("needs_response")
    world.dispute("lost")
    world.dispute("lost")
    assert world.balance(LOSSES) == -PRICE
    assert world.sent(ChargebackClosed)[0].outcome == "lost"
    assert world.events.count("ChargebackClosed") == 1


@pytest.mark.requirement("chargebacks")
def test_a_chargeback_that_is_first_seen_closed_is_opened_and_closed() -> None:
    world = World().captured()
    world.dispute("won")
    assert world.events[-2:] == ["ChargebackOpened", "ChargebackClosed"]
    assert world.payment.disputes == 0


@pytest.mark.requirement("chargebacks", "refund-logic")
@pytest.mark.parametrize(("outcome", "owed", "refunds"), [("lost", 0, 1), ("won", 0, 2)])
def test_a_refund_held_up_by_a_chargeback_ends_with_it(outcome: str, owed: int, refunds: int) -> None:
    world = World().captured()
    world.tell(settle(refund=PRICE))
    world.refund_is("failed", "charge_disputed")
    assert world.balance(OWED) == PRICE
    world.dispute("needs_response")
    world.dispute(outcome)
    assert world.operations.count("refund") == refunds
    assert (world.balance(OWED), world.balance(LOSSES)) == (owed, 0)
    assert ledger.unbalanced(world.entries) == {}


def test_a_void_waits_for_a_chargeback_too() -> None:
    world = World().captured()
    world.dispute("needs_response", PRICE)
    world.tell(void())
    assert world.balance(ESCROW) == PRICE
    world.dispute("won", PRICE)
    assert world.balance(ESCROW) == 0


@pytest.mark.requirement("chargebacks")
def test_a_chargeback_of_a_top_up_is_posted_without_a_booking() -> None:
    world = World()
    world.dispute("needs_response", 700, booking=None)
    world.dispute("lost", 700, booking=None)
    assert (world.balance(LOSSES), world.balance(CLEARING), world.events) == (-700, 700, [])


def test_events_of_a_dispute_make_one_call_at_a_time() -> None:
    world = World().captured()
    told = DisputeChanged(
        event_id="e", dispute_id="du_1", payment_intent=INTENT, booking_id=BOOKING, amount_minor=1, currency="eur"
    )
    world.tell(told)
    world.tell(told)
    assert world.operations.count("dispute") == 1
    assert len(world.reminders(DisputeChanged)) == 1


def test_inquiries_move_no_money() -> None:
    world = World().captured()
    world.dispute("warning_needs_response")
    assert "ChargebackOpened" not in world.events
    assert [outcome_of(status) for status in ("under_review", "won", "lost")] == [
        Outcome.OPEN,
        Outcome.WON,
        Outcome.LOST,
    ]
