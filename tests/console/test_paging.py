"""Pages of lists beside their rows, and what an address asks for: unit tests (requirement console)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast
from uuid import uuid4
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from aiohttp.test_utils import make_mocked_request
from booking_contracts.envelope import uuid7
from hypothesis import example, given
from hypothesis import strategies as st

from services.booking.model.states import State
from services.chassis.problems import Problem
from services.operations.console import asked
from services.operations.console.reads.log import first_id
from services.operations.console.reads.paging import BY_ID, BY_TIME, LOOKED, PAGE, Cursor, Page, Walk
from services.operations.console.reads.views import local
from services.operations.console.reads.week import midnight, week_of

pytestmark = pytest.mark.requirement("console")


def read(rows: list[int], walk: Walk, fits: Callable[[int], bool]) -> Page[int]:
    """As PostgreSQL answers such a statement about a table of numbers."""
    beyond = [
        one
        for one in sorted(rows, reverse=walk.down)
        if walk.at is None or (one < walk.at.place[0] if walk.down else one > walk.at.place[0])
    ]
    found = [{"number": one, "fits": fits(one)} for one in beyond[: walk.limit]]
    return walk.page(cast(list[asyncpg.Record], found), lambda row: int(row["number"]))


@given(st.integers(0, 3 * LOOKED), st.booleans(), st.integers(1, 400))
@example(3 * PAGE + 1, False, 1)
@example(3 * LOOKED - 1, True, 3)
@example(2 * LOOKED, False, 700)
def test_a_list_is_gone_through_forth_and_back_and_each_row_comes_once(count: int, newest: bool, every: int) -> None:
    def of(at: Cursor | None) -> Page[int]:
        walk = Walk(("number",), at, newest)
        walk.narrow("number % {} = 0", every if every > 1 else None, indexed=False)
        return read(list(range(count)), walk, lambda number: number % every == 0)

    wanted = sorted(range(0, count, every), reverse=newest)
    page = of(None)
    forth = [*page.items]
    while page.next is not None:
        page = of(page.next)
        assert len(page.items) <= PAGE
        forth += page.items
    assert forth == wanted
    back = [*page.items]
    none_behind = page.previous is None and len(forth) > len(back)  # the last page began behind the last row
    while page.previous is not None:
        page = of(page.previous)
        back = [*page.items, *back]
    assert none_behind or back == wanted


def test_a_cursor_is_read_as_it_was_written() -> None:
    place = (datetime(2030, 1, 1, tzinfo=UTC), uuid4())
    for back in (True, False):
        assert Cursor.read(str(Cursor(place, back)), BY_TIME) == Cursor(place, back)


@pytest.mark.parametrize(
    "text", ["", "x", "e30=", "W10=", "WzEsMl0=", "WzEsInh4Il0=", "W" * 3000, "ÿ", str(Cursor((uuid4(), uuid4())))]
)
def test_what_no_page_has_given_is_no_cursor(text: str) -> None:
    with pytest.raises(ValueError, match="not one of an earlier page"):
        Cursor.read(text, BY_ID)


def request(query: str) -> Any:
    return make_mocked_request("GET", f"/bookings?{query}")


def test_a_field_that_was_left_empty_asks_for_nothing() -> None:
    empty = request("a=+")
    assert [ask(empty, "a") for ask in (asked.uuid, asked.instant, asked.day, asked.text)] == [None] * 4
    assert asked.choices(empty, "a", list(State)) == ()


def test_instants_without_a_zone_are_utc_and_choices_come_with_commas() -> None:
    given_ = request("from=2030-01-01T09:00&to=2030-01-01T09:00%2B02:00&state=EXPIRED,CONFIRMED,EXPIRED")
    since, until = asked.instant(given_, "from"), asked.instant(given_, "to")
    assert (since, until) == (datetime(2030, 1, 1, 9, tzinfo=UTC), datetime(2030, 1, 1, 7, tzinfo=UTC))
    assert asked.choices(given_, "state", list(State)) == (State.EXPIRED, State.CONFIRMED)


@pytest.mark.parametrize(
    ("ask", "spoilt"),
    [
        (asked.uuid, "7"),
        (asked.instant, "9999-12-31T23:59:59-14:00"),
        (asked.instant, "yesterday"),
        (asked.day, "2030-02-30"),
        (asked.day, "9999-12-31"),
        (asked.text, "x" * 300),
        (lambda of, name: asked.choice(of, name, list(State)), "EXPIRED,CONFIRMED"),
        (lambda of, name: asked.choices(of, name, list(State)), "LOST"),
    ],
)
def test_what_cannot_be_read_is_said(ask: Callable[[Any, str], object], spoilt: str) -> None:
    with pytest.raises(Problem) as refused:
        ask(request(f"field={spoilt}"), "field")
    assert (refused.value.status, refused.value.detail[:5]) == (400, "field")


def test_weeks_begin_on_mondays_and_days_at_midnight_of_their_zone() -> None:
    assert week_of(date(2030, 1, 6)) == week_of(date(2029, 12, 31)) == date(2029, 12, 31)
    berlin, cairo, havana = ZoneInfo("Europe/Berlin"), ZoneInfo("Africa/Cairo"), ZoneInfo("America/Havana")

    def hours(day: date, zone: ZoneInfo) -> float:
        return (midnight(day + timedelta(days=1), zone) - midnight(day, zone)) / timedelta(hours=1)

    assert [hours(date(2025, 3, day), berlin) for day in (29, 30, 31)] == [24, 23, 24]
    assert hours(date(2025, 10, 26), berlin) == 25
    assert hours(date(2025, 4, 25), cairo) == 23, "there is no midnight that day"
    assert midnight(date(2025, 4, 25), cairo).astimezone(cairo).hour == 1
    assert hours(date(2025, 11, 2), havana) == 25, "midnight comes twice, and the first one counts"


def test_ids_of_log_entries_are_between_the_first_ids_of_their_times() -> None:
    now = datetime.now(UTC)
    assert first_id(now - timedelta(seconds=1)) < uuid7() < first_id(now + timedelta(seconds=1))


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "https://evil.example", "", "/a b", "/ä", "x"])
def test_a_view_is_a_page_of_the_console(path: str) -> None:
    assert not local(path)
    assert local("/bookings?state=EXPIRED,CONFIRMED&customer=a%20b")
