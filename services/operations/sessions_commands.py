"""`bookingctl sessions`: who is at a database, who waits on whom, and ending one that keeps others waiting."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from services.operations import sessions
from services.operations.terminal import Json, run_on, show

app = typer.Typer(help="Sessions of a database: list, end.", no_args_is_help=True)
SESSION = (
    *("pid", "role", "application", "state", "transaction_since", "seconds", "waits_for", "behind", "blocks"),
    *("tables", "statement"),
)
Database = Annotated[str, typer.Argument(help="booking, payments, notifications or operations")]


@app.command("list")
def list_(database: Database, as_json: Json = False) -> None:
    """Those who keep others waiting first; of another role only what it holds and whom it blocks is to be seen."""
    found = run_on(database, sessions.sessions)
    show([asdict(one) for one in found[: sessions.SHOWN]], SESSION, as_json=as_json)


@app.command("end")
def end(database: Database, pid: Annotated[int, typer.Argument(help="as `bookingctl sessions list` shows it")]) -> None:
    """End one of the service's own role that keeps others waiting: what its transaction has done is rolled back."""
    typer.echo(run_on(database, lambda c: sessions.end(c, pid)))
