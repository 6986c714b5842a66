"""Writes a batch's journal, one statement per table: rows first, the ledger after (engine.md, Batch 8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from services.chassis.database import Connection
from services.chassis.unit_of_work import Changed, Record
from services.payments.model.ledger import LedgerTransaction
from services.payments.store.tables import (
    APPEND_ENTRIES,
    APPEND_PAID_OUTSIDE,
    APPEND_RECEIPTS,
    APPEND_RECONCILIATIONS,
    APPEND_TRANSACTIONS,
    TABLES,
    Kept,
    Posting,
)
from services.payments.work import PaidOutside, PaymentsWork, Receipt, Reconciliation


async def save(connection: Connection, work: PaymentsWork) -> None:
    """Write everything that the batch decided."""
    changes: defaultdict[type, list[Changed]] = defaultdict(list)
    for effect in work.journal:
        if isinstance(effect, Changed):
            changes[type(effect.after)].append(effect)
    records = [effect.row for effect in work.journal if isinstance(effect, Record)]
    for kind, table in TABLES.items():
        await _write(connection, table, changes[kind])
    transactions = [row for row in records if isinstance(row, LedgerTransaction)]
    await APPEND_TRANSACTIONS(connection, transactions)
    await APPEND_ENTRIES(connection, [Posting(row, entry) for row in transactions for entry in row.entries])
    await APPEND_RECEIPTS(connection, [row for row in records if isinstance(row, Receipt)])
    await APPEND_RECONCILIATIONS(connection, [row for row in records if isinstance(row, Reconciliation)])
    await APPEND_PAID_OUTSIDE(connection, [row for row in records if isinstance(row, PaidOutside)])


async def _write(connection: Connection, table: Kept, changes: Sequence[Changed]) -> None:
    """The final form of every row of a table: new ones inserted, the others updated."""
    new: dict[object, bool] = {}
    last: dict[object, Any] = {}
    for change in changes:
        new.setdefault(change.after.row_key, change.before is None)
        last[change.after.row_key] = change.after
    await table.insert(connection, [row for key, row in last.items() if new[key]])
    await table.update(connection, [row for key, row in last.items() if not new[key]])
