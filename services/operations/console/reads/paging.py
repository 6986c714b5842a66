"""Pages of long lists: each begins beside a row of the page before it, so that a page costs the same wherever it is."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import asyncpg

T = TypeVar("T")
Place = tuple[Any, ...]
"""A row's values in the columns by which its list is in order."""

PAGE = 50
LOOKED = 500
"""Rows that one page looks at where no index knows a filter: the page after it reads on from there."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: behind this row, or, `back`, with what stands before it."""

    place: Place
    back: bool = False

    def __str__(self) -> str:
        """As it stands in a URL."""
        plain = [one.isoformat() if isinstance(one, datetime) else one for one in self.place]
        return base64.urlsafe_b64encode(json.dumps([self.back, *plain], default=str).encode()).decode()

    @classmethod
    def read(cls, text: str, kinds: Sequence[Callable[[Any], Any]]) -> Cursor:
        """What `str` made of one whose place has these kinds. Raises ValueError for what it never made."""
        try:
            back, *place = json.loads(base64.urlsafe_b64decode(text))
            return cls(tuple(kind(one) for kind, one in zip(kinds, place, strict=True)), bool(back))
        except (TypeError, AttributeError, RecursionError, OverflowError, ValueError):
            raise ValueError("the cursor is not one of an earlier page of this list") from None


def instant(text: str) -> datetime:
    """Of a place: an instant with its zone."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(text)
    return found.astimezone(UTC)


def small(number: int) -> int:
    """Of a place: a number as a column of the type integer has it."""
    if type(number) is not int or not 0 <= number < 1 << 31:
        raise ValueError(number)
    return number


BY_TIME: Sequence[Callable[[Any], Any]] = (instant, UUID)
"""A place in a list by time, and by id where two have the same."""
BY_ID: Sequence[Callable[[Any], Any]] = (UUID,)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list, with the pages beside it where there are any."""

    items: Sequence[T]
    previous: Cursor | None = None
    next: Cursor | None = None


@dataclass(frozen=True, slots=True)
class Bounded:
    """A count that stops: `more` where it was not the end."""

    count: int
    more: bool = False

    def __str__(self) -> str:
        return f"{self.count}{'+' if self.more else ''}"


@dataclass(slots=True)
class Walk:
    """A page of rows in the order of an index: conditions as SQL, with the values that they compare with.

    `order`: the columns; `newest`: the last rows first.
    """

    order: tuple[str, ...]
    at: Cursor | None = None
    newest: bool = False
    values: list[object] = field(default_factory=list)
    _indexed: list[str] = field(default_factory=list)
    _others: list[str] = field(default_factory=list)

    def value(self, value: object) -> str:
        """Its place among the statement's parameters."""
        self.values.append(value)
        return f"${len(self.values)}"

    def narrow(self, condition: str, value: object | None, *, indexed: bool) -> None:
        """Only rows of which this holds; `{}` stands for the value, and None narrows nothing. What the index of this
        order cannot find is looked at row by row."""
        if value is not None:
            (self._indexed if indexed else self._others).append(condition.format(self.value(value)))

    @property
    def looks(self) -> bool:
        """Whether rows are read that may not fit."""
        return bool(self._others)

    @property
    def limit(self) -> int:
        """How many rows are read."""
        return LOOKED if self.looks else PAGE + 1

    @property
    def within(self) -> str:
        """What the index finds."""
        return " AND ".join(self._indexed or ["true"])

    @property
    def fits(self) -> str:
        """What is looked at."""
        return " AND ".join(self._others or ["true"])

    @property
    def down(self) -> bool:
        """Whether rows are read from the end."""
        return self.newest != (self.at is not None and self.at.back)

    @property
    def ordered(self) -> str:
        """For ORDER BY."""
        return ", ".join(f"{column}{' DESC' if self.down else ''}" for column in self.order)

    def beyond(self) -> str:
        """What is not before this page; said once in a statement."""
        if self.at is None:
            return "true"
        return f"({', '.join(self.order)}) {'<' if self.down else '>'} ({', '.join(map(self.value, self.at.place))})"

    def page(self, rows: Sequence[asyncpg.Record], made: Callable[[asyncpg.Record], T]) -> Page[T]:
        """The page of the rows that were read, `limit` at most; each says by `fits` whether it belongs there.

        As many rows as that: behind the last there may be more.
        """
        fitting = [row for row in rows if row["fits"]]
        back = self.at is not None and self.at.back
        ahead = behind = None
        if len(fitting) > PAGE:
            ahead = Cursor(self._place(fitting[PAGE - 1]), back)
        elif len(rows) >= self.limit:
            ahead = Cursor(self._place(rows[-1]), back)
        if self.at is not None and rows:
            behind = Cursor(self._place(rows[0]), not back)
        items = [made(row) for row in fitting[:PAGE]]
        return Page(items[::-1], ahead, behind) if back else Page(items, behind, ahead)

    def _place(self, row: asyncpg.Record) -> Place:
        return tuple(row[column] for column in self.order)
