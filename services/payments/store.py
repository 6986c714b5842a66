"""Payments' SQL: load and lock what messages are about, many at once; writing is in saving.py.

Lock order, everywhere: payment → wallet → escrow. Each table once, ORDER BY id, no join in a locking query, always
FOR NO KEY UPDATE. Settlements, refunds and an escrow's balance belong to one payment and stand still under its lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from booking_contracts.payments import SettlePayment

from services.chassis.database import Connection
from services.chassis.failures import Busy
from services.chassis.messages import Message
from services.payments import rows
from services.payments.model.payment import Payment
from services.payments.outcomes import SettleLater
from services.payments.saving import save
from services.payments.work import PaymentsWork

LOCK = "FOR NO KEY UPDATE"


class PaymentsStore:
    """Loads and saves payments; stateless."""

    async def load(
        self, connection: Connection, messages: Sequence[Message[Any]], work: PaymentsWork, *, skip_locked: bool
    ) -> frozenset[str]:
        """Lock the payments that messages name, then read what belongs to them."""
        clause = f"{LOCK} SKIP LOCKED" if skip_locked else LOCK
        bookings = {message.body.booking_id for message in messages if hasattr(message.body, "booking_id")}
        await _lock_payments(connection, work, bookings, clause)
        if skip_locked:
            await _refuse_locked(connection, work, bookings)
        await _load_settlements(connection, work, messages)
        await _load_refunds(connection, work, messages)
        return frozenset()

    async def save(self, connection: Connection, work: PaymentsWork) -> None:
        """Write the journal."""
        await save(connection, work)


async def _lock_payments(connection: Connection, work: PaymentsWork, bookings: set[UUID], clause: str) -> None:
    if bookings:
        query = f"SELECT * FROM payment WHERE booking_id = ANY($1) ORDER BY booking_id {clause}"
        for row in await connection.fetch(query, sorted(bookings)):
            work.load(rows.payment(row))


async def _refuse_locked(connection: Connection, work: PaymentsWork, bookings: set[UUID]) -> None:
    """Booking's commands have no reply that could say TOO_BUSY: the batch waits for the rows."""
    found = await connection.fetch("SELECT booking_id FROM payment WHERE booking_id = ANY($1)", list(bookings))
    held = {row["booking_id"] for row in found} - {payment.booking_id for payment in work.all(Payment)}
    if held:
        raise Busy(f"{len(held)} payments are locked by others")


async def _load_settlements(connection: Connection, work: PaymentsWork, messages: Sequence[Message[Any]]) -> None:
    wanted = {payment.settling for payment in work.all(Payment) if payment.settling is not None}
    for message in messages:
        body = message.body.command if isinstance(message.body, SettleLater) else message.body
        if isinstance(body, SettlePayment):
            wanted.add(body.settlement_id)
    if wanted:
        query = "SELECT * FROM settlement WHERE settlement_id = ANY($1)"
        for row in await connection.fetch(query, list(wanted)):
            work.load(rows.settlement(row))


async def _load_refunds(connection: Connection, work: PaymentsWork, messages: Sequence[Message[Any]]) -> None:
    wanted = {message.body.refund_id for message in messages if hasattr(message.body, "refund_id")}
    if wanted:
        for row in await connection.fetch("SELECT * FROM refund WHERE refund_id = ANY($1)", list(wanted)):
            work.load(rows.refund(row))
