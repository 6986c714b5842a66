"""Tables as data: from a table's columns, the statements that read rows, and that write many at once from arrays.

Every statement names its columns: one that a newer build has added is neither read nor changed by this one. Updates and
upserts name what they may change; what they do not name stays as it was inserted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Generic, TypeVar

from services.chassis.statements import Row, Statements

RowT = TypeVar("RowT")
Read = Callable[[RowT], object]


@dataclass(frozen=True)
class Write(Generic[RowT]):
    """A statement, and what it takes from each row: one array for each of `reads`."""

    sql: str
    reads: tuple[Read[RowT], ...]

    def __call__(self, writes: Statements, rows: Sequence[RowT]) -> None:
        """Have all rows written in one statement; nothing where there are none."""
        if rows:
            writes.add(self.sql, *(list(map(read, rows)) for read in self.reads))


class Table(Generic[RowT]):
    """A table, its columns as CREATE TABLE has them ("booking_id uuid, state text"; the key first), and where in a row
    each one's value is: in the attribute of that name, or where `read` says, by another path or by a function. `filled`
    names columns that are read only, because the database fills them ("taken, active"); `shown` has what is selected
    in place of a column ({"busy": "lower(busy) AS busy_from"})."""

    def __init__(
        self,
        name: str,
        columns: str,
        read: Mapping[str, str | Read[RowT]] | None = None,
        *,
        filled: str = "",
        shown: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._kinds = dict(column.split() for column in columns.split(","))
        self._key = next(iter(self._kinds))
        places = dict.fromkeys(self._kinds, "") | dict(read or {})
        self._reads = {
            column: attrgetter(place or column) if isinstance(place, str) else place for column, place in places.items()
        }
        assert self._reads.keys() == self._kinds.keys(), f"{name} has no such columns: {places.keys() - self._kinds}"

        self._read_too = tuple(filled.split(", ")) if filled else ()
        self._shown = shown or {}
        self._selected = self.columns()

    def columns(self, alias: str = "", *, without: str = "") -> str:
        """Their names, for a SELECT list; with an alias for one with a JOIN: "s.booking_id, s.step"."""
        prefix = f"{alias}." if alias else ""
        columns = (column for column in (*self._kinds, *self._read_too) if column != without)
        return ", ".join(self._shown.get(column, f"{prefix}{column}") for column in columns)

    def names(self, alias: str) -> str:
        """What `select` calls them, for a SELECT from its rows."""
        return ", ".join(f"{alias}.{column.rpartition(' ')[2]}" for column in self._selected.split(", "))

    def select(self, rest: str) -> str:
        """The query for the rows that `rest` ("WHERE booking_id = $1") finds."""
        return f"SELECT {self._selected} FROM {self.name} {rest}"

    def read(self, writes: Statements, rest: str, *arguments: object) -> list[Row]:
        """The same rows with the next `send`."""
        return writes.read(self._selected, self.select(rest), *arguments)

    def insert(self, *, ordered: bool = False, unless_there: bool = False) -> Write[RowT]:
        """New rows; `ordered` where it matters to the database in which order they come, `unless_there` where one that
        violates a key is to be left out."""
        return self._write(self._insert(ordered) + " ON CONFLICT DO NOTHING" * unless_there, self._kinds)

    def upsert(self, *changing: str, where: str = "", ordered: bool = False) -> Write[RowT]:
        """New rows, or the `changing` columns of known ones; of those that `where` accepts, where it is given."""
        changes = ", ".join(f"{column} = EXCLUDED.{column}" for column in changing)
        end = f" WHERE {where}" if where else ""
        sql = f"{self._insert(ordered)} ON CONFLICT ({self._key}) DO UPDATE SET {changes}{end}"
        return self._write(sql, self._kinds)

    def update(self, *changing: str, also: str = "") -> Write[RowT]:
        """The `changing` columns of known rows, all where none is named; `also` sets further ones."""
        changing = changing or tuple(column for column in self._kinds if column != self._key)
        changes = ", ".join(f"{column} = given.{column}" for column in changing) + (also and f", {also}")
        given = (self._key, *changing)
        source = f"{self._arrays(given)} AS given ({', '.join(given)})"
        sql = f"UPDATE {self.name} SET {changes} FROM {source} WHERE {self.name}.{self._key} = given.{self._key}"
        return self._write(sql, given)

    def _insert(self, ordered: bool) -> str:
        names, arrays = ", ".join(self._kinds), self._arrays(self._kinds)
        if not ordered:
            return f"INSERT INTO {self.name} ({names}) SELECT * FROM {arrays}"
        source = f"{arrays} WITH ORDINALITY AS given ({names}, nth)"
        return f"INSERT INTO {self.name} ({names}) SELECT {names} FROM {source} ORDER BY nth"

    def _arrays(self, columns: Iterable[str]) -> str:
        arrays = (f"${number}::{self._kinds[column]}[]" for number, column in enumerate(columns, 1))
        return f"unnest({', '.join(arrays)})"

    def _write(self, sql: str, columns: Iterable[str]) -> Write[RowT]:
        return Write(sql, tuple(self._reads[column] for column in columns))
