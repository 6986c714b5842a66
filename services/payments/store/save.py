"""Writes a batch's journal, one statement per table (engine.md, Batch 8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from services.chassis.statements import Statements
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


def save(writes: Statements, work: PaymentsWork) -> None:
    """Write everything that the batch decided: each row once, so that the order does not matter."""
    changes: defaultdict[type, list[Changed]] = defaultdict(list)
    for effect in work.journal:
        if isinstance(effect, Changed):
            changes[type(effect.after)].append(effect)
    records = [effect.row for effect in work.journal if isinstance(effect, Record)]
    for kind, table in TABLES.items():
        _write(writes, table, changes[kind])
    transactions = [row for row in records if isinstance(row, LedgerTransaction)]
    APPEND_TRANSACTIONS(writes, transactions)
    APPEND_ENTRIES(writes, [Posting(row, entry) for row in transactions for entry in row.entries])
    APPEND_RECEIPTS(writes, [row for row in records if isinstance(row, Receipt)])
    APPEND_RECONCILIATIONS(writes, [row for row in records if isinstance(row, Reconciliation)])
    APPEND_PAID_OUTSIDE(writes, [row for row in records if isinstance(row, PaidOutside)])


def _write(writes: Statements, table: Kept, changes: Sequence[Changed]) -> None:
    """The final form of every row of a table: new ones inserted, the others updated."""
    new: dict[object, bool] = {}
    last: dict[object, Any] = {}
    for change in changes:
        new.setdefault(change.after.row_key, change.before is None)
        last[change.after.row_key] = change.after
    table.insert(writes, [row for key, row in last.items() if new[key]])
    table.update(writes, [row for key, row in last.items() if not new[key]])
