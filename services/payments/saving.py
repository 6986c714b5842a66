"""Writes a batch's journal, one statement per table: rows first, the ledger after (engine.md, Batch 8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from services.chassis.database import Connection, columns
from services.chassis.unit_of_work import Changed, Record
from services.payments.model.ledger import LedgerTransaction
from services.payments.tables import TABLES, Table
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
    await _append_ledger(connection, [row for row in records if isinstance(row, LedgerTransaction)])
    await _append_receipts(connection, [row for row in records if isinstance(row, Receipt)])
    await _append_reconciliations(connection, [row for row in records if isinstance(row, Reconciliation)])
    await _append_paid_outside(connection, [row for row in records if isinstance(row, PaidOutside)])


async def _write(connection: Connection, table: Table, changes: Sequence[Changed]) -> None:
    """The final form of every row of a table: new ones inserted, the others updated."""
    new: dict[object, bool] = {}
    last: dict[object, Any] = {}
    for change in changes:
        new.setdefault(change.after.row_key, change.before is None)
        last[change.after.row_key] = change.after
    for statement, wanted in ((table.insert, True), (table.update, False)):
        chosen = [row for key, row in last.items() if new[key] is wanted]
        if chosen:
            await connection.execute(statement, *columns(table.values(row) for row in chosen))


async def _append_ledger(connection: Connection, transactions: Sequence[LedgerTransaction]) -> None:
    if not transactions:
        return
    await connection.execute(
        """
        INSERT INTO ledger_transaction (transaction_id, cause, at, causation_id)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::uuid[])
        """,
        *columns((row.transaction_id, row.cause, row.at, row.causation_id) for row in transactions),
    )
    await connection.execute(
        """
        INSERT INTO ledger_entry (transaction_id, account, amount_minor, currency)
        SELECT transaction_id, account, amount_minor, currency
        FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[])
             WITH ORDINALITY AS t (transaction_id, account, amount_minor, currency, nth)
        ORDER BY nth
        """,
        *columns(
            (row.transaction_id, entry.account, entry.amount_minor, entry.currency)
            for row in transactions
            for entry in row.entries
        ),
    )


async def _append_receipts(connection: Connection, receipts: Sequence[Receipt]) -> None:
    if receipts:
        await connection.execute(
            """
            INSERT INTO command_receipt (command_id, body_hash, reply_type, reply)
            SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::text[])
            """,
            *columns((row.command_id, row.body_hash, row.reply_type, row.reply) for row in receipts),
        )


async def _append_reconciliations(connection: Connection, lines: Sequence[Reconciliation]) -> None:
    if lines:
        await connection.execute(
            """
            INSERT INTO reconciliation (at, booking_id, payment_intent, finding, repair, customer_id)
            SELECT * FROM unnest($1::timestamptz[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[])
            ON CONFLICT DO NOTHING
            """,
            *columns(
                (line.at, line.booking_id, line.payment_intent, line.finding, line.repair, line.customer_id)
                for line in lines
            ),
        )


async def _append_paid_outside(connection: Connection, lines: Sequence[PaidOutside]) -> None:
    if lines:
        await connection.execute(
            """
            INSERT INTO refund_paid_outside (refund_id, transaction_id, at, by_whom, reference)
            SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[])
            """,
            *columns((line.refund_id, line.transaction_id, line.at, line.by_whom, line.reference) for line in lines),
        )
