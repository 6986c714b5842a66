"""Writes a batch's journal, one statement per table: rows first, the ledger after (engine.md, Batch 8).

New rows are inserted, never merged: a row that another replica has made meanwhile violates the key, and the batch
is loaded again with it in sight.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from services.chassis.database import Connection, columns
from services.chassis.unit_of_work import Changed, Record, Row
from services.payments.model.ledger import LedgerTransaction
from services.payments.model.payment import Payment
from services.payments.model.refund import Refund
from services.payments.model.settlement import Settlement
from services.payments.work import PaymentsWork

RowT = TypeVar("RowT", bound=Row)

PAYMENT = {
    "booking_id": "uuid",
    "payment_id": "uuid",
    "correlation_id": "text",
    "sequence": "bigint",
    "attempt": "int",
    "status": "text",
    "action": "text",
    "method": "text",
    "amount_minor": "bigint",
    "currency": "text",
    "customer_id": "text",
    "provider_id": "uuid",
    "payout_account": "text",
    "commission_bps": "int",
    "payment_intent": "text",
    "calling": "text",
    "voided_through": "int",
    "owes_void": "bool",
    "capture_asked": "bool",
    "settling": "uuid",
    "authorized_minor": "bigint",
    "captured_minor": "bigint",
    "refunded_minor": "bigint",
    "released_minor": "bigint",
    "commission_minor": "bigint",
    "refunds": "int",
    "decline_code": "text",
    "decline_retryable": "bool",
    "decline_message": "text",
}
SETTLEMENT = {
    "settlement_id": "uuid",
    "booking_id": "uuid",
    "refund_minor": "bigint",
    "release_minor": "bigint",
    "answers_void": "bool",
    "via": "text",
    "commission_minor": "bigint",
}
REFUND = {
    "refund_id": "uuid",
    "booking_id": "uuid",
    "number": "int",
    "attempt": "int",
    "payment_intent": "text",
    "amount_minor": "bigint",
    "status": "text",
    "stripe_refund": "text",
    "failure": "text",
    "calling": "bool",
    "tries": "int",
}


def _insert(table: str, of: dict[str, str]) -> str:
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(of.values(), 1))
    return f"INSERT INTO {table} ({', '.join(of)}) SELECT * FROM unnest({arrays})"


def _update(table: str, of: dict[str, str]) -> str:
    key, *rest = of
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(of.values(), 1))
    changes = ", ".join(f"{name} = c.{name}" for name in rest)
    return f"UPDATE {table} t SET {changes} FROM unnest({arrays}) AS c ({', '.join(of)}) WHERE t.{key} = c.{key}"


STATEMENTS = {
    Payment: (_insert("payment", PAYMENT), _update("payment", PAYMENT)),
    Settlement: (_insert("settlement", SETTLEMENT), _update("settlement", SETTLEMENT)),
    Refund: (_insert("refund", REFUND), _update("refund", REFUND)),
}


async def save(connection: Connection, work: PaymentsWork) -> None:
    """Write everything that the batch decided."""
    changes = [effect for effect in work.journal if isinstance(effect, Changed)]
    records = [effect.row for effect in work.journal if isinstance(effect, Record)]
    await _write(connection, changes, Payment, _payment)
    await _write(connection, changes, Settlement, _settlement)
    await _write(connection, changes, Refund, _refund)
    await _append_ledger(connection, [row for row in records if isinstance(row, LedgerTransaction)])


async def _write(
    connection: Connection,
    changes: Sequence[Changed],
    kind: type[RowT],
    values: Callable[[RowT], tuple[Any, ...]],
) -> None:
    """The final form of every row of a kind: new ones inserted, the others updated."""
    new: dict[object, bool] = {}
    last: dict[object, RowT] = {}
    for change in changes:
        if isinstance(change.after, kind):
            new.setdefault(change.after.row_key, change.before is None)
            last[change.after.row_key] = change.after
    insert, update = STATEMENTS[kind]
    for statement, wanted in ((insert, True), (update, False)):
        chosen = [row for key, row in last.items() if new[key] is wanted]
        if chosen:
            await connection.execute(statement, *columns(values(row) for row in chosen))


def _payment(row: Payment) -> tuple[Any, ...]:
    terms, declined = row.terms, row.decline
    return (
        row.booking_id,
        row.payment_id,
        row.correlation_id,
        row.sequence,
        row.attempt,
        row.status,
        row.action,
        terms and terms.method,
        terms and terms.amount.amount,
        terms and terms.amount.currency,
        terms and terms.customer_id,
        terms and terms.provider_id,
        terms and terms.payout_account,
        terms.commission_bps if terms else None,
        row.payment_intent,
        row.calling,
        row.voided_through,
        row.owes_void,
        row.capture_asked,
        row.settling,
        row.authorized_minor,
        row.captured_minor,
        row.refunded_minor,
        row.released_minor,
        row.commission_minor,
        row.refunds,
        declined and declined.code,
        declined.retryable if declined else None,
        declined and declined.customer_message,
    )


def _settlement(row: Settlement) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in SETTLEMENT)


def _refund(row: Refund) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in REFUND)


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
