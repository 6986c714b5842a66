"""What a request's path and query say, read strictly: anything else is a problem that names the parameter."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from aiohttp import web

from services.chassis.problems import Problem, bad_request

Position = TypeVar("Position")
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
OPAQUE_ID = r"[A-Za-z0-9._:@-]{1,128}"
"""Ids of customers and other actors, as commands carry them."""
SHOWN = 50
"""Characters of a name that a refusal repeats."""
PAGE, MOST_PAGE = 100, 200
"""Items of a list where the caller names no limit, and the most that one may name."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the query of a path may say; what it does not know it would pass over, and the caller would not notice."""

    known: Collection[str]
    again: Collection[str] = ()

    def check(self, request: web.Request) -> None:
        """Raises the problem that names a parameter which is unknown, or comes twice and means one thing."""
        for name, many in Counter(name for name, _ in request.query.items()).items():
            if name not in self.known:
                takes = f"it takes {', '.join(self.known)}" if self.known else "it takes none"
                raise bad_request(f"{name[:SHOWN]} is not a parameter of this path; {takes}.")
            if many > 1 and name not in self.again:
                raise bad_request(f"{name} comes {many} times; name it once.")


def path_id(request: web.Request, name: str) -> UUID:
    """A UUID in the path; anything else is not found."""
    try:
        return UUID(request.match_info[name])
    except ValueError:
        raise Problem(404, "Not Found", f"{name} must be a UUID.") from None


def uuid_of(request: web.Request, name: str) -> UUID | None:
    """A UUID, or None where the query has none."""
    raw = request.query.get(name)
    try:
        return UUID(raw) if raw is not None else None
    except ValueError:
        raise bad_request(f"{name} must be a UUID.") from None


def instant_of(request: web.Request, name: str) -> datetime | None:
    """An instant of the years 2000 to 2199, or None where the query has none."""
    raw = request.query.get(name)
    if raw is None:
        return None
    try:
        instant = datetime.fromisoformat(raw)
        if instant.tzinfo is not None and EARLIEST <= instant < LATEST:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise bad_request(f"{name} must be an instant of the years 2000 to 2199, e.g. 2030-01-31T09:00:00Z.")


def text_of(request: web.Request, name: str, pattern: str, like: str) -> str | None:
    """A text that matches the pattern as a whole, or None where the query has none; `like` is an example."""
    raw = request.query.get(name)
    if raw is not None and re.fullmatch(pattern, raw, re.ASCII) is None:
        raise bad_request(f"{name} must be a text like {like}.")
    return raw


def choices_of(request: web.Request, name: str, known: Collection[str]) -> list[str]:
    """Values of a parameter that may come again or list several with commas; each is one of `known`."""
    chosen = [value for raw in request.query.getall(name, []) for value in raw.split(",")]
    if not set(chosen) <= set(known):
        raise bad_request(f"{name} must be one or more of {', '.join(known)}.")
    return list(dict.fromkeys(chosen))


def limit_of(request: web.Request) -> int:
    """How many items a page holds at most."""
    raw = request.query.get("limit", str(PAGE))
    if not raw.isascii() or not raw.isdigit() or len(raw) > 3 or not 1 <= int(raw) <= MOST_PAGE:
        raise bad_request(f"limit must be a whole number from 1 to {MOST_PAGE}.")
    return int(raw)


def opaque_cursor(position: object) -> str:
    """A page's `next`: where the page after it begins, in a form that callers do not read."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def read_cursor(request: web.Request, read: Callable[[Any], Position]) -> Position | None:
    """What `?cursor=` says, None without one. `read` raises ValueError or TypeError for what no page has given."""
    raw = request.query.get("cursor")
    if raw is None:
        return None
    try:
        return read(json.loads(base64.urlsafe_b64decode(raw)))
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise bad_request("cursor must be the next of an earlier page of the same list, unchanged.") from None


def row_number(position: Any) -> int:
    """A cursor that is a row's number."""
    if type(position) is not int or not 0 <= position < 1 << 62:
        raise ValueError(position)
    return position
