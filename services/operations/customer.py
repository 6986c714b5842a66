"""`bookingctl customer erase`: nobody can be reached any more by what our databases hold of a person."""

from __future__ import annotations

from typing import Annotated

import typer

from services.operations import erasing
from services.operations.terminal import acting, sentences

app = typer.Typer(help="Customers: erase.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """One command today, under its name."""


@app.command("erase")
def erase(customer_id: str, yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False) -> None:
    """Erase name, address and phone of who has paid, with those who came along, or has come along with others.

    Their bookings are over, and they wait in no line.
    """
    if not yes:
        typer.confirm(f"Erase all contact data of {customer_id} for ever?", abort=True)
    done = sentences(erasing.erase(acting, customer_id))
    for line in done.sentences():
        typer.echo(line)
    if done.again:
        raise typer.Exit(1)
