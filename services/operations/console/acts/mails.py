"""What is done about letters to people (services/notifications/operator.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from services.notifications import operator
from services.operations.console.acts.framework import Act, Doing
from services.operations.console.databases import Databases
from services.operations.console.roles import Role


class SendAgain(Act):
    """As `bookingctl letters send-again`."""

    NAME: ClassVar[str] = "mail-send-again"
    TITLE: ClassVar[str] = "Send the letter again"
    ROLE: ClassVar[Role] = Role.OPERATOR
    SERVICE: ClassVar[str | None] = "notifications"
    SUBJECT: ClassVar[str] = "delivery_id"

    delivery_id: UUID
    booking_id: UUID | None = None

    async def says(self, databases: Databases) -> str:
        """To which address, and that it is one letter."""
        return (
            "The mail server gets the same letter once more, under the same Message-ID, to the address that its reader "
            "has now. Letters are kept for a day after they were written."
        )

    async def do(self, doing: Doing) -> str:
        """Its outcome comes later."""
        async with doing.databases.acting("notifications") as connection:
            return await operator.send_again(connection, doing.clock, self.delivery_id)


ACTS: Sequence[type[Act]] = (SendAgain,)
