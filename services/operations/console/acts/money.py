"""What is done about refunds and payouts that wait for an operator (services/payments/operator.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from services.operations.amounts import money
from services.operations.console.acts.framework import Act, Doing
from services.operations.console.databases import Databases
from services.operations.console.roles import Role
from services.payments import operator


class TryAgain(Act):
    """As `bookingctl payments try-again`."""

    NAME: ClassVar[str] = "money-try-again"
    TITLE: ClassVar[str] = "Try again"
    ROLE: ClassVar[Role] = Role.MONEY
    SERVICE: ClassVar[str | None] = "payments"
    SUBJECT: ClassVar[str] = "waiting_id"

    waiting_id: UUID
    booking_id: UUID | None = None
    account: str | None = Field(
        None, title="Connected account", description="for a payout alone: where it goes to instead, acct_…"
    )
    from_balance: bool = Field(
        False, title="From our balance", description="for a payout alone: not from the charge that paid for it"
    )

    async def says(self, databases: Databases) -> str:
        """What goes to whom."""
        async with databases.reading("payments") as connection:
            one = await operator.waiting_one(connection, self.waiting_id)
        to = "the card that paid" if one.kind == "refund" else "the provider's account, or the one that you name"
        return (
            f"Stripe is asked at once for the {one.kind} of {money(one.amount_minor, one.currency)} to {to}. "
            f"It has failed after {one.tries} tries: {one.failure}."
        )

    async def do(self, doing: Doing) -> str:
        """Under its own idempotency key: no money moves twice."""
        async with doing.databases.acting("payments") as connection:
            return await operator.try_again(
                connection,
                self.waiting_id,
                doing.clock.now(),
                account=self.account,
                from_balance=self.from_balance,
            )


class PaidOutside(Act):
    """As `bookingctl payments paid-outside`."""

    NAME: ClassVar[str] = "money-paid-outside"
    TITLE: ClassVar[str] = "It was paid outside of Stripe"
    ROLE: ClassVar[Role] = Role.MONEY
    SERVICE: ClassVar[str | None] = "payments"
    DANGEROUS: ClassVar[bool] = True
    SUBJECT: ClassVar[str] = "refund_id"

    refund_id: UUID
    booking_id: UUID | None = None
    reference: str = Field(
        title="Reference", min_length=3, max_length=200, description="by which the payment is found: the transfer's"
    )

    async def says(self, databases: Databases) -> str:
        """That the books are closed on it."""
        async with databases.reading("payments") as connection:
            one = await operator.waiting_one(connection, self.refund_id)
        return (
            f"The refund of {money(one.amount_minor, one.currency)} ends: the ledger says that it was paid by other "
            "means, with your name and the reference. Stripe is not asked again. This cannot be taken back."
        )

    async def do(self, doing: Doing) -> str:
        """Said twice it changes nothing."""
        async with doing.databases.acting("payments") as connection:
            return await operator.paid_outside(
                connection, doing.clock, self.refund_id, by_whom=doing.operator.name, reference=self.reference
            )


ACTS: Sequence[type[Act]] = (TryAgain, PaidOutside)
