"""The relay's reading: no row is lost, whatever the order in which transactions commit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.outbox_cursor import GIVE_UP_SECONDS, OutboxCursor


class Table:
    """An outbox: ids are allocated in order and become visible in any order, or never."""

    def __init__(self) -> None:
        self.visible: set[int] = set()

    def read(self, cursor: OutboxCursor, now: float, limit: int) -> list[int]:
        floor, missing = cursor.window(now)
        found = sorted(row for row in self.visible if row > floor or row in missing)[:limit]
        cursor.saw(found, now)
        self.visible -= set(found)  # published and deleted before the next window
        return found


@pytest.mark.requirement("outbox")
@given(
    commits=st.lists(st.tuples(st.integers(1, 40), st.booleans()), max_size=40, unique_by=lambda pair: pair[0]),
    late_start=st.booleans(),
    limit=st.integers(1, 7),
)
def test_every_committed_row_is_read_once(commits: list[tuple[int, bool]], late_start: bool, limit: int) -> None:
    """`commits` is the order in which rows become visible; False rolls back. A late start finds the table idle."""
    cursor, table, read, now = OutboxCursor(0.0, 0), Table(), list[int](), 61.0 if late_start else 1.0
    for row, committed in commits:
        if committed:
            table.visible.add(row)
        read += table.read(cursor, now, limit)
        now += 0.5
    while found := table.read(cursor, now, limit):
        read += found
    assert sorted(read) == sorted(row for row, committed in commits if committed)


def test_a_gap_is_given_up_after_the_longest_transaction() -> None:
    cursor = OutboxCursor(0.0, allocated=1)
    assert cursor.window(100.0) == (0, [])
    cursor.saw([5], 100.0)
    assert cursor.window(100.0 + GIVE_UP_SECONDS - 0.1) == (5, [2, 3, 4])
    assert cursor.window(100.0 + GIVE_UP_SECONDS) == (0, []), "and once a minute everything is looked through"
    assert cursor.window(100.1 + GIVE_UP_SECONDS) == (5, [])
