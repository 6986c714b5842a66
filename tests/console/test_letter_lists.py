"""Dead letters by the hundred thousand: a page looks at so many of them and no more, and the next one goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from services.chassis.database import READS, Connection, connect
from services.chassis.dead_letter_selection import BEFORE_ALL, Wanted
from services.operations.console.reads import letter_lists as lists
from tests.chassis.harness import Engine
from tests.console.conftest import Visit, named
from tests.operations.conftest import engine

__all__ = ["engine"]
pytestmark = pytest.mark.requirement("console")
MANY = lists.LOOKED + lists.LOOKED // 2
LETTERS = """
INSERT INTO dead_letter (id, topic, partition, "offset", kind, key, type, error, headers, body, status, created_at)
SELECT gen_random_uuid(), $1, 0, n, $2, convert_to('key-' || n, 'UTF8'), $3, $4, '[]', '', $5,
       timestamptz '2030-01-01' + make_interval(secs => n) + $6::int * interval '1 day'
FROM generate_series(1, $7) n
"""


async def put(engine: Engine, kind: str, type_: str, many: int, *, day: int, status: str = "open") -> None:
    """So many letters of one day, by their type; each raised what it is called."""
    error = f"Traceback\n  somewhere\nValueError: {type_}\n"
    await engine.fetch(LETTERS, type_, kind, type_, error, status, day, many)


@pytest.fixture
async def reading(databases: dict[str, str], engine: Engine) -> AsyncIterator[Connection]:
    connection = await connect(databases["BOOKING_DATABASE_URL"], "console", READS)
    await put(engine, "failed", "common", MANY, day=0)
    await put(engine, "unread", "rare", 3, day=1)
    yield connection
    await connection.close()


@pytest.mark.parametrize("wanted", [Wanted(type="rare"), Wanted(error="rare"), Wanted(kind="unread")], ids=str)
async def test_what_no_index_knows_is_looked_for_in_so_many_at_a_time(reading: Connection, wanted: Wanted) -> None:
    first = await lists.listed(reading, wanted)
    assert first.rows == []
    assert first.after is not None
    second = await lists.listed(reading, wanted, first.after)
    assert [row["type"] for row in second.rows] == ["rare"] * 3
    assert second.after is None
    assert str(await lists.count(reading, wanted)) == "0+", "it does not go to the end to count"
    assert list(await lists.kinds(reading, wanted)) == []


async def test_what_an_index_knows_is_found_at_once(reading: Connection) -> None:
    (one,) = (await lists.listed(reading, Wanted(key=f"key-{MANY}"))).rows
    assert one["type"] == "common"
    assert str(await lists.count(reading, Wanted(key=f"key-{MANY}"))) == "1"
    (kind,) = await lists.kinds(reading, Wanted(key=f"key-{MANY}"))
    assert tuple(kind) == (1, "failed", "common", "ValueError: common")
    assert str(await lists.count(reading, Wanted())) == f"{lists.COUNTED}+"


async def test_pages_follow_each_other_to_the_end(reading: Connection) -> None:
    seen, place = [], BEFORE_ALL
    while True:
        page = await lists.listed(reading, Wanted(type="common"), place)
        seen += [row["id"] for row in page.rows]
        if page.after is None:
            break
        place = page.after
    rows = await reading.fetch("SELECT id FROM dead_letter WHERE type = 'common' ORDER BY created_at, id")
    assert seen == [row["id"] for row in rows]


async def test_those_dealt_with_and_refused_ones_are_among_all_in_order(
    engine: Engine, databases: dict[str, str]
) -> None:
    for day, (kind, status) in enumerate(
        [("refused", "open"), ("failed", "redriven"), ("failed", "open"), ("refused", "discarded"), ("unread", "open")]
    ):
        await put(engine, kind, f"{kind} {status}", 1, day=day, status=status)
    connection = await connect(databases["BOOKING_DATABASE_URL"], "console", READS)

    async def types(wanted: Wanted) -> list[str]:
        found = [row["type"] for row in (await lists.listed(connection, wanted)).rows]
        assert (await lists.count(connection, wanted)).count == len(found)
        assert {row["type"] for row in await lists.kinds(connection, wanted)} == set(found)
        return found

    try:
        every = ["refused open", "failed redriven", "failed open", "refused discarded", "unread open"]
        assert await types(Wanted(every=True)) == every
        assert await types(Wanted()) == ["failed open", "unread open"]
        assert await types(Wanted(kind="refused")) == ["refused open"]
        assert await types(Wanted(kind="refused", every=True)) == ["refused open", "refused discarded"]
        assert await types(Wanted(kind="failed", every=True)) == ["failed redriven", "failed open"]
    finally:
        await connection.close()


async def test_a_page_without_a_row_says_that_the_list_goes_on(
    visit: Visit, databases: dict[str, str], reading: Connection
) -> None:
    vera = await visit("vera", databases=named(databases))
    page = await vera.shown("/letters?service=booking&type=rare")
    assert "the list goes on" in page
    assert 'rel="next"' in page
