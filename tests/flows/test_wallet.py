"""The wallet over the real parts: topped up by card, locked for bookings, refunded to, withdrawn from."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from booking_contracts.booking import BookingConfirmed, PaymentFailed, PaymentRequested
from booking_contracts.payments import WalletCommandAccepted, WalletCommandRejected
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import WALLET, customer_actor
from booking_contracts.testkit.system import System
from booking_contracts.testkit.waiting import eventually
from booking_contracts.types import Price

from tests.flows.operators import bookingctl
from tests.flows.test_dashboard import refund_in_the_dashboard


async def top_up(system: System, who: str, cents: int, card: str = "pm_card_visa") -> Any:
    command = sample.top_up_wallet(
        customer_id=who,
        amount=Price(amount=cents, currency="EUR"),
        payment_method=card,
        actor=customer_actor(who),
    )
    return await system.client.ask(command)


async def balance(system: System, who: str) -> tuple[int, int]:
    """(available, locked) in cents."""
    (found,) = (await system.get("payments", f"/v1/wallets/{who}"))["balances"]
    return found["available"]["amount"], found["locked"]["amount"]


async def holds(system: System, who: str, available: int, locked: int) -> None:
    await eventually(f"{who}'s wallet", lambda: balance(system, who), lambda seen: seen == (available, locked))


@pytest.mark.requirement("wallet", "escrow")
async def test_a_booking_is_paid_by_wallet_and_refunded_to_it(system: System) -> None:
    reply = await top_up(system, "wanda", 10_000)
    assert isinstance(reply, WalletCommandAccepted)
    assert reply.result["available"] == {"amount": 10_000, "currency": "EUR"}
    studio = await system.studio()
    command = system.place(studio, "wanda", payment=WALLET)
    await system.accepted(command)
    await system.client.outcome(command.booking_id, BookingConfirmed)
    payment = await system.payment_in(command.booking_id, "captured")
    assert (payment["escrow"]["amount"], payment["payment_intent"]) == (4500, None)
    await holds(system, "wanda", 5500, 0)
    await system.accepted(sample.cancel_booking(booking_id=command.booking_id, actor=customer_actor("wanda")))
    await system.payment_in(command.booking_id, "settled")
    await holds(system, "wanda", 10_000, 0)
    withdraw = sample.withdraw_from_wallet(
        customer_id="wanda", amount=Price(amount=4000, currency="EUR"), actor=customer_actor("wanda")
    )
    assert isinstance(await system.client.ask(withdraw), WalletCommandAccepted)
    await holds(system, "wanda", 6000, 0)


@pytest.mark.requirement("wallet")
async def test_two_bookings_race_for_one_balance(system: System) -> None:
    await top_up(system, "willy", 4500)
    studio = await system.studio(slots=2)
    commands = [system.place(studio, "willy", slot=number, payment=WALLET) for number in range(2)]
    for command in commands:
        await system.accepted(command)
    outcomes = await asyncio.gather(
        *(system.client.outcome(command.booking_id, BookingConfirmed, PaymentFailed) for command in commands)
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["BookingConfirmed", "PaymentFailed"]
    (failed,) = [outcome for outcome in outcomes if isinstance(outcome, PaymentFailed)]
    assert failed.reason == "INSUFFICIENT_FUNDS"
    await holds(system, "willy", 0, 0)


@pytest.mark.requirement("approval-flow", "wallet")
async def test_approval_takes_the_wallet_or_asks_for_money(system: System) -> None:
    studio = await system.studio(approval=True)
    command = system.place(studio, "wilma", payment=None)
    await system.accepted(command)
    approve = sample.approve_booking(booking_id=command.booking_id, actor=studio.actor)
    assert (await system.accepted(approve)).state == "PENDING_PAYMENT"
    asked = await system.client.outcome(command.booking_id, PaymentRequested)
    assert asked.last_error == "INSUFFICIENT_FUNDS"
    await top_up(system, "wilma", 4500)
    pay = sample.pay_booking(booking_id=command.booking_id, payment=WALLET, actor=customer_actor("wilma"))
    await system.accepted(pay)
    await system.booking_in(command.booking_id, "CONFIRMED")


@pytest.mark.requirement("approval-flow", "wallet")
async def test_two_approvals_race_for_one_balance(system: System) -> None:
    """rules.md, Payment: the loser is PENDING_PAYMENT with PaymentRequested."""
    await top_up(system, "walter", 4500)
    studio = await system.studio(slots=2, approval=True)
    commands = [system.place(studio, "walter", slot=number, payment=WALLET) for number in range(2)]
    for command in commands:
        await system.accepted(command)
    approvals = [sample.approve_booking(booking_id=command.booking_id, actor=studio.actor) for command in commands]
    replies = await asyncio.gather(*(system.accepted(approve) for approve in approvals))
    assert [reply.state for reply in replies] == ["PENDING_PAYMENT", "PENDING_PAYMENT"]
    outcomes = await asyncio.gather(
        *(system.client.outcome(command.booking_id, BookingConfirmed, PaymentRequested) for command in commands)
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["BookingConfirmed", "PaymentRequested"]
    (loser,) = [outcome for outcome in outcomes if isinstance(outcome, PaymentRequested)]
    assert loser.last_error == "INSUFFICIENT_FUNDS"
    assert (await system.booking(loser.booking_id))["state"] == "PENDING_PAYMENT"
    await holds(system, "walter", 0, 0)


@pytest.mark.requirement("wallet")
async def test_a_declined_top_up_changes_nothing(system: System) -> None:
    reply = await top_up(system, "wolf", 4500, card="pm_card_chargeDeclined")
    assert isinstance(reply, WalletCommandRejected)
    assert reply.code == "CARD_DECLINED"


@pytest.mark.requirement("chargebacks", "wallet", "operations-cli")
async def test_a_disputed_top_up_is_locked_and_listed(system: System) -> None:
    await top_up(system, "yves", 5000)
    (intent,) = [
        one for one in (await system.stripe.state())["payment_intents"] if one["metadata"].get("customer_id") == "yves"
    ]
    await system.stripe.control("POST", "/disputes", {"payment_intent": intent["id"], "amount": 3000})
    await holds(system, "yves", 2000, 3000)
    assert "yves" in bookingctl(system.env, "payments", "chargebacks")
    (dispute,) = [one for one in (await system.stripe.state())["disputes"] if one["payment_intent"] == intent["id"]]
    await system.stripe.control("POST", f"/disputes/{dispute['id']}/close", {"status": "lost"})
    await holds(system, "yves", 2000, 0)
    assert "yves" not in bookingctl(system.env, "payments", "chargebacks")
    assert "lost" in bookingctl(system.env, "payments", "chargebacks", "--every")
    await system.stripe.control("POST", f"/disputes/{dispute['id']}/change", {"status": "won"})
    await holds(system, "yves", 5000, 0)


@pytest.mark.requirement("wallet", "webhooks", "refund-logic")
async def test_a_top_up_refunded_by_hand_while_its_answer_is_lost(system: System) -> None:
    """The call times out after its effect; its refund is told before our row knows the PaymentIntent."""
    fault = {"operation": "payment_intents.create", "kind": "timeout_after", "seconds": 5, "count": 1}
    await system.stripe.control("PUT", "/faults", [fault])
    asked = asyncio.create_task(top_up(system, "zelda", 4500))

    async def charged() -> str | None:
        intents = (await system.stripe.state())["payment_intents"]
        return next((one["id"] for one in intents if one["metadata"].get("customer_id") == "zelda"), None)

    intent = await eventually("the charge is made", charged, lambda found: found is not None)
    assert intent is not None
    await refund_in_the_dashboard(system, intent, 4500, refund_id="RF-77")
    assert isinstance(await asked, WalletCommandAccepted)
    await holds(system, "zelda", 0, 0)
