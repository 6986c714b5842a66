"""Who saw whose personal data: a row in the operators' log before it is shown (operator_log, act `look`)."""

from __future__ import annotations

import json
from uuid import UUID

from aiohttp import web

from services.operations.console.databases import Away
from services.operations.console.routes import DATABASES, OPERATOR

LOOK = """
INSERT INTO operator_log (at, operator, act, subject, booking_id, reason, asked, outcome, ended_at)
VALUES (clock_timestamp(), $1, 'look', $2, $3, '', $4, 'shown', clock_timestamp())
"""


async def unmasked(request: web.Request, subject: str, booking_id: UUID | None) -> tuple[bool, str | None]:
    """Whether personal data is shown on this page, and where it was asked for and is not: why.

    It is never shown without its row in the log.
    """
    if request.query.get("unmasked") != "1":
        return False, None
    operator = request[OPERATOR]
    if not operator.sees_people:
        return False, f"{operator.name} has not the right pii: personal data stays masked."
    try:
        async with request.app[DATABASES].operations() as connection:
            await connection.execute(LOOK, operator.name, subject, booking_id, json.dumps({"path": request.path_qs}))
    except Away as away:
        return False, f"{away}, which keeps who looked: personal data stays masked."
    return True, None
