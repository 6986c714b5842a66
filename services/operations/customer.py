"""`bookingctl customer erase`: nobody can be reached any more by what our databases hold of a customer."""

from __future__ import annotations

from typing import Annotated

import typer

from services.booking import erasing as booking
from services.notifications import erasing as notifications
from services.operations.console import run_on

app = typer.Typer(help="Customers: erase.", no_args_is_help=True)

STAYS = """\
Stays: the customer's id, prices, history and ledger, which books are kept on; a provider's own address (catalogue).
Ends by itself: Kafka's topics after 7 days, dead-letter topics after 30. Elsewhere: Stripe, mail servers, backups."""


@app.callback()
def group() -> None:
    """One command today, under its name."""


@app.command("erase")
def erase(customer_id: str, yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False) -> None:
    """Erase name, address and phone of a customer whose bookings are over, and of who came along."""
    if not yes:
        typer.confirm(f"Erase all contact data of {customer_id} for ever?", abort=True)
    known = run_on("booking", lambda c: booking.known(c, customer_id))
    left = {
        "notifications": run_on("notifications", lambda c: notifications.erase(c, known.ids, customer_id)),
        "booking": run_on("booking", lambda c: booking.erase(c, customer_id)),
    }
    typer.echo(f"erased: {len(known.bookings)} bookings, {len(known.entries)} waitlist entries")
    typer.echo(STAYS)
    for service, letters in left.items():
        for letter in letters:
            typer.echo(f"still in a dead letter: redrive or discard it, then erase again: {service} {letter}")
    if any(left.values()):
        raise typer.Exit(1)
