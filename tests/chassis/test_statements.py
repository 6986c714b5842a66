"""Statements that go to the database together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import asyncpg
import pytest

from services.chassis.database import connect
from services.chassis.statements import Statements
from tests.chassis.harness import Engine

TABLES = """
CREATE TEMPORARY TABLE room (number int PRIMARY KEY, name text);
CREATE TEMPORARY TABLE seat (room int REFERENCES room, row int, PRIMARY KEY (room, row))
"""
ROOM = "INSERT INTO room SELECT * FROM unnest($1::int[], $2::text[])"
SEAT = "INSERT INTO seat SELECT * FROM unnest($1::int[], $2::int[])"
READ = "SELECT number, upper(name) AS loud FROM room WHERE number = ANY($1) ORDER BY number FOR SHARE"
RENAME = "UPDATE room SET name = $2 WHERE number = $1"


async def _tables(engine: Engine) -> asyncpg.Connection[asyncpg.Record]:
    connection = await connect(engine.session.url, "writes")
    await connection.execute(TABLES)
    return connection


async def test_what_is_added_goes_as_one_statement_each_with_its_own_values(engine: Engine) -> None:
    connection = await _tables(engine)
    writes = Statements(connection)
    writes.add(SEAT, [1, 1, 2], [7, 8, 9])  # a key's other end may come later in the same round
    writes.add(ROOM, [1, 2], ["blue", "red"])
    assert await connection.fetch("TABLE room") == [], "nothing is written before it is sent"
    await writes.send()
    writes.add(RENAME, 2, "green")
    await writes.send()
    await writes.send()
    assert [tuple(row) for row in await connection.fetch("TABLE seat ORDER BY 1, 2")] == [(1, 7), (1, 8), (2, 9)]
    assert [row["name"] for row in await connection.fetch("TABLE room ORDER BY number")] == ["blue", "green"]
    await connection.close()


async def test_reads_changes_and_writes_go_in_one_round_each_with_its_own_rows(engine: Engine) -> None:
    connection = await _tables(engine)
    await connection.execute(ROOM, [1, 2], ["blue", "red"])
    asked: list[str] = []
    with _listening(connection, asked):
        round_trip = Statements(connection)
        before = round_trip.read("room.number, upper(name) AS loud", READ, [1, 2, 3])
        added = round_trip.change("number, name", ROOM + " RETURNING number, name", [3], ["green"])
        nothing = round_trip.read("number", "SELECT number FROM room WHERE number = $1", 9)
        round_trip.add(RENAME, 1, "black")
        await round_trip.send()
    assert [dict(row) for row in before] == [{"number": 1, "loud": "BLUE"}, {"number": 2, "loud": "RED"}]
    assert ([dict(row) for row in added], nothing) == ([{"number": 3, "name": "green"}], [])
    assert [row["name"] for row in await connection.fetch("TABLE room ORDER BY number")] == ["black", "red", "green"]
    assert len(asked) == 1, "one round trip"
    await connection.close()


async def test_one_query_alone_is_sent_as_it_is(engine: Engine) -> None:
    connection = await _tables(engine)
    await connection.execute(ROOM, [1], ["blue"])
    async with Statements(connection) as round_trip:
        rows = round_trip.read("number, loud", READ, [1])
    assert [dict(row) for row in rows] == [{"number": 1, "loud": "BLUE"}]
    await connection.close()


@contextmanager
def _listening(connection: Any, asked: list[str]) -> Iterator[None]:
    def note(logged: Any) -> None:
        if "room" in logged.query:  # asyncpg asks what an array of records is, once a connection
            asked.append(logged.query)

    connection.add_query_logger(note)
    yield
    connection.remove_query_logger(note)


async def test_of_a_round_that_breaks_a_rule_nothing_is_written(engine: Engine) -> None:
    connection = await _tables(engine)
    writes = Statements(connection)
    writes.add(ROOM, [1], ["blue"])
    writes.add(SEAT, [3], [7])
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await writes.send()
    assert await connection.fetch("TABLE room") == []
    await connection.close()


async def test_what_was_gathered_is_not_sent_where_its_cause_failed(engine: Engine) -> None:
    connection = await _tables(engine)
    with suppress(RuntimeError):
        async with Statements(connection) as writes:
            writes.add(ROOM, [1], ["blue"])
            raise RuntimeError
    assert await connection.fetch("TABLE room") == []
    await connection.close()
