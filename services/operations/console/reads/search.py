"""One text, looked for everywhere: which rows of which service it names.

Where it may stand, by its form, says places.py. By index, but for trace and correlation ids: those stand in headers of
messages alone, which are kept until they are handled, sent or called; there the last ones are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from services.chassis.database import Connection
from services.chassis.parameters import OPAQUE_ID
from services.operations.console.reads import places, places_of_messages
from services.operations.console.reads.places import LAST, Form, Hit, Kind, Query

QUERIES: Sequence[Query] = (
    *(places.BOOKING, places.CUSTOMERS, places.PEOPLE, places.PAYMENTS, places.STRIPE, places.WALLETS),
    *(places.NOTIFICATIONS, places.OPERATIONS),
    *(places_of_messages.by_id(service) for service in places_of_messages.BOOKINGS),
)
IN_HEADERS = f"trace or correlation id in headers of the last {LAST} messages, calls and letters of each kind"
AT_STRIPE = re.compile(r"[a-z]{2,10}_[A-Za-z0-9_]{1,255}")
TRACE = re.compile(r"(?:[0-9a-f]{2}-)?([0-9a-f]{32})(?:-[0-9a-f]{16}-[0-9a-f]{2})?", re.IGNORECASE)
"""A trace id, or a W3C traceparent."""
EMAIL = re.compile(r"[^@\s]{1,128}@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True, slots=True)
class Sought:
    """What a text may be, and so where it is looked for."""

    text: str
    id: UUID | None = None
    stripe: bool = False
    opaque: bool = False
    email: bool = False
    trace: str | None = None


def sought(text: str) -> Sought:
    """What it may be, by its form; a text may be several things."""
    text = text.strip()
    try:
        found: UUID | None = UUID(text)
    except ValueError:
        found = None
    trace = TRACE.fullmatch(text)
    return Sought(
        text,
        found,
        AT_STRIPE.fullmatch(text) is not None,
        re.fullmatch(OPAQUE_ID, text, re.ASCII) is not None,
        EMAIL.fullmatch(text) is not None,
        trace[1].lower() if trace else None,
    )


def merged(hits: Sequence[Hit]) -> list[Hit]:
    """Each thing once, with all that the text is of it; what has no page only where nothing has one."""
    found: dict[tuple[Kind, str, str], Hit] = {}
    for hit in hits:
        key = (hit.kind, hit.id, hit.service if hit.kind in (Kind.LETTER, Kind.MESSAGE) else "")
        before = found.setdefault(key, hit)
        if hit.by not in before.by.split(", "):
            found[key] = replace(before, by=f"{before.by}, {hit.by}")
    pages = [hit for hit in found.values() if hit.kind is not Kind.MESSAGE]
    return pages or list(found.values())


async def find(connection: Connection, service: str, what: Sought, *, people: bool = False) -> list[Hit]:
    """All that the text is in one service's database, or in `operations`. `people`: an e-mail address, too."""
    found: list[Hit] = []
    for query in asked(service, what, people=people):
        value: object = what.id if query.form is Form.ID else what.text
        found += [Hit(Kind(row[0]), *row[1:]) for row in await connection.fetch(query.sql, value)]
    return found


async def find_headers(connection: Connection, service: str, what: Sought) -> list[Hit]:
    """What of late had this trace or correlation id: no index has it, and LAST rows of each table are looked at."""
    value = what.trace or what.text
    return [Hit(Kind(row[0]), *row[1:]) for row in await connection.fetch(places_of_messages.headers(service), value)]


def asked(service: str, what: Sought, *, people: bool = False) -> list[Query]:
    """Where a text of this form may stand in a service's database."""
    forms = {
        Form.ID: what.id is not None,
        Form.STRIPE: what.stripe,
        Form.CUSTOMER: what.opaque,
        Form.EMAIL: what.email and people,
    }
    return [query for query in QUERIES if query.service == service and forms[query.form]]
