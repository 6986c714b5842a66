"""Rounds of the comparison at the simulator, and what they find."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from booking_contracts.payments import TopUpWallet, WithdrawFromWallet
from booking_contracts.types import Actor, Price

from services.chassis.database import columns
from services.payments.comparison.rounds import Comparison
from services.payments.model.ledger import Entry
from services.payments.stripe_calls.circuit_breaker import CircuitBreaker
from tests.payments.builders import authorize, capture
from tests.payments.till import Till, soon

BOB = Actor(kind="customer", id="bob")
EUR = "EUR"


async def a_round(till: Till, *, minutes: float = 1, breaker: CircuitBreaker | None = None) -> None:
    """Time passes, then everything is compared."""
    till.bench.later(minutes=minutes)
    await till.engine.fetch("UPDATE comparison_state SET try_at = now() - interval '1 hour'")
    await Comparison(till.bench.api, till.bench.clock, breaker or CircuitBreaker()).compare(till.pool)


async def rounds(till: Till, *, minutes: int = 44) -> None:
    """Many rounds; the grace is over after the default."""
    for _ in range(0, minutes, 4):
        await a_round(till, minutes=4)


async def seen(till: Till) -> set[tuple[str, str, int, int]]:
    """(kind, subject, ours, theirs) of all that is watched, counted or not."""
    return await _found(till, "true")


async def counted(till: Till) -> set[tuple[str, str, int, int]]:
    """(kind, subject, ours, theirs) of the differences that an operator sees."""
    return await _found(till, "counted_at IS NOT NULL")


async def _found(till: Till, only: str) -> set[tuple[str, str, int, int]]:
    rows = await till.engine.fetch(
        f"""
        SELECT kind, subject, ours_minor, theirs_minor FROM stripe_difference WHERE gone_at IS NULL AND {only}
        """
    )
    return {tuple(row) for row in rows}


async def of_objects(till: Till) -> set[tuple[str, str, int, int]]:
    """Those that name what is wrong; the total is off by the same and names nothing."""
    return {one for one in await counted(till) if one[0] != "balance"}


async def agrees(till: Till) -> None:
    """Everything is compared and nothing is off; the totals are opened by it."""
    await a_round(till)
    assert await seen(till) == set()
    assert await till.engine.fetch("SELECT * FROM dead_letter") == []


async def paid(till: Till, **changes: Any) -> str:
    """A booking's payment in escrow; returns its PaymentIntent."""
    await till.tell(authorize(expires_at=soon(till.bench), **changes), capture())
    return str((await till.bench.state("payment_intents"))[-1]["id"])


async def topped_up(till: Till, amount: int, card: str = "pm_card_visa") -> str:
    """Money in bob's wallet; returns its PaymentIntent."""
    price = Price(amount=amount, currency=EUR)
    await till.tell(TopUpWallet(customer_id="bob", amount=price, payment_method=card, actor=BOB))
    return str((await till.bench.state("payment_intents"))[-1]["id"])


async def withdrawn(till: Till, amount: int) -> str:
    """Money back from bob's wallet; returns Stripe's refund."""
    await till.tell(WithdrawFromWallet(customer_id="bob", amount=Price(amount=amount, currency=EUR), actor=BOB))
    return str((await till.bench.state("refunds"))[-1]["id"])


async def by_hand(till: Till, intent: str, amount: int, **metadata: str) -> str:
    """Somebody refunds at Stripe; nobody tells us."""
    refund = await till.bench.api.v1.refunds.create_async(
        {"payment_intent": intent, "amount": amount, "metadata": metadata}
    )
    return refund.id


async def post(till: Till, cause: str, *entries: Entry) -> None:
    """A posting that no handler has made."""
    connection = await till.engine.session.connection()
    async with connection.transaction():
        transaction = uuid4()
        await connection.execute("INSERT INTO ledger_transaction VALUES ($1, $2, now(), NULL)", transaction, cause)
        await connection.execute(
            """
            INSERT INTO ledger_entry (transaction_id, account, amount_minor, currency)
            SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::text[])
            """,
            transaction,
            *columns((entry.account, entry.amount_minor, entry.currency) for entry in entries),
        )
