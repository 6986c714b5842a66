"""What was written of late, by whom- and however: each row carries the transaction that wrote it (xmin).

So a row is looked at soon also where no trigger ran and no time in it has moved. A round reads the tables through, the
headers of their rows alone, stretch by stretch; a table into which nothing was written since the round before is left
out. Rows that are gone carry nothing: where PostgreSQL has counted a deletion in a table that is never deleted from, a
pass is made at once.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from services.operations.auditor.databases import Databases
from services.operations.auditor.scope import Id

PAGES = 8192
"""Of one look: 64 MiB."""
MOST_ROWS = 20_000
"""Of one look; more are left to the pass."""


@dataclass(frozen=True, slots=True)
class Table:
    """`keys`: whose row it is, by the names that checks have (check_types.py), each as SQL. `kept`: nothing is ever
    deleted from it."""

    service: str
    name: str
    keys: Mapping[str, str]
    kept: bool = True


BOOKING_ID = {"booking_id": "booking_id"}
OF_ACCOUNT = {
    "booking_id": "substring(account FROM '^escrow:([0-9a-f-]{36})$')::uuid",
    "customer_id": "substring(account FROM '^wallet:(.*):(?:available|locked)$')",
}
TABLES = (
    Table("booking", "booking", {**BOOKING_ID, "slot_id": "slot_id"}),
    Table("booking", "booking_history", BOOKING_ID),
    Table("booking", "saga", BOOKING_ID),
    Table("booking", "slot", {"slot_id": "slot_id"}),
    Table("booking", "waitlist_entry", {"slot_id": "slot_id"}),
    Table("payments", "payment", BOOKING_ID),
    Table("payments", "ledger_transaction", {"transaction_id": "transaction_id"}),
    Table("payments", "ledger_entry", {"transaction_id": "transaction_id", **OF_ACCOUNT}),
    Table("payments", "ledger_balance", OF_ACCOUNT),
    Table("notifications", "known_booking", BOOKING_ID),
)
WRITTEN = """
SELECT s.relname, s.n_tup_ins + s.n_tup_upd AS written, s.n_tup_del AS deleted,
       pg_relation_size(s.relid) / current_setting('block_size')::int AS pages
FROM pg_stat_user_tables s WHERE s.relname = ANY($1)
"""
HORIZON = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon"
CHANGED = """
SELECT DISTINCT {keys} FROM {table}
WHERE ctid >= ('(' || $1 || ',0)')::tid AND ctid < ('(' || $2 || ',0)')::tid
  AND age(xmin) BETWEEN 0 AND (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint - $3) LIMIT {most}
"""


@dataclass(slots=True)
class _Known:
    """Of one table: everything before transaction `since` has been looked at; what PostgreSQL had counted then."""

    since: int
    written: int = -1
    deleted: int = -1


@dataclass(slots=True)
class Recent:
    """Goes round the tables; after a round that failed the next one sees what it would have seen.

    `changed` are the keys of rows that were written since the round before, by their names; `deleted` names whose rows
    are gone.
    """

    databases: Databases
    changed: defaultdict[str, set[Id]] = field(default_factory=lambda: defaultdict(set))
    deleted: set[str] = field(default_factory=set)
    _known: dict[str, _Known] = field(default_factory=dict)

    async def round(self) -> AsyncIterator[tuple[str, float]]:
        """One round; yields after every stretch which table it was and how long it took. The first one only notes where
        the next begins. Raises one of AMISS."""
        for service in dict.fromkeys(table.service for table in TABLES):
            ((horizon,),) = await self.databases.fetch(service, HORIZON)
            tables = {table.name: table for table in TABLES if table.service == service}
            for row in await self.databases.fetch(service, WRITTEN, list(tables)):
                table, known = tables[row["relname"]], self._known.get(row["relname"])
                set_back = known is not None and horizon < known.since
                if known is not None and table.kept and (set_back or row["deleted"] > known.deleted):
                    self.deleted.update(table.keys)
                if set_back:  # its next transactions have numbers that were looked at in the life that is forgotten
                    known = None
                if known is not None and row["written"] != known.written:
                    async for seconds in self._read(table, row["pages"], known.since):
                        yield table.name, seconds
                if known is None or row["written"] != known.written:
                    known = self._known[table.name] = _Known(horizon, row["written"])
                known.deleted = row["deleted"]

    async def _read(self, table: Table, pages: int, since: int) -> AsyncIterator[float]:
        keys = ", ".join(f"{sql} AS {name}" for name, sql in table.keys.items())
        statement = CHANGED.format(keys=keys, table=table.name, most=MOST_ROWS)
        for page in range(0, pages + 1, PAGES):
            began = time.monotonic()
            for row in await self.databases.fetch(table.service, statement, str(page), str(page + PAGES), since):
                for name in table.keys:
                    if row[name] is not None:
                        self.changed[name].add(row[name])
            yield time.monotonic() - began
