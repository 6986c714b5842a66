"""`bookingctl letters`: letters to people that did not arrive, and sending one again."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from services.chassis.clock import SystemClock
from services.notifications import operator
from services.operations.terminal import Json, run_on, show

app = typer.Typer(help="Letters to people: list those that failed, send again.", no_args_is_help=True)
LETTER = ("delivery_id", "settled_at", "booking_id", "kind", "audience", "recipient", "reason")


@app.command("list")
def list_(limit: Annotated[int, typer.Option(min=1, help="at most so many")] = 50, as_json: Json = False) -> None:
    """Letters that did not reach their reader, the newest first, with the reason."""
    show(run_on("notifications", lambda c: operator.failed(c, most=limit)), LETTER, as_json=as_json)


@app.command("send-again")
def send_again(delivery_id: Annotated[UUID, typer.Argument(help="as the list or /v1/deliveries names it")]) -> None:
    """Hand a letter to the mail server once more, to its reader's address of now; it is kept for a day."""
    typer.echo(run_on("notifications", lambda c: operator.send_again(c, SystemClock(), delivery_id)))
