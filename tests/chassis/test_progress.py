"""A consumer that has records to fetch and fetches none is noticed; one that waits for the database is not blamed."""

from __future__ import annotations

from services.chassis.progress import Progress

P, Q = ("t", 0), ("t", 1)


def test_records_that_nobody_fetches_are_noticed() -> None:
    progress = Progress()
    for now in (0.0, 30.0, 61.0):
        progress.saw(now, {P: 5, Q: 7}, {P: 9, Q: 7}, excused=False)
    assert progress.stalled_seconds(61.0) == 61.0


def test_a_partition_that_moves_or_has_nothing_to_give_is_no_stall() -> None:
    progress = Progress()
    for now, here in ((0.0, 5), (30.0, 6), (61.0, 7)):
        progress.saw(now, {P: here, Q: 7}, {P: 900, Q: 7}, excused=False)
    assert progress.stalled_seconds(61.0) == 0.0


def test_a_loop_that_waits_for_the_database_is_excused() -> None:
    progress = Progress()
    progress.saw(0.0, {P: 5}, {P: 9}, excused=False)
    progress.saw(50.0, {P: 5}, {P: 9}, excused=True)
    progress.saw(61.0, {P: 5}, {P: 9}, excused=False)
    assert progress.stalled_seconds(61.0) == 0.0


def test_a_partition_that_was_given_up_is_forgotten() -> None:
    progress = Progress()
    progress.saw(0.0, {P: 5}, {P: 9}, excused=False)
    progress.saw(61.0, {Q: 0}, {Q: 0}, excused=False)
    assert progress.stalled_seconds(61.0) == 0.0
