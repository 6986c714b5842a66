"""How far behind a replica is, in time: counted from when it saw that there is more (requirement observability)."""

from __future__ import annotations

import pytest

from services.chassis.behind import Behind
from services.chassis.offsets import Partition

pytestmark = pytest.mark.requirement("observability")
ONE: Partition = ("t", 0)
TWO: Partition = ("t", 1)


class Watched:
    """A Behind whose time the test sets."""

    def __init__(self) -> None:
        self.now = 0.0
        self.behind = Behind(lambda: self.now)

    def saw(self, now: float, here: dict[Partition, int], ends: dict[Partition, int]) -> float:
        self.now = now
        return self.behind.saw(here, ends).get("t", 0.0)


def test_who_has_handled_all_is_not_behind() -> None:
    watched = Watched()
    assert [watched.saw(now, {ONE: now}, {ONE: now}) for now in (0, 5, 10)] == [0, 0, 0]


def test_what_is_not_handled_counts_from_when_it_was_first_seen() -> None:
    watched = Watched()
    watched.saw(0, {ONE: 5}, {ONE: 5})
    assert [watched.saw(now, {ONE: 5}, {ONE: 6 + now}) for now in (10, 15, 40)] == [0, 5, 30]


def test_who_keeps_up_a_little_late_is_as_late_as_that() -> None:
    watched = Watched()
    found = [watched.saw(now, {ONE: max(0, now - 20)}, {ONE: now}) for now in range(0, 100, 5)]
    assert found[-1] == 15


def test_many_records_that_are_handled_at_once_are_not_late() -> None:
    watched = Watched()
    watched.saw(0, {ONE: 0}, {ONE: 1_000_000})
    assert watched.saw(5, {ONE: 1_000_000}, {ONE: 2_000_000}) == 0


def test_the_partition_that_is_furthest_behind_tells() -> None:
    watched = Watched()
    watched.saw(0, {ONE: 0, TWO: 0}, {ONE: 1, TWO: 1})
    watched.saw(30, {ONE: 1, TWO: 0}, {ONE: 2, TWO: 1})
    assert watched.saw(50, {ONE: 1, TWO: 0}, {ONE: 2, TWO: 1}) == 50


def test_a_partition_that_went_elsewhere_is_forgotten() -> None:
    watched = Watched()
    watched.saw(0, {ONE: 0}, {ONE: 1})
    watched.saw(50, {}, {})
    assert watched.saw(60, {ONE: 0}, {ONE: 1}) == 0


def test_a_day_of_standstill_is_a_day_in_bounded_memory() -> None:
    watched = Watched()
    for now in range(0, 86_400, 5):
        late = watched.saw(now, {ONE: 0}, {ONE: now + 1})
    assert late == 86_395
    assert len(watched.behind._ends[ONE]) < 1000
    assert watched.saw(86_400, {ONE: 43_200}, {ONE: 86_401}) == pytest.approx(43_200, rel=0.02)


def test_time_goes_on_while_nobody_knows_what_is_handled() -> None:
    """The database is away: what was waited for is waited for still."""
    watched = Watched()
    watched.saw(0, {ONE: 5}, {ONE: 5})
    watched.saw(10, {ONE: 5}, {ONE: 6})
    assert [watched.saw(now, {}, {ONE: 7}) for now in (20, 40)] == [10, 30]
    assert watched.saw(50, {ONE: 6}, {ONE: 7}) == 30
