"""Which rows a check looks at: a stretch of keys, as a pass walks over them, or single keys, to look again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

Id = UUID | str
"""A key that rows are looked up by: of a booking, slot or posting, or a customer's id."""
FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Between:
    """After one key and up to another; up to the end where `until` is None."""

    after: Id
    until: Id | None

    def where(self, column: str) -> str:
        """The condition; `arguments` are its parameters, the first ones of the statement."""
        return f"{column} > $1" + (f" AND {column} <= $2" if self.until is not None else "")

    @property
    def arguments(self) -> tuple[object, ...]:
        return (self.after,) if self.until is None else (self.after, self.until)


@dataclass(frozen=True, slots=True)
class Those:
    """These alone."""

    keys: Collection[Id]

    def where(self, column: str) -> str:
        """The condition; `arguments` are its parameters, the first ones of the statement."""
        return f"{column} = ANY($1)"

    @property
    def arguments(self) -> tuple[object, ...]:
        return (list(self.keys),)


Scope = Between | Those
