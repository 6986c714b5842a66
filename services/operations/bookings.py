"""`bookingctl booking`: a booking on one screen, by the same reads as its page in the console."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import typer

from services.chassis.operator import NotPossible
from services.operations.console.databases import Databases
from services.operations.console.reads.booking import Shown, booking_shown
from services.operations.console.reads.export import document
from services.operations.terminal import Json, console, plain, sentences, show

app = typer.Typer(help="One booking on one screen.", no_args_is_help=True)

BOOKING = (
    *("state", "seats", "starts_at", "ends_at", "price_minor", "currency", "customer_id", "customer_name"),
    *("customer_email", "provider_id", "deadline", "attempt", "payment_status"),
)
SAGA = ("status", "step", "attempt", "asked", "ask_again_at", "problem")
MARK = ("at", "took", "from", "to", "kind", "label", "detail", "tone")
PAYMENT = (
    "status",
    "method",
    "payment_intent",
    "authorized_minor",
    "captured_minor",
    "refunded_minor",
    "released_minor",
)
LETTER = ("id", "created_at", "kind", "type", "status", "error")
TABLES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("States", "states", ("state", "since", "until", "seconds")),
    ("Refunds", "refunds", ("refund_id", "amount_minor", "status", "stripe_refund", "failure", "tries")),
    ("Payouts", "payouts", ("payout_id", "amount_minor", "currency", "status", "transfer_id", "failure", "tries")),
    ("Disputes", "disputes", ("dispute_id", "outcome", "amount_minor", "currency")),
    ("History", "history", ("number", "at", "actor_kind", "actor_id", "type", "from_state", "to_state", "reason")),
    ("Saga's log", "saga_log", ("at", "step", "attempt", "what")),
    ("Letters", "letters", ("created_at", "kind", "audience", "recipient", "state", "reason", "subject")),
    ("Webhooks", "webhooks", ("created_at", "type", "url", "state", "tries", "status")),
    ("The auditor's findings", "findings", ("kind", "subject", "detail", "first_seen", "gone_at")),
    ("Operators' acts", "acts", ("at", "operator", "act", "service", "subject", "reason", "outcome")),
)
"""What is left out where there is nothing of it."""


@app.command("show")
def show_booking(
    booking_id: UUID,
    as_json: Json = False,
    unmasked: Annotated[bool, typer.Option(help="with names, addresses and letters")] = False,
) -> None:
    """What all services know of a booking: its states, every message in the order of time, its money, who was told.

    A database that is not named or does not answer is said, and the others are shown."""
    shown = sentences(_look(booking_id))
    found = document(shown, unmasked=unmasked)
    if as_json:
        typer.echo(json.dumps(found, default=plain))
    else:
        _on_screen(shown, found)


async def _look(booking_id: UUID) -> Shown:
    databases = Databases.named()
    async with databases.opened("bookingctl"):
        shown = await booking_shown(databases, booking_id)
    if not shown.known:
        raise NotPossible("; ".join(shown.away) or f"no service has heard of booking {booking_id}")
    return shown


def _on_screen(shown: Shown, found: Mapping[str, Any]) -> None:
    for sentence in found["away"]:
        console.print(sentence, style="red", markup=False)
    for title, row, columns in (
        (f"Booking {shown.booking_id}", found["booking"], BOOKING),
        ("Saga", found["saga"], SAGA),
        ("Payment", found["payment"], PAYMENT),
    ):
        if row is not None:
            _table(title, [row], columns)
    _table("What happened", [_line(mark) for mark in found["timeline"]], MARK)
    _table("Money", found["ledger"]["entries"], ("at", "cause", "account", "amount_minor", "currency", "note"))
    _table("Money by account", found["ledger"]["by_account"], ("account", "amount_minor", "currency"))
    for title, name, shown_columns in TABLES:
        _table(title, found[name], shown_columns)
    for service, aside in found["set_aside"].items():
        _table(
            f"Set aside by {service}", aside["dead_letters"], ("id", "created_at", "kind", "type", "status", "error")
        )
        if aside["blocked"] is not None:
            console.print(f"{service} has blocked its key since {aside['blocked']['since']}", style="red", markup=False)


def _line(mark: Mapping[str, Any]) -> Mapping[str, Any]:
    took = mark["seconds"]
    return {**mark, "at": f"{mark['at']:%Y-%m-%d %H:%M:%S.%f}"[:-3], "took": None if took is None else f"{took:.3f} s"}


def _table(title: str, rows: Sequence[Mapping[str, Any]], columns: tuple[str, ...]) -> None:
    if rows:
        console.print(f"[bold]{title}[/bold]")
        show([{name: _short(row[name]) for name in columns} for row in rows], columns, as_json=False)


def _short(value: object) -> object:
    """An instant without what nobody reads; all of it is in the JSON."""
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else value
