"""Who saw whose personal data: a row in the operators' log before it is shown (operator_log, act `look`)."""

from __future__ import annotations

from uuid import UUID

from aiohttp import web

from services.operations.console import operator_log
from services.operations.console.databases import Away
from services.operations.console.routes import DATABASES, OPERATOR


async def unmasked(request: web.Request, subject: str, booking_id: UUID | None) -> tuple[bool, str | None]:
    """Whether personal data is shown on this page, and where it was asked for and is not: why.

    It is never shown without its row in the log. `subject` is an id or a path, never what was searched for: that may be
    somebody's address, and the log forgets nothing.
    """
    if request.query.get("unmasked") != "1":
        return False, None
    operator = request[OPERATOR]
    if not operator.sees_people:
        return False, f"{operator.name} has not the right pii: personal data stays masked."
    try:
        await keep(request, subject, booking_id)
    except Away as away:
        return False, f"{away}, which keeps who looked: personal data stays masked."
    return True, None


async def keep(request: web.Request, subject: str, booking_id: UUID | None = None) -> None:
    """Before it is shown. Raises Away: then it is not shown."""
    async with request.app[DATABASES].operations() as connection:
        await operator_log.look(connection, request[OPERATOR].name, subject, booking_id)
