"""Whether what waits is handled; a busy replica has no excuse (requirement health)."""

from __future__ import annotations

import pytest

from services.chassis.offsets import Partition
from services.chassis.progress import Progress

pytestmark = pytest.mark.requirement("health")
ONE: Partition = ("t", 0)
TWO: Partition = ("t", 1)


class Watched:
    """A Progress whose time the test sets."""

    def __init__(self) -> None:
        self.now = 0.0
        self.progress = Progress(lambda: self.now)

    def at(self, now: float) -> Progress:
        self.now = now
        return self.progress


def test_a_partition_that_ends_where_the_replica_stands_waits_for_nothing() -> None:
    watched = Watched()
    watched.at(0).saw({ONE: 5}, {ONE: 5})
    assert watched.at(3600).stalled_seconds() == 0


def test_records_that_nobody_handles_are_counted_from_when_they_were_seen() -> None:
    watched = Watched()
    for now in (0, 5, 10):
        watched.at(now).saw({ONE: 1}, {ONE: 9})
    assert watched.at(12).stalled_seconds() == 12


def test_one_partition_that_stands_still_is_seen_beside_one_that_moves() -> None:
    watched = Watched()
    for now in range(0, 400, 5):
        watched.at(now).saw({ONE: 1, TWO: now}, {ONE: 9, TWO: now + 1})
    assert watched.progress.stalled_seconds() == 395


def test_a_step_is_progress_although_more_waits() -> None:
    watched = Watched()
    watched.at(0).saw({ONE: 1}, {ONE: 9})
    watched.at(50).saw({ONE: 2}, {ONE: 20})
    assert watched.at(60).stalled_seconds() == 10


def test_a_partition_that_went_elsewhere_is_forgotten() -> None:
    watched = Watched()
    watched.at(0).saw({ONE: 1}, {ONE: 9})
    watched.at(50).saw({}, {})
    assert watched.at(60).stalled_seconds() == 0


def test_due_rows_that_come_to_nothing_are_counted_until_one_is_handled() -> None:
    watched = Watched()
    watched.at(0).saw_due(waiting=True, handled=False)
    watched.at(100).saw_due(waiting=True, handled=False)
    assert watched.at(100).stalled_seconds() == 100
    watched.at(101).saw_due(waiting=True, handled=True)
    assert watched.at(400).stalled_seconds() == 0


def test_an_outage_of_others_is_no_standstill() -> None:
    watched = Watched()
    watched.at(0).saw({ONE: 1}, {ONE: 9})
    watched.at(0).saw_due(waiting=True, handled=False)
    watched.at(200).forget()
    assert watched.at(400).stalled_seconds() == 0
