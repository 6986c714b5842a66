"""The two ways to look: over all keys of a table, chunk by chunk, and at the few rows that linger."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.operations.auditor.databases import Databases
from services.operations.auditor.findings import Finding, Kind
from services.operations.auditor.scope import FIRST, Id, Scope, Those

CHUNK = 5000
"""Keys of one look of a pass."""
MOST = 500
"""What a look at what lingers tells at most, and what is kept of a kind: the rest comes when those are gone."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Compares all rows by a key, e.g. bookings with payments. `key` is its name in `Finding.ids`, and which rows that
    changed of late concern it (recent.py); a pass goes over the keys of `table` in `service`'s database."""

    name: str
    kinds: frozenset[Kind]
    service: str
    table: str
    key: str
    look: Callable[[Databases, Scope], Awaitable[list[Finding]]]
    text: bool = False

    @property
    def beginning(self) -> Id:
        """Before all keys."""
        return "" if self.text else FIRST

    def id_of(self, text: str) -> Id:
        """A key as `ids` or a position have it."""
        return text if self.text else UUID(text)

    def subjects(self, found: Collection[Finding]) -> Those:
        """What to look at again."""
        return Those({self.id_of(one.ids[self.key]) for one in found})


@dataclass(frozen=True, slots=True)
class Lingering:
    """Finds what should be gone by now, by an index of few rows: all of it, or MOST. `now` is the auditor's clock."""

    name: str
    kinds: frozenset[Kind]
    look: Callable[[Databases, datetime], Awaitable[list[Finding]]]
