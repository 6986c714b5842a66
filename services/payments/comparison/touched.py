"""What a round of the comparison looks at, and how far it comes with that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

import asyncpg

from services.chassis.database import Connection, Pool
from services.payments.comparison import standings
from services.payments.comparison.movements import DAYS
from services.payments.model.comparison import Watched

SLICE = 200
"""Subjects, bookings or customers in one snapshot."""
NEWEST, AGAIN = 20_000, 2_000
"""At most so many new movements, new entries and old movements in a round."""


@dataclass(slots=True)
class Touched:
    """Stripe's objects by their ids (and movements by theirs), bookings, customers."""

    subjects: set[str] = field(default_factory=set)
    bookings: set[UUID] = field(default_factory=set)
    customers: set[str] = field(default_factory=set)

    def add(self, found: Iterable[Watched]) -> None:
        """What did not agree before is looked at again."""
        for one in found:
            of = one.found.of
            self.subjects.add(of.subject)
            if of.booking_id is not None:
                self.bookings.add(of.booking_id)
            if of.customer_id is not None:
                self.customers.add(of.customer_id)

    def slices(self) -> Iterator[Touched]:
        """The same in small parts."""
        subjects, bookings, customers = iter(self.subjects), iter(self.bookings), iter(self.customers)
        while True:
            part = Touched(set(islice(subjects, SLICE)), set(islice(bookings, SLICE)), set(islice(customers, SLICE)))
            if part == Touched():
                return
            yield part


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a round comes: the last movement, the last entry, and where in the last days it was; `all_posted`
    is whether no entry is left."""

    line: int
    entry_seen: int
    again_from: datetime
    again_line: int
    all_posted: bool


async def touched(pool: Pool, state: asyncpg.Record, now: datetime) -> tuple[Touched, Reach]:
    """What moved at Stripe and what was posted since the last round, and the next slice of the last days."""
    found = Touched()
    new = await pool.fetch(
        "SELECT line, subject FROM stripe_movement WHERE line > $1 ORDER BY line LIMIT $2", state["line"], NEWEST
    )
    posted = await standings.posted_since(pool, state["entry"], NEWEST)
    since = now - timedelta(days=DAYS)
    old = await pool.fetch(
        """
        SELECT subject, created_at, line FROM stripe_movement WHERE (created_at, line) > ($1, $2)
        ORDER BY created_at, line LIMIT $3
        """,
        max(state["again_from"] or since, since),
        state["again_line"],
        AGAIN,
    )
    found.subjects.update(row["subject"] for row in (*new, *old))
    found.subjects.update(posted.disputes)
    found.bookings.update(posted.bookings)
    found.customers.update(posted.customers)
    more = len(old) == AGAIN
    line = new[-1]["line"] if new else state["line"]
    return found, Reach(
        line,
        max(posted.last, state["entry_seen"]),
        old[-1]["created_at"] if more else since,
        old[-1]["line"] if more else 0,
        posted.count < NEWEST,
    )


async def reach(connection: Connection, state: asyncpg.Record, reached: Reach, compared: int) -> None:
    """Where the next round goes on.

    Entries are looked at in two rounds, and summed up after that: a lower number may commit later, but not by a minute.
    """
    await connection.execute(
        """
        INSERT INTO stripe_total AS t (currency, clearing_minor)
        SELECT currency, sum(amount_minor) FROM ledger_entry
        WHERE account = 'stripe:clearing' AND entry_id > $1 AND entry_id <= $2 GROUP BY currency
        ON CONFLICT (currency) DO UPDATE SET clearing_minor = t.clearing_minor + excluded.clearing_minor
        """,
        state["entry"],
        state["entry_seen"],
    )
    await connection.execute(
        """
        UPDATE comparison_state
        SET line = $1, entry = $2, entry_seen = $3, again_from = $4, again_line = $5, ended_at = statement_timestamp(),
            compared = $6
        """,
        reached.line,
        state["entry_seen"],
        reached.entry_seen,
        reached.again_from,
        reached.again_line,
        compared,
    )
