"""Lists that end: the latest rows of a booking, and how many there are before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.chassis.database import Connection
from services.chassis.statements import Row

SHOWN = 100
"""What a person looks through; a booking has a tenth of it."""
LOOKED_AT = 300
"""As far as is counted what is left out."""


@dataclass(frozen=True, slots=True)
class Few:
    """Rows in the order of time, and how many before them are left out; `uncounted` where it is more than that."""

    rows: Sequence[Row] = ()
    left_out: int = 0
    uncounted: bool = False

    @property
    def said(self) -> str:
        """A sentence about what is left out; empty where nothing is."""
        if not self.left_out:
            return ""
        return f"and {self.left_out}{' or more' if self.uncounted else ''} earlier ones"


async def latest(connection: Connection, query: str, *arguments: object) -> Few:
    """The rows of a query that has the latest first and ends in LIMIT {most}, the oldest of them first."""
    found = await connection.fetch(query.format(most=LOOKED_AT), *arguments)
    return few(found[::-1], uncounted=len(found) == LOOKED_AT)


def few(rows: Sequence[Row], *, uncounted: bool = False) -> Few:
    """Of rows in the order of time the last."""
    return Few(rows[-SHOWN:], max(0, len(rows) - SHOWN), uncounted)
