"""Statements that go to the database together."""

from __future__ import annotations

from contextlib import suppress

import asyncpg
import pytest

from services.chassis.database import connect
from services.chassis.writes import Writes
from tests.chassis.harness import Engine

TABLES = """
CREATE TEMPORARY TABLE room (number int PRIMARY KEY, name text);
CREATE TEMPORARY TABLE seat (room int REFERENCES room, row int, PRIMARY KEY (room, row))
"""
ROOM = "INSERT INTO room SELECT * FROM unnest($1::int[], $2::text[])"
SEAT = "INSERT INTO seat SELECT * FROM unnest($1::int[], $2::int[])"
RENAME = "UPDATE room SET name = $2 WHERE number = $1"


async def _tables(engine: Engine) -> asyncpg.Connection[asyncpg.Record]:
    connection = await connect(engine.session.url, "writes")
    await connection.execute(TABLES)
    return connection


async def test_what_is_added_goes_as_one_statement_each_with_its_own_values(engine: Engine) -> None:
    connection = await _tables(engine)
    writes = Writes(connection)
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


async def test_of_a_round_that_breaks_a_rule_nothing_is_written(engine: Engine) -> None:
    connection = await _tables(engine)
    writes = Writes(connection)
    writes.add(ROOM, [1], ["blue"])
    writes.add(SEAT, [3], [7])
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await writes.send()
    assert await connection.fetch("TABLE room") == []
    await connection.close()


async def test_what_was_gathered_is_not_sent_where_its_cause_failed(engine: Engine) -> None:
    connection = await _tables(engine)
    with suppress(RuntimeError):
        async with Writes(connection) as writes:
            writes.add(ROOM, [1], ["blue"])
            raise RuntimeError
    assert await connection.fetch("TABLE room") == []
    await connection.close()
