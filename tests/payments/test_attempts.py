"""What one attempt leaves to the next: nothing but what belongs to the booking (requirement provider-payouts)."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, replace
from typing import Any

import pytest
from booking_contracts.types import PaymentChoice

from services.payments.local_messages import AuthorizeLater, Found, PayoutAgain, TransferSeen
from services.payments.model import ledger
from services.payments.model.declines import EXPIRED
from services.payments.model.payment import OF_BOOKING, Operation, Payment, Status
from services.payments.model.payout import Payout, PayoutStatus
from services.payments.model.wallet import Balance
from tests.payments.builders import BOOKING, INTENT, PRICE, World, authorize, capture, eur, settle, void

WALLET = PaymentChoice(method="wallet")


def with_money(world: World) -> World:
    world.work.load(Balance(ledger.available("bob"), "EUR", PRICE))
    return world


def source_of_transfer(world: World) -> str | None:
    (call,) = [call for call in world.calls if call.operation == "transfer"][-1:]
    source: str | None = json.loads(call.parameters)["source_charge"]
    return source


def paid_by_wallet(world: World) -> None:
    """The second attempt: the wallet pays, the session takes place, all is released."""
    world.tell(authorize(2, payment=WALLET, payout_account="acct_1"))
    world.tell(capture(2))
    world.tell(settle(release=PRICE, attempt=2))


@pytest.mark.requirement("provider-payouts")
def test_a_wallets_payout_has_no_source_though_a_card_was_declined_before() -> None:
    world = with_money(World())
    world.tell(authorize(payout_account="acct_1"))
    world.stripe_says("requires_payment_method", error_code="card_declined", charge="ch_declined")
    paid_by_wallet(world)
    assert source_of_transfer(world) is None


@pytest.mark.requirement("provider-payouts")
def test_a_wallets_payout_has_no_source_though_a_card_was_authorised_before() -> None:
    world = with_money(World())
    world.tell(authorize(payout_account="acct_1"))
    world.stripe_says("requires_capture", charge="ch_voided")
    world.tell(void())
    world.stripe_says("canceled", charge="ch_voided")
    paid_by_wallet(world)
    assert source_of_transfer(world) is None


@pytest.mark.requirement("provider-payouts")
def test_a_cards_payout_comes_from_its_captured_charge() -> None:
    world = World()
    world.tell(authorize(payout_account="acct_1"))
    world.stripe_says("requires_payment_method", error_code="card_declined", charge="ch_declined")
    world.tell(authorize(2, payout_account="acct_1"))
    world.stripe_says("requires_capture", charge="ch_paid")
    world.tell(capture(2))
    world.stripe_says("succeeded", charge="ch_paid")
    world.tell(settle(release=PRICE, attempt=2))
    assert source_of_transfer(world) == "ch_paid"


def test_nothing_of_an_attempt_survives_the_beginning_of_the_next() -> None:
    world = World().authorized()
    begun = world.payment
    marks: dict[str, Any] = {
        "status": Status.DECLINED,
        "action": "authenticate",
        "charge": "ch_old",
        "calling": Operation.RETRIEVE,
        "owes_void": True,
        "capture_asked": True,
        "authorized_minor": 7,
        "decline": EXPIRED,
    }
    kept: dict[str, Any] = {
        name: 3 for name in OF_BOOKING if name.endswith("_minor") or name in ("refunds", "payouts", "disputes")
    }
    old = replace(begun, **marks, **kept, voided_through=1, settling=BOOKING)
    terms = replace(begun.agreed, amount=eur(1))
    new = old.next_attempt(2, terms, "next")
    assert (new.attempt, new.status, new.terms, new.correlation_id) == (2, Status.PENDING, terms, "next")
    for field in fields(Payment):
        if field.name in {"attempt", "status", "terms", "correlation_id"}:
            continue
        if field.name in OF_BOOKING:
            assert getattr(new, field.name) == getattr(old, field.name), field.name
        else:
            assert field.default is not MISSING, field.name
            assert getattr(new, field.name) == field.default, field.name


def test_an_attempt_waits_while_the_one_before_it_is_looked_at() -> None:
    world = World().authorized()
    world.tell(void())
    world.stripe_says("canceled")
    world.tell(Found(booking_id=BOOKING, attempt=1, payment_intent=INTENT, status="succeeded"))
    world.tell(authorize(2))
    (later,) = world.reminders(AuthorizeLater)
    assert world.operations == ["authorize", "void", "retrieve"]
    world.stripe_says("canceled")
    world.tell(later.body)
    assert world.operations[-1] == "authorize"


@pytest.mark.requirement("provider-payouts", "operations-cli")
@pytest.mark.parametrize(("from_balance", "source"), [(False, "ch_1"), (True, None)])
def test_a_failed_payout_is_tried_again_from_the_charge_or_from_the_balance(
    from_balance: bool, source: str | None
) -> None:
    world = World()
    world.tell(authorize(payout_account="acct_1"))
    world.stripe_says("requires_capture", charge="ch_1")
    world.tell(capture())
    world.stripe_says("succeeded", charge="ch_1")
    world.tell(settle(release=PRICE))
    (payout,) = world.work.all(Payout)
    world.tell(TransferSeen(booking_id=BOOKING, payout_id=payout.payout_id, failure="charge_not_captured"))
    again = PayoutAgain(
        booking_id=BOOKING, payout_id=payout.payout_id, tries=1, by_operator=True, from_balance=from_balance
    )
    world.tell(again)
    assert source_of_transfer(world) == source


@pytest.mark.requirement("provider-payouts")
def test_a_payout_with_another_attempts_charge_is_mended_by_its_next_try() -> None:
    world = with_money(World())
    world.tell(authorize(payout_account="acct_1", payment=WALLET))
    world.tell(capture())
    world.tell(settle(release=PRICE))
    (payout,) = world.work.all(Payout)
    world.work.put(replace(payout, source_charge="ch_declined", status=PayoutStatus.FAILED))
    world.tell(PayoutAgain(booking_id=BOOKING, payout_id=payout.payout_id, tries=1))
    assert source_of_transfer(world) is None
