"""What is done about a saga that waits or is stuck."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from services.booking import operator
from services.booking.saga import Saga, Status
from services.chassis.operator import NotPossible
from services.operations.console.acts.framework import Act, Doing
from services.operations.console.databases import Databases
from services.operations.console.roles import Role


class SagaRetry(Act):
    """As `bookingctl saga retry`."""

    NAME: ClassVar[str] = "saga-retry"
    TITLE: ClassVar[str] = "Ask the saga's step again"
    ROLE: ClassVar[Role] = Role.OPERATOR
    SERVICE: ClassVar[str | None] = "booking"
    SUBJECT: ClassVar[str] = "booking_id"

    booking_id: UUID

    async def says(self, databases: Databases) -> str:
        """Which step is asked."""
        async with databases.reading("booking") as connection:
            row, _ = await operator.saga_of(connection, self.booking_id)
        return (
            f"Payments is asked again for step {row['step']}, attempt {row['attempt']}, of booking {self.booking_id}. "
            "Where it was done already, payments says its outcome once more: no money moves twice."
        )

    async def do(self, doing: Doing) -> str:
        """Asked twice does no harm."""
        async with doing.databases.acting("booking") as connection:
            who, why = doing.operator.name, doing.reason
            return await operator.retry(connection, doing.clock, self.booking_id, by=who, note=why)


class SagaResolve(Act):
    """As `bookingctl saga resolve`."""

    NAME: ClassVar[str] = "saga-resolve"
    TITLE: ClassVar[str] = "Close the stuck step"
    ROLE: ClassVar[Role] = Role.OPERATOR
    SERVICE: ClassVar[str | None] = "booking"
    DANGEROUS: ClassVar[bool] = True
    SUBJECT: ClassVar[str] = "booking_id"

    booking_id: UUID

    async def says(self, databases: Databases) -> str:
        """Which step is given up."""
        async with databases.reading("booking") as connection:
            row, _ = await operator.saga_of(connection, self.booking_id)
        if row["status"] != Status.STUCK:
            raise NotPossible(f"the saga of {self.booking_id} is {row['status']}, not stuck")
        return self._closes(row["step"], row["attempt"])

    def _closes(self, step: str, attempt: int) -> str:
        return (
            f"Step {step}, attempt {attempt}, of booking {self.booking_id} counts as done: nobody asks payments again, "
            "and no money moves by this. Do it only where you have settled it by hand."
        )

    async def do(self, doing: Doing) -> str:
        """With your name and reason in the saga's log. The step is looked at again under the lock."""

        def agreed(found: Saga) -> None:
            self.agreed(doing.said, self._closes(found.step, found.attempt))

        async with doing.databases.acting("booking") as connection:
            who, why = doing.operator.name, doing.reason
            return await operator.resolve(connection, doing.clock, self.booking_id, why, by=who, agreed=agreed)


ACTS: Sequence[type[Act]] = (SagaRetry, SagaResolve)
