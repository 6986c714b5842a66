"""What is done about a saga that waits or is stuck."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from services.booking import operator
from services.operations.console.acts.framework import Act, Doing
from services.operations.console.databases import Databases
from services.operations.console.roles import Role


class SagaRetry(Act):
    """As `bookingctl saga retry`."""

    NAME: ClassVar[str] = "saga-retry"
    TITLE: ClassVar[str] = "Ask the saga's step again"
    ROLE: ClassVar[Role] = Role.OPERATOR
    SERVICE: ClassVar[str | None] = "booking"

    booking_id: UUID

    @property
    def subject(self) -> str:
        """The booking."""
        return str(self.booking_id)

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
            return await operator.retry(connection, doing.clock, self.booking_id)


ACTS: Sequence[type[Act]] = (SagaRetry,)
