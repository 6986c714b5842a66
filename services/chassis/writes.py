"""What a transaction writes, gathered: statements whose order does not matter go to the database in one round trip."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Self

from services.chassis.database import Connection

_PARAMETER = re.compile(r"\$(\d+)")


class Writes:
    """Statements that write and return nothing, sent as one: `WITH w0 AS (INSERT …), w1 AS (UPDATE …) INSERT …`.

    None of them sees what another has written; keys, constraints and AFTER triggers are looked at when all are done.
    What has to find the rows of others is added after `send`. As a context manager it sends what is left at the end.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._statements: list[str] = []
        self._arguments: list[object] = []

    def add(self, sql: str, *arguments: object) -> None:
        """Write this with the next `send`. No two of a round may change the same row."""
        before = len(self._arguments)
        self._statements.append(_PARAMETER.sub(lambda found: f"${int(found[1]) + before}", sql) if before else sql)
        self._arguments += arguments

    async def send(self) -> None:
        """Write all that was added since the last time."""
        *others, last = self._statements or [""]
        if not last:
            return
        with_others = ", ".join(f"w{number} AS ({sql})" for number, sql in enumerate(others))
        arguments, self._statements, self._arguments = self._arguments, [], []
        await self.connection.execute(f"WITH {with_others} {last}" if others else last, *arguments)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self.send()
