"""What is done about a session that keeps others waiting (services/operations/sessions.py)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, ClassVar, Literal

from booking_contracts.envelope import rfc3339
from pydantic import BeforeValidator, Field

from services.operations import sessions
from services.operations.console.acts.framework import Act, Doing
from services.operations.console.asked import instant_or_empty
from services.operations.console.databases import Databases
from services.operations.console.roles import Role


class EndSession(Act):
    """As `bookingctl sessions end`. `since`: when it began, for numbers come again."""

    NAME: ClassVar[str] = "session-end"
    TITLE: ClassVar[str] = "End the session"
    ROLE: ClassVar[Role] = Role.OPERATOR
    DANGEROUS: ClassVar[bool] = True
    SUBJECT: ClassVar[str] = "pid"
    MOVES: ClassVar[re.Pattern[str] | None] = re.compile(r"\d+(?= sessions wait)")

    service: Literal["booking", "payments", "notifications", "operations"]
    pid: Annotated[int, Field(ge=1, lt=2**31)]
    since: Annotated[datetime, BeforeValidator(instant_or_empty)]

    @property
    def subject(self) -> str:
        """A number alone says little later."""
        return f"session {self.pid} of {self.service}"

    def whose(self) -> str | None:
        """The service in whose database it is."""
        return self.service

    async def says(self, databases: Databases) -> str:
        """Whose it is, what it holds, what becomes of its work."""
        async with databases.reading(self.service) as connection:
            found = await sessions.blocking(connection, self.pid, self.since)
        name = found.application or "without a name"
        began = f", open since {rfc3339(found.transaction_since)}," if found.transaction_since else ""
        return (
            f"Session {found.pid} ({name}), for which {found.blocks} sessions wait, is cut off: its transaction{began} "
            f"is rolled back, and what waits goes on. It has locked {found.tables or 'no table'}. "
            "A service that loses it connects again, and does the same anew."
        )

    async def do(self, doing: Doing) -> str:
        """Only while it keeps somebody waiting."""
        async with doing.databases.acting(self.service) as connection:
            return await sessions.end(connection, self.pid, self.since)


ACTS: Sequence[type[Act]] = (EndSession,)
