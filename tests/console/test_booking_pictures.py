"""The pictures of a booking's page, and lists that end: numbers alone, no database (requirement console)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from services.booking.model.states import TRANSITIONS, State
from services.operations.console import pictures
from services.operations.console.reads.clocks import Both, Clocks
from services.operations.console.reads.few import LOOKED_AT, SHOWN, Few, few
from services.operations.console.reads.states import PLACES, Stay, stays, steps, way
from services.operations.console.reads.timeline.marks import Kind, Lane, Mark
from services.operations.console.reads.timeline.whole import Timeline

NOON = datetime(2031, 5, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.requirement("console")


def after(**delta: float) -> datetime:
    return NOON + timedelta(**delta)


def history(*entered: tuple[str | None, str]) -> Few:
    rows = [
        {"from_state": before, "to_state": to, "at": after(minutes=number)}
        for number, (before, to) in enumerate(entered)
    ]
    return Few(rows)


def test_every_state_has_a_place_of_its_own_and_every_step_a_line() -> None:
    assert PLACES.keys() == set(State)
    assert len(set(PLACES.values())) == len(State)
    drawn = set(steps())
    for before, following in TRANSITIONS.items():
        for after_it in following:
            taken = [Stay(before, NOON, NOON), Stay(after_it, NOON, None)]
            lines = pictures.states(taken).lines
            assert [line.taken for line in lines].count(True) == 1
            assert len(lines) == len(drawn | {(before, after_it)})


def test_the_way_that_was_taken() -> None:
    found = stays(
        history(
            (None, "PENDING_PAYMENT"),
            ("PENDING_PAYMENT", "CONFIRMED"),
            ("CONFIRMED", "CONFIRMED"),
            ("CONFIRMED", "CANCELLED_BY_ADMIN"),
        )
    )
    assert [(stay.state, stay.seconds) for stay in found] == [
        (State.PENDING_PAYMENT, 60.0),
        (State.CONFIRMED, 120.0),
        (State.CANCELLED_BY_ADMIN, None),
    ]
    assert way(found) == {
        (State.PENDING_PAYMENT, State.CONFIRMED),
        (State.CONFIRMED, State.CANCELLED_BY_ADMIN),
    }
    kinds = {box.state: box.kind for box in pictures.states(found).boxes}
    assert (kinds[State.CONFIRMED], kinds[State.CANCELLED_BY_ADMIN], kinds[State.EXPIRED]) == ("been", "now", "")
    assert pictures.states([]).lines, "a booking whose database is away has a picture, too"


def mark(at: datetime, label: str = "x", sender: Lane = Lane.CALLER, hearer: Lane = Lane.BOOKING) -> Mark:
    return Mark(at, sender, hearer, Kind.MESSAGE, label)


def test_lanes_run_downwards_and_say_long_pauses() -> None:
    marks = [
        mark(NOON),
        mark(after(milliseconds=40), "y" * 80, Lane.BOOKING, Lane.PEOPLE),
        mark(after(days=2), sender=Lane.BOOKING),
    ]
    drawn = pictures.lanes(Timeline(marks))
    assert [name for name, _ in drawn.lanes] == list(Lane)
    assert [x for _, x in drawn.lanes] == sorted({x for _, x in drawn.lanes})
    assert [arrow.y for arrow in drawn.arrows] == sorted({arrow.y for arrow in drawn.arrows})
    assert [arrow.pause for arrow in drawn.arrows] == [None, None, 2 * 86400 - 0.04]
    assert [arrow.after for arrow in drawn.arrows] == [0, 0.04, 2 * 86400]
    assert len(drawn.arrows[1].label) == pictures.LONGEST_LABEL
    assert [arrow.stays for arrow in drawn.arrows] == [False, False, True]
    assert pictures.lanes(Timeline([])).arrows == []


def test_a_list_has_its_latest_rows_and_says_how_many_are_left_out() -> None:
    rows = [{"number": number} for number in range(LOOKED_AT)]
    assert few(rows[:SHOWN]).said == ""
    some = few(rows[: SHOWN + 3])
    assert (some.rows[0]["number"], some.said) == (3, "and 3 earlier ones")
    assert few(rows, uncounted=True).said == f"and {LOOKED_AT - SHOWN} or more earlier ones"


def made(at: datetime) -> UUID:
    return UUID(int=int(at.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62)


def test_what_the_machines_clock_says_is_put_where_the_services_clock_was() -> None:
    clocks = Clocks([Both(NOON, after(hours=1)), Both(after(minutes=10), after(days=1, minutes=10))])
    assert clocks.of(after(minutes=-1)) == after(minutes=59)
    assert clocks.of(after(minutes=1)) == after(hours=1, minutes=1)
    assert clocks.of(after(minutes=11)) == after(days=1, minutes=11)
    assert clocks.of(after(minutes=9)) == after(days=1, minutes=9), "it came just before it was handled"
    assert clocks.made(made(after(minutes=1))) == after(hours=1, minutes=1)
    assert clocks.made(uuid4()) is None, "an id that does not say when it was made"
    assert Clocks().of(NOON) == NOON
    assert Clocks([Both(NOON, after(seconds=5))]).of(NOON) == NOON, "clocks differ a little"
