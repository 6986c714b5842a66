"""The statements that follow from a table's columns."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from services.chassis.tables import Table


class Seat(NamedTuple):
    row: int
    owner: str


COLUMNS = "number int, owner text, sold bool"
SEAT = Table[Seat]("seat", COLUMNS, {"number": "row", "sold": lambda seat: seat.owner != "nobody"})
ARRAYS = "unnest($1::int[], $2::text[], $3::bool[])"
INSERT = f"INSERT INTO seat (number, owner, sold) SELECT * FROM {ARRAYS}"


def test_new_rows_are_inserted_in_their_order_where_that_matters() -> None:
    assert SEAT.insert().sql == INSERT
    assert SEAT.insert(unless_there=True).sql == f"{INSERT} ON CONFLICT DO NOTHING"
    assert SEAT.insert(ordered=True).sql == (
        "INSERT INTO seat (number, owner, sold) SELECT number, owner, sold "
        f"FROM {ARRAYS} WITH ORDINALITY AS given (number, owner, sold, nth) ORDER BY nth"
    )
    assert [read(Seat(7, "bob")) for read in SEAT.insert().reads] == [7, "bob", True]


def test_an_upsert_changes_what_it_names() -> None:
    changed = f"{INSERT} ON CONFLICT (number) DO UPDATE SET owner = EXCLUDED.owner"
    assert SEAT.upsert("owner").sql == changed
    assert SEAT.upsert("owner", where="NOT seat.sold").sql == f"{changed} WHERE NOT seat.sold"


def test_an_update_reads_the_key_and_what_it_names() -> None:
    update = SEAT.update("sold", also="changed_at = now()")
    assert update.sql == (
        "UPDATE seat SET sold = given.sold, changed_at = now() "
        "FROM unnest($1::int[], $2::bool[]) AS given (number, sold) WHERE seat.number = given.number"
    )
    assert [read(Seat(7, "nobody")) for read in update.reads] == [7, False]


def test_a_place_for_a_column_that_the_table_has_not_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="colour"):
        Table[Seat]("seat", COLUMNS, {"colour": "row"})
