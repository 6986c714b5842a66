"""Which bookings each customer has completed, in a file of SQLite."""

from __future__ import annotations

import sqlite3
from uuid import UUID

_TABLE = """
CREATE TABLE IF NOT EXISTS done (number INTEGER PRIMARY KEY, booking_id TEXT NOT NULL UNIQUE, customer_id TEXT NOT NULL)
"""
_REMEMBER = "INSERT INTO done (booking_id, customer_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
_WHICH = """
SELECT count(*) FROM done AS earlier JOIN done AS this ON this.booking_id = ?
WHERE earlier.customer_id = this.customer_id AND earlier.number <= this.number
"""


class BookingsDone:
    """Survives a restart; `path` is the file, or `:memory:` for a test."""

    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(path)
        self._database.execute(_TABLE)

    def which(self, booking_id: UUID, customer_id: str) -> int:
        """Whether it is the customer's first, second, … completed booking; the same answer when it is told again."""
        with self._database:
            self._database.execute(_REMEMBER, (str(booking_id), customer_id))
        (number,) = self._database.execute(_WHICH, (str(booking_id),)).fetchone()
        return int(number)
