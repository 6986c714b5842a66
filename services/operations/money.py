"""`bookingctl payments`: failed refunds and payouts, a booking's money line by line, and what does not agree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import typer

from services.chassis.clock import SystemClock
from services.chassis.database import Connection
from services.operations.auditor import agreement
from services.operations.auditor.databases import Databases
from services.operations.auditor.findings import Finding
from services.operations.auditor.looking import whole
from services.operations.console.reads import statement as statements
from services.operations.terminal import Json, console, plain, read_only, run_on, sentences, show
from services.payments import operator
from services.payments.reconciliation import overdue

app = typer.Typer(
    help="Money: waiting, try-again, paid-outside, statement, chargebacks, calls, differences, reconcile.",
    no_args_is_help=True,
)
ROUND = ("ended_at", "compared", "compared_until")
REPAIR = ("at", "repair", "payment_id", "booking_id", "customer_id", "payment_intent", "detail", "ended")
CHARGEBACK = (
    "dispute_id",
    "outcome",
    "booking_id",
    "customer_id",
    "payment_intent",
    "amount_minor",
    "frozen_minor",
    "currency",
)
COMPARISON = ("ended_at", "compared", "read_until")
TOTAL = (
    "currency",
    "amount_minor",
    "fee_minor",
    "net_minor",
    "opening_balance_minor",
    "opening_clearing_minor",
)
DIFFERENCE = (
    "kind",
    "subject",
    "currency",
    "ours_minor",
    "theirs_minor",
    "booking_id",
    "customer_id",
    "payment_intent",
    "first_seen",
    "last_seen",
    "gone_at",
)
OPEN = ("between", "since", "payment_id", "booking_id", "customer_id", "payment_intent", "detail")
ASIDE = ("at", "event_id", "type", "error")


@app.command("waiting")
def waiting(as_json: Json = False) -> None:
    """Refunds and payouts that have failed or have no account to go to; the parked ones are an operator's."""
    found = run_on("payments", operator.waiting)
    rows = [{name: getattr(one, name) for name in operator.Waiting.__slots__} for one in found]
    show(rows, tuple(operator.Waiting.__slots__), as_json=as_json)


@app.command("try-again")
def try_again(
    waiting_id: UUID,
    account: Annotated[str | None, typer.Option(help="for a payout: the connected account it goes to")] = None,
    from_balance: Annotated[bool, typer.Option(help="for a payout: not from the charge that paid")] = False,
) -> None:
    """Have a failed refund or payout tried at once; a payout that had no account goes to the one named."""
    now = SystemClock().now()
    again = partial(operator.try_again, waiting_id=waiting_id, now=now, account=account, from_balance=from_balance)
    typer.echo(run_on("payments", again))


@app.command("paid-outside")
def paid_outside(
    refund_id: UUID,
    reference: Annotated[str, typer.Option(help="by which the payment can be found, e.g. the bank transfer's")],
    by: Annotated[str, typer.Option(help="who has paid it")],
) -> None:
    """End a failed refund that was paid by other means than Stripe."""
    end = partial(operator.paid_outside, clock=SystemClock(), refund_id=refund_id, by_whom=by, reference=reference)
    typer.echo(run_on("payments", end))


@app.command("statement")
def statement(booking_id: UUID, as_json: Json = False) -> None:
    """Every posting that touches a booking's escrow or what is owed to its payer, with all its entries."""

    found = run_on("payments", lambda c: statements.statement(c, booking_id)).entries
    show(found.rows, ("at", "cause", "account", "amount_minor", "currency", "note"), as_json=as_json)
    if found.said and not as_json:
        console.print(found.said)


@app.command("chargebacks")
def chargebacks(every: bool = False, as_json: Json = False) -> None:
    """Disputes that are open at Stripe: give evidence there before its due date. With --every also those closed."""
    found = run_on("payments", lambda c: operator.chargebacks(c, every=every))
    show(found, CHARGEBACK, as_json=as_json)


@app.command("calls")
def calls(
    minutes: Annotated[int, typer.Option(help="how long they have been open")] = 10, as_json: Json = False
) -> None:
    """Calls to Stripe that do not end, and why; they are tried again by themselves."""
    found = run_on("payments", lambda c: overdue.calls(c, minutes=minutes))
    show(found, ("opened_at", "operation", "subject", "tries", "try_at", "last_error"), as_json=as_json)


@app.command("differences")
def differences(
    days: Annotated[int, typer.Option(help="how far back those are shown that are gone")] = 0, as_json: Json = False
) -> None:
    """Where Stripe, payments' rows and the ledger do not agree to the cent; what each kind means: services/payments."""
    found = run_on("payments", lambda c: _comparison(c, days))
    if as_json:
        typer.echo(json.dumps(found, default=plain))
        return
    for title, name, columns in (
        ("Last comparison", "last", COMPARISON),
        ("Stripe's movements by currency", "totals", TOTAL),
        ("What does not agree", "differences", DIFFERENCE),
    ):
        console.print(f"[bold]{title}[/bold]")
        show(found[name], columns, as_json=False)


async def _comparison(payments: Connection, days: int) -> dict[str, list[dict[str, Any]]]:
    last = await operator.last_comparison(payments)
    return {
        "last": [dict(last)] if last else [],
        "totals": [dict(row) for row in await operator.totals(payments)],
        "differences": [dict(row) for row in await operator.not_agreeing(payments, days=days)],
    }


@app.command("reconcile")
def reconcile(
    days: Annotated[int, typer.Option(help="how far back repairs are shown")] = 30,
    as_json: Json = False,
) -> None:
    """What the reconciler found and mended, and what does not agree now: Stripe, payments, bookings."""
    found = sentences(_reconciliation(days))
    if as_json:
        typer.echo(json.dumps(found, default=plain))
        return
    for title, name, columns in (
        ("Last round", "last_round", ROUND),
        (f"Repairs of the last {days} days", "repairs", REPAIR),
        ("Open differences", "open", OPEN),
        ("Events that could not be kept", "events_aside", ASIDE),
    ):
        console.print(f"[bold]{title}[/bold]")
        rows = found[name]
        show([rows] if isinstance(rows, dict) else rows or [], columns, as_json=False)


async def _reconciliation(days: int) -> Mapping[str, Any]:
    databases = Databases({service: read_only(service) for service in ("payments", "booking")}, "bookingctl")
    try:
        payments = await databases.connection("payments")
        last = await operator.last_round(payments)
        repairs = await operator.repairs(payments, days=days)
        at_stripe = [_at_stripe(row) for row in await operator.open_reports(payments)]
        aside = await operator.events_aside(payments)
        with_bookings = [_with_booking(one) for one in await whole(agreement.CHECK, databases)]
    finally:
        await databases.close()
    return {
        "last_round": last and dict(last),
        "repairs": [dict(row) for row in repairs],
        "open": at_stripe + with_bookings,
        "events_aside": [dict(row) for row in aside],
    }


def _at_stripe(row: asyncpg.Record) -> dict[str, Any]:
    detail = f"{row['finding']} at Stripe, and no row of ours knows it"
    return {**dict.fromkeys(OPEN), **row, "between": "Stripe and payments", "since": row["at"], "detail": detail}


def _with_booking(one: Finding) -> dict[str, Any]:
    return {
        **dict.fromkeys(OPEN),
        "between": "payments and bookings",
        "payment_id": one.payment_id,
        "booking_id": one.booking_id,
        "detail": one.detail,
    }
