"""Views that operators have saved: a list with its filters, under a name of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.chassis.database import Connection
from services.chassis.operator import NotPossible

MOST = 100
"""Views of one operator."""
LONGEST_NAME, LONGEST_PATH = 80, 2_000


@dataclass(frozen=True, slots=True)
class View:
    """`path` is one of the console's without its prefix, with its query."""

    view_id: UUID
    name: str
    path: str
    created_at: datetime


async def listed(connection: Connection, operator: str) -> Sequence[View]:
    """An operator's, by name."""
    found = await connection.fetch(
        "SELECT view_id, name, path, created_at FROM saved_view WHERE operator = $1 ORDER BY name LIMIT $2",
        operator,
        MOST,
    )
    return [View(**dict(row.items())) for row in found]


async def save(connection: Connection, operator: str, name: str, path: str) -> None:
    """Keep it; one of the same name is replaced. Raises NotPossible for what is no view of this console."""
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise NotPossible(f"a view has a name of 1 to {LONGEST_NAME} characters")
    if not local(path):
        raise NotPossible("a view is a page of this console")
    async with connection.transaction():
        others = await connection.fetchval(
            "SELECT count(*) FROM (SELECT FROM saved_view WHERE operator = $1 AND name <> $2 LIMIT $3) few",
            operator,
            name,
            MOST,
        )
        if others >= MOST:
            raise NotPossible(f"you have {MOST} views: delete one first")
        await connection.execute(
            """
            INSERT INTO saved_view (operator, name, path) VALUES ($1, $2, $3)
            ON CONFLICT (operator, name) DO UPDATE SET path = excluded.path, created_at = now()
            """,
            operator,
            name,
            path,
        )


async def delete(connection: Connection, operator: str, view_id: UUID) -> None:
    """Forget one of theirs; one that is gone already is no fault."""
    await connection.execute("DELETE FROM saved_view WHERE view_id = $1 AND operator = $2", view_id, operator)


def local(path: str) -> bool:
    """Whether a link to it stays on this console, whatever a browser makes of it."""
    plain = path.isascii() and path.isprintable() and not any(one in path for one in " \\\"'<>")
    return plain and path.startswith("/") and not path.startswith("//") and len(path) <= LONGEST_PATH
