"""What the database holds, as values: also what a newer build wrote beside this one (docs/engine.md, Deploys).

Columns and JSON fields that this build does not know are passed over. A value that it does not understand, an enum's or
a field's, raises NewerBuild, which names it: what needs that row waits for a build that knows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Generic, TypeVar

import asyncpg
from pydantic import TypeAdapter, ValidationError

from services.chassis.failures import NewerBuild

KindT = TypeVar("KindT")
SHOWN = ("enum", "literal_error")
"""Errors whose value may be told; others may be of somebody's name or address."""


class Stored(Generic[KindT]):
    """Reads one kind, a dataclass or a model, from `where`: a table ("saga") or a column of JSON ("booking.terms")."""

    def __init__(self, kind: type[KindT], where: str) -> None:
        self._adapter, self._where = TypeAdapter(kind), where
        self._names = frozenset(field.name for field in fields(kind)) if is_dataclass(kind) else frozenset()

    def row(self, found: Mapping[str, object] | asyncpg.Record) -> KindT:
        """From a row, columns by name; one that was not read is no default. Raises NewerBuild."""
        columns = dict(found)
        assert self._names <= columns.keys(), f"the query of {self._where} lacks {self._names - columns.keys()}"
        return self.value(columns)

    def value(self, found: Mapping[str, object]) -> KindT:
        """From JSON that was read already: a field that an older build did not write has its default.

        Raises NewerBuild.
        """
        try:
            return self._adapter.validate_python(found, extra="ignore")
        except ValidationError as error:
            raise self._newer(error) from None

    def json(self, text: str) -> KindT:
        """From JSON, as `value`. Raises NewerBuild."""
        try:
            return self._adapter.validate_json(text, extra="ignore")
        except ValidationError as error:
            raise self._newer(error) from None

    def _newer(self, error: ValidationError) -> NewerBuild:
        first = error.errors(include_url=False)[0]
        place = ".".join((self._where, *map(str, first["loc"])))
        return newer(place, repr(first["input"]) if first["type"] in SHOWN else "a value", first["msg"])


def newer(place: str, value: str, problem: str) -> NewerBuild:
    """The error for a value, as it may be shown, that is not understood. `place` is table, column, path in its JSON."""
    return NewerBuild(
        f"{place} holds {value} that this build does not understand ({problem}). If a newer build runs beside this "
        "one, it handles this; if not, roll forward to the build that wrote it, or mend the row"
    )
