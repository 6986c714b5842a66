"""What others do at Stripe while we are at it: refunds, disputes and reversals by hand, told or not yet."""

from __future__ import annotations

from typing import Any

from booking_contracts.payments import TopUpWallet, WithdrawFromWallet
from booking_contracts.types import Actor, Price

from services.payments.model import ledger
from services.payments.stripe_events.sweeper import ON_THE_WAY, Sweeper
from tests.payments.till import Till

BOB = Actor(kind="customer", id="bob")
LOOKS = ("dashboard_refund", "dispute", "retrieve_part", "retrieve_refund")
AVAILABLE, LOCKED = ledger.available("bob"), ledger.locked("bob")


def top_up(amount: int, card: str = "pm_card_visa") -> TopUpWallet:
    price = Price(amount=amount, currency="EUR")
    return TopUpWallet(customer_id="bob", amount=price, payment_method=card, actor=BOB)


def withdraw(amount: int) -> WithdrawFromWallet:
    return WithdrawFromWallet(customer_id="bob", amount=Price(amount=amount, currency="EUR"), actor=BOB)


async def intent(till: Till) -> str:
    """The newest PaymentIntent."""
    return str((await till.bench.state("payment_intents"))[-1]["id"])


async def refund_by_hand(till: Till, amount: int, of: str = "", **metadata: str) -> str:
    parameters: Any = {"payment_intent": of or await intent(till), "amount": amount, "metadata": metadata}
    return (await till.bench.api.v1.refunds.create_async(parameters)).id


async def dispute(till: Till, of: str = "", **more: Any) -> str:
    body = {"payment_intent": of or await intent(till), **more}
    return str((await till.bench.control("POST", "/disputes", body))["id"])


async def now_stands(till: Till, dispute_id: str, status: str) -> None:
    """The dispute takes another status, and Stripe tells of it."""
    await till.bench.control("POST", f"/disputes/{dispute_id}/change", {"status": status})
    await told(till)


async def fail_refund(till: Till, stripe_refund: str, **more: str) -> None:
    await till.bench.control("POST", f"/refunds/{stripe_refund}/fail", more)


async def reverse(till: Till, amount: int) -> None:
    """The newest transfer is taken back in part."""
    transfer = (await till.bench.state("transfers"))[-1]["id"]
    await till.bench.api.v1.transfers.reversals.create_async(transfer, {"amount": amount})


async def answer_is_lost(till: Till) -> None:
    """Stripe has acted on every open call, and nobody has heard of it yet."""
    await till.answers()


async def heard(till: Till) -> None:
    """Stripe's events arrive and are looked at; no answer to a call that changes something does."""
    await till.engine.fetch("UPDATE stripe_sweep SET try_at = now() - interval '1 hour'")
    till.bench.later(seconds=ON_THE_WAY.total_seconds() + 1)
    await Sweeper(till.bench.api, till.bench.clock).sweep(till.pool)
    for _ in range(4):
        while await till.engine.run_local():
            pass
        if looks := await till.answers(*LOOKS):
            await till.engine.run(*looks)


async def told(till: Till) -> None:
    """Stripe's events arrive, and everything that follows from them within some minutes."""
    await till.engine.fetch("UPDATE stripe_sweep SET try_at = now() - interval '1 hour'")
    await till.sweep()
    for _ in range(4):
        till.bench.later(seconds=70)
        await till.settle()


async def agrees(till: Till) -> None:
    """What the ledger says that Stripe holds it holds, in every currency; nothing was set aside, no call is open."""
    held = {one.currency.upper(): one.amount for one in (await till.bench.api.v1.balance.retrieve_async()).available}
    rows = await till.engine.fetch(
        "SELECT currency, sum(amount_minor)::bigint AS minor FROM ledger_entry WHERE account = $1 GROUP BY currency",
        ledger.CLEARING,
    )
    said = {row["currency"]: -row["minor"] for row in rows}
    assert {name: amount for name, amount in said.items() if amount} == {n: a for n, a in held.items() if a}
    assert await till.engine.fetch("SELECT * FROM dead_letter") == []
    assert await till.engine.fetch("SELECT * FROM gateway_call WHERE state = 'open'") == []


async def wallet(till: Till) -> tuple[int, int]:
    """(available, locked), after a look that the ledger and Stripe agree."""
    await agrees(till)
    return await till.balance(AVAILABLE), await till.balance(LOCKED)


async def noted(till: Till) -> list[str]:
    """What was left to a person."""
    rows = await till.engine.fetch("SELECT finding FROM reconciliation WHERE repair = 'unclaimed' ORDER BY line")
    return [row["finding"] for row in rows]
