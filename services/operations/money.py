"""`bookingctl payments`: failed refunds and payouts, and a booking's money line by line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import typer

from services.chassis.database import Connection
from services.chassis.operator import NotPossible
from services.operations.console import Json, run_on, show
from services.payments import operator

app = typer.Typer(help="Money: waiting, try-again, statement.", no_args_is_help=True)


@app.command("waiting")
def waiting(as_json: Json = False) -> None:
    """Refunds and payouts that have failed; the parked ones are an operator's."""
    found = run_on("payments", operator.waiting)
    rows = [{name: getattr(one, name) for name in operator.Waiting.__slots__} for one in found]
    show(rows, tuple(operator.Waiting.__slots__), as_json=as_json)


@app.command("try-again")
def try_again(waiting_id: UUID) -> None:
    """Have a failed refund or payout tried at once."""

    async def again(connection: Connection) -> str:
        try:
            return await operator.try_again(connection, waiting_id, datetime.now(UTC))
        except operator.NotWaiting as problem:
            raise NotPossible(str(problem)) from None

    typer.echo(run_on("payments", again))


@app.command("statement")
def statement(booking_id: UUID, as_json: Json = False) -> None:
    """Every posting that touches a booking's escrow, with all its entries."""

    async def look(connection: Connection) -> Sequence[asyncpg.Record]:
        return await connection.fetch(
            """
            SELECT t.at, t.cause, e.account, e.amount_minor, e.currency
            FROM ledger_transaction t JOIN ledger_entry e USING (transaction_id)
            WHERE transaction_id IN (SELECT transaction_id FROM ledger_entry WHERE account = $1)
            ORDER BY t.at, e.entry_id
            """,
            f"escrow:{booking_id}",
        )

    show(run_on("payments", look), ("at", "cause", "account", "amount_minor", "currency"), as_json=as_json)
