"""Which outbox rows to read next, so that no late commit is missed (engine.md, Outbox and relay).

Ids are allocated before they are visible, so `id > seen` alone loses rows whose transaction commits late. The cursor
remembers the ids it has skipped and asks for them again, for 60 s: longer than any transaction of ours can live. For
those of others (a psql session) everything is looked through once a minute.
"""

from __future__ import annotations

from collections.abc import Sequence

GIVE_UP_SECONDS = 60.0


class OutboxCursor:
    """Pure bookkeeping; `now` is a monotonic time in seconds, `allocated` the last id given out at the start."""

    def __init__(self, now: float, allocated: int) -> None:
        self._started = self._swept = now
        self._seen = allocated
        self._missing: dict[int, float] = {}

    def window(self, now: float) -> tuple[int, list[int]]:
        """(floor, missing): read the rows with id > floor, and those of missing.

        In the first minute, and once a minute after it, the floor is 0, a full scan: what was allocated before the
        start may still commit. The caller deletes what it has published before it reads such a window.
        """
        if now - self._started < GIVE_UP_SECONDS or now - self._swept >= GIVE_UP_SECONDS:
            self._swept = now
            return 0, []
        self._missing = {row: since for row, since in self._missing.items() if now - since < GIVE_UP_SECONDS}
        return self._seen, sorted(self._missing)

    def saw(self, ids: Sequence[int], now: float) -> None:
        """Rows that were read, in rising order of id."""
        for row in ids:
            if row > self._seen:
                self._missing.update(dict.fromkeys(range(self._seen + 1, row), now))
                self._seen = row
            else:
                self._missing.pop(row, None)
