"""What the address of a page asks for, read strictly: what cannot be read is a sentence that names the field.

A field of a form that was left empty comes as an empty text, and asks for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from aiohttp import web

from services.chassis.parameters import EARLIEST, LATEST
from services.chassis.problems import bad_request
from services.operations.console.reads.paging import Cursor

E = TypeVar("E", bound=StrEnum)


def kept(given: str) -> str:
    """Without NUL, which PostgreSQL keeps in no text, nor looks for."""
    return given.replace("\0", "")


def text(request: web.Request, name: str, pattern: str = r"[^\x00]{1,200}") -> str | None:
    """A text that matches as a whole, without blanks around it."""
    given = request.query.get(name, "").strip()
    if given and re.fullmatch(pattern, given) is None:
        raise bad_request(f"{name} is not one that there can be.")
    return given or None


def uuid(request: web.Request, name: str) -> UUID | None:
    """An id."""
    given = text(request, name)
    try:
        return None if given is None else UUID(given)
    except ValueError:
        raise bad_request(f"{name} must be a UUID.") from None


def in_utc(given: str) -> datetime:
    """An instant of the years 2000 to 2199; without a zone it is meant in UTC, as a browser's field gives it. Raises
    ValueError."""
    found = datetime.fromisoformat(given.strip())
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    if not EARLIEST <= found < LATEST:
        raise ValueError("an instant of the years 2000 to 2199")
    return found


def instant_or_empty(given: object) -> object:
    """Of a field of a form, before pydantic looks at it."""
    if not isinstance(given, str):
        return given
    return in_utc(given) if given.strip() else None


def instant(request: web.Request, name: str) -> datetime | None:
    """As in_utc has it."""
    given = text(request, name)
    try:
        return None if given is None else in_utc(given).astimezone(UTC)
    except (ValueError, OverflowError):
        raise bad_request(f"{name} must be an instant of the years 2000 to 2199, e.g. 2030-01-31T09:00.") from None


def day(request: web.Request, name: str) -> date | None:
    """A date of these years."""
    given = text(request, name)
    try:
        found = None if given is None else date.fromisoformat(given)
    except ValueError:
        found = date.min
    if found is not None and not EARLIEST.date() < found < LATEST.date().replace(month=1, day=1, year=2199):
        raise bad_request(f"{name} must be a date of the years 2000 to 2198, e.g. 2030-01-31.")
    return found


def choices(request: web.Request, name: str, known: Collection[E]) -> tuple[E, ...]:
    """Some of these, with commas between them, each once."""
    given = [one for one in (text(request, name) or "").split(",") if one]
    by_name = {str(one): one for one in known}
    if not by_name.keys() >= set(given):
        raise bad_request(f"{name} must be one or more of {', '.join(by_name)}.")
    return tuple(by_name[one] for one in dict.fromkeys(given))


def choice(request: web.Request, name: str, known: Collection[E]) -> E | None:
    """One of these, or none."""
    found = choices(request, name, known)
    if len(found) > 1:
        raise bad_request(f"{name} must be one of {', '.join(map(str, known))}.")
    return found[0] if found else None


def cursor(request: web.Request, kinds: Sequence[Callable[[Any], Any]]) -> Cursor | None:
    """`?after=`: where the page begins."""
    given = request.query.get("after")
    try:
        return Cursor.read(given, kinds) if given else None
    except ValueError as wrong:
        raise bad_request(f"after: {wrong}.") from None
