"""Wallets: top-up, lock, release, withdrawal; money is never there twice (requirement wallet)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from booking_contracts.codes import Code, Rejected
from booking_contracts.payments import (
    PaymentAuthorized,
    PaymentDeclined,
    PaymentSettled,
    RefundSucceeded,
    TopUpWallet,
    WalletCommandAccepted,
    WalletCommandRejected,
    WalletToppedUp,
    WalletWithdrawn,
    WithdrawFromWallet,
)
from booking_contracts.types import Actor, PaymentChoice, Price

from services.chassis.messages import Deferred
from services.payments.app import admit
from services.payments.local_messages import PartChanged, TopUpSeen, WithdrawalSeen
from services.payments.model import ledger
from services.payments.model.wallet import Part, Wallet
from services.payments.work import Receipt
from tests.payments.builders import BOOKING, NOW, PRICE, World, authorize, capture, eur, settle, void

BOB = Actor(kind="customer", id="bob")
WALLET = PaymentChoice(method="wallet")
AVAILABLE, LOCKED = ledger.available("bob"), ledger.locked("bob")


def top_up(minor: int = 5000, **changes: Any) -> TopUpWallet:
    price = Price(amount=minor, currency="EUR")
    return TopUpWallet(**{"customer_id": "bob", "amount": price, "payment_method": "pm_1", "actor": BOB, **changes})


def withdraw(amount: int) -> WithdrawFromWallet:
    return WithdrawFromWallet(customer_id="bob", amount=Price(amount=amount, currency="EUR"), actor=BOB)


class Purse(World):
    """A world with a wallet in it."""

    def charged(self, amount: int = 5000, status: str = "succeeded", **changes: Any) -> UUID:
        """A top-up that Stripe has answered."""
        command_id = uuid4()
        self.tell(top_up(amount), message_id=command_id)
        intent = f"pi_{amount}"
        self.tell(TopUpSeen(command_id=command_id, customer_id="bob", payment_intent=intent, status=status, **changes))
        self.at(self.work.now + timedelta(seconds=1))
        return command_id

    def part_is(self, status: str, failure: str | None = None) -> None:
        """Stripe answers the newest part of a withdrawal."""
        part = list(self.work.all(Part))[-1]
        self.tell(
            WithdrawalSeen(
                command_id=part.command_id,
                customer_id="bob",
                part_id=part.part_id,
                status=status,
                stripe_refund=f"re_{part.number}",
                failure=failure,
            )
        )

    @property
    def holds(self) -> tuple[int, int]:
        """(available, locked)"""
        assert ledger.unbalanced(self.entries) == {}
        return self.balance(AVAILABLE), self.balance(LOCKED)


@pytest.mark.requirement("wallet")
def test_a_top_up_is_answered_after_stripe_and_the_event_follows() -> None:
    world = Purse()
    command_id = uuid4()
    assert isinstance(world.tell(top_up(), message_id=command_id, correlation_id="mine"), Deferred)
    assert (world.events, world.holds) == ([], (0, 0))
    assert world.calls[-1].idempotency_key == f"{command_id}:top_up"
    world.tell(TopUpSeen(command_id=command_id, customer_id="bob", payment_intent="pi_1", status="succeeded"))
    assert world.events == ["CommandAccepted", "WalletToppedUp"]
    reply = world.last(WalletCommandAccepted)
    assert reply.result["available"] == {"amount": 5000, "currency": "EUR"}
    assert (world.last(WalletToppedUp).amount, world.last(WalletToppedUp).payment_intent) == (eur(5000), "pi_1")
    assert {(send.cause.id, send.cause.correlation_id) for send in world.sends if send.cause} == {(command_id, "mine")}
    assert [send.key for send in world.sends] == ["bob", "bob"]


@pytest.mark.requirement("one-reply")
def test_a_repeated_wallet_command_is_charged_and_answered_once() -> None:
    world = Purse()
    command_id = uuid4()
    for _ in range(3):
        world.tell(top_up(), message_id=command_id)
    assert world.operations == ["top_up"]
    world.tell(TopUpSeen(command_id=command_id, customer_id="bob", payment_intent="pi_1", status="succeeded"))
    assert [receipt.command_id for receipt in world.records(Receipt)] == [command_id]


@pytest.mark.requirement("wallet")
@pytest.mark.parametrize(
    ("status", "code"), [("", "card_declined"), ("requires_payment_method", "authentication_required")]
)
def test_a_declined_card_leaves_the_wallet_as_it_was(status: str, code: str) -> None:
    world = Purse()
    world.charged(status=status, error_code=code)
    assert world.last(WalletCommandRejected).code is Code.CARD_DECLINED
    assert world.holds == (0, 0)


def test_a_top_up_in_a_currency_that_stripe_counts_otherwise_is_declined() -> None:
    world = Purse()
    with pytest.raises(Rejected) as refused:
        world.tell(top_up(amount=Price(amount=5000, currency="UGX")))
    assert (refused.value.code, world.calls) == (Code.INVALID_COMMAND, [])


@pytest.mark.requirement("wallet")
@pytest.mark.parametrize("actor", [Actor(kind="customer", id="eve"), Actor(kind="admin", id="bob")])
def test_a_wallet_is_its_customers_own(actor: Actor) -> None:
    with pytest.raises(Rejected) as refused:
        admit("wallet.commands", top_up(actor=actor))
    assert refused.value.code is Code.NOT_ALLOWED
    admit("wallet.commands", top_up())


@pytest.mark.requirement("wallet", "escrow")
def test_a_booking_is_locked_taken_and_settled_from_a_wallet_without_stripe() -> None:
    world = Purse()
    world.charged(5000)
    before = len(world.calls)
    world.tell(authorize(payment=WALLET))
    assert world.last(PaymentAuthorized).amount == eur(PRICE)
    assert world.holds == (500, 4500)
    world.tell(capture())
    assert world.holds == (500, 0)
    assert world.balance(ledger.escrow(BOOKING)) == PRICE
    world.tell(settle(refund=2000, release=2500))
    assert world.holds == (2500, 0)
    assert world.last(PaymentSettled).provider_amount == eur(2250)
    assert world.last(RefundSucceeded).amount == eur(2000)
    assert world.last(PaymentAuthorized).payment_intent is None
    assert len(world.calls) == before


@pytest.mark.requirement("wallet")
def test_two_bookings_race_for_one_balance_and_one_gets_it() -> None:
    world = Purse()
    world.charged(5000)
    world.tell(authorize(payment=WALLET))
    world.tell(authorize(payment=WALLET, booking_id=UUID(int=77)))
    assert (world.events.count("PaymentAuthorized"), world.events.count("PaymentDeclined")) == (1, 1)
    assert world.last(PaymentDeclined).code == "INSUFFICIENT_FUNDS"
    assert world.last(PaymentDeclined).booking_id == UUID(int=77)
    assert world.holds == (500, 4500)


@pytest.mark.requirement("wallet")
def test_a_customer_without_a_wallet_has_insufficient_funds() -> None:
    world = Purse()
    world.tell(authorize(payment=WALLET))
    assert world.last(PaymentDeclined).code == "INSUFFICIENT_FUNDS"
    assert world.work.find(Wallet, "bob") is None


@pytest.mark.requirement("wallet", "late-payment")
@pytest.mark.parametrize("command", [void(), settle(refund=PRICE)])
def test_a_lock_is_released_at_once(command: Any) -> None:
    world = Purse()
    world.charged(5000)
    world.tell(authorize(payment=WALLET))
    world.tell(command)
    world.tell(command)
    assert world.holds == (5000, 0)
    assert world.payment.status == "voided"


@pytest.mark.requirement("wallet")
def test_a_settlement_before_the_capture_takes_the_lock_first() -> None:
    world = Purse()
    world.charged(5000)
    world.tell(authorize(payment=WALLET))
    world.tell(settle(release=PRICE))
    assert world.events[-2:] == ["PaymentCaptured", "PaymentSettled"]
    assert world.holds == (500, 0)


@pytest.mark.requirement("wallet")
def test_a_void_that_finds_a_wallets_money_taken_gives_it_back() -> None:
    world = Purse()
    world.charged(5000)
    world.tell(authorize(payment=WALLET))
    world.tell(capture())
    world.tell(void())
    assert world.holds == (5000, 0)
    assert world.events[-2:] == ["PaymentVoided", "RefundSucceeded"]


@pytest.mark.requirement("wallet")
def test_a_withdrawal_refunds_past_top_ups_newest_first() -> None:
    world = Purse()
    world.charged(5000)
    world.charged(3000)
    command_id = uuid4()
    world.tell(withdraw(3500), message_id=command_id)
    assert world.holds == (4500, 3500)
    world.part_is("succeeded")
    assert "WalletWithdrawn" not in world.events
    world.part_is("pending")
    parts = [(part.amount_minor, part.number) for part in world.work.all(Part)]
    assert parts == [(3000, 1), (500, 2)]
    keys = [call.idempotency_key for call in world.calls if call.operation == "withdraw"]
    assert keys == [f"{command_id}:refund", f"{command_id}:refund-2"]
    assert world.events[-2:] == ["CommandAccepted", "WalletWithdrawn"]
    assert world.last(WalletWithdrawn).amount == eur(3500)
    assert world.holds == (4500, 0)


@pytest.mark.requirement("wallet")
@pytest.mark.parametrize("amount", [5001, 10**9])
def test_nobody_withdraws_more_than_there_is(amount: int) -> None:
    world = Purse()
    world.charged(5000)
    with pytest.raises(Rejected) as refused:
        world.tell(withdraw(amount))
    assert refused.value.code is Code.INSUFFICIENT_FUNDS
    assert world.holds == (5000, 0)


@pytest.mark.requirement("wallet")
def test_locked_money_is_not_withdrawn() -> None:
    world = Purse()
    world.charged(5000)
    world.tell(authorize(payment=WALLET))
    with pytest.raises(Rejected):
        world.tell(withdraw(501))
    world.tell(withdraw(500))
    assert world.holds == (0, 5000)


@pytest.mark.requirement("wallet")
def test_two_withdrawals_at_once_do_not_use_one_top_up_twice() -> None:
    world = Purse()
    world.charged(5000)
    world.tell(withdraw(3000))
    world.tell(withdraw(2000))
    with pytest.raises(Rejected):
        world.tell(withdraw(1))
    assert sum(part.amount_minor for part in world.work.all(Part)) == 5000


@pytest.mark.requirement("wallet")
def test_a_card_that_takes_nothing_back_is_passed_over() -> None:
    world = Purse()
    world.charged(5000)
    world.charged(3000)
    world.tell(withdraw(3000))
    world.part_is("failed", "expired_or_canceled_card")
    world.part_is("succeeded")
    assert world.last(WalletWithdrawn).payment_intent == "pi_5000"
    assert world.holds == (5000, 0)


@pytest.mark.requirement("wallet")
def test_what_no_card_takes_back_is_available_again() -> None:
    world = Purse()
    world.charged(3000)
    world.charged(1000)
    world.tell(withdraw(4000))
    world.part_is("succeeded")
    world.part_is("failed", "expired_or_canceled_card")
    assert world.last(WalletCommandRejected).details["withdrawn"] == {"amount": 1000, "currency": "EUR"}
    assert world.last(WalletWithdrawn).amount == eur(1000)
    assert world.holds == (3000, 0)


@pytest.mark.requirement("wallet", "refund-logic")
def test_a_withdrawal_that_the_bank_sends_back_is_in_the_wallet_again_once() -> None:
    world = Purse()
    world.charged(5000)
    world.tell(withdraw(2000))
    world.part_is("succeeded")
    (part,) = world.work.all(Part)
    came_back = PartChanged(
        event_id="evt", command_id=part.command_id, customer_id="bob", part_id=part.part_id, status="failed"
    )
    world.tell(came_back)
    assert (world.operations[-1], world.holds) == ("retrieve_part", (3000, 0)), "an event is a reason to look"
    world.part_is("failed", "expired_or_canceled_card")
    world.part_is("failed", "expired_or_canceled_card")
    world.tell(came_back)
    assert (world.operations.count("retrieve_part"), world.holds) == (1, (5000, 0))


def test_wallets_hold_each_currency_for_itself() -> None:
    world = Purse(now=NOW)
    world.charged(5000)
    world.tell(authorize(payment=WALLET, amount=Price(amount=100, currency="USD")))
    assert world.last(PaymentDeclined).code == "INSUFFICIENT_FUNDS"
