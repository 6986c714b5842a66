"""`bookingctl customer erase`: nobody can be reached any more by what our databases hold of a person."""

from __future__ import annotations

from typing import Annotated

import typer

from services.booking import erasing as booking
from services.booking.erasing import Known
from services.chassis.forgetting import Left, forget
from services.notifications import erasing as notifications
from services.operations.terminal import run_on

app = typer.Typer(help="Customers: erase.", no_args_is_help=True)

STAYS = """\
Stays: ids, prices, history with the reasons that people wrote, and ledger, which books are kept on; who paid for
somebody who came along; a provider's own address (catalogue); the same person under another id.
Ends by itself: Kafka's topics after 7 days, dead-letter topics after 30. Elsewhere: Stripe, mail servers, backups."""


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
    found = run_on("booking", lambda c: booking.known(c, customer_id))
    pays, comes = found.pays, found.comes
    run_on("notifications", lambda c: notifications.erase(c, pays.ids, comes.ids, customer_id))
    left = _messages(found)
    left["booking"] = run_on("booking", lambda c: booking.erase(c, found, customer_id))
    unheard = run_on("notifications", lambda c: notifications.unheard(c, found.told))
    typer.echo(f"erased: {len(pays.bookings)} bookings, {len(pays.entries)} waitlist entries")
    typer.echo(f"erased as attendee of others: {len(comes.bookings)} bookings, {len(comes.entries)} waitlist entries")
    typer.echo(STAYS)
    again = [line for service, rest in left.items() for line in rest.sentences(service)]
    if unheard:
        again.append(f"notifications has not heard all of {len(unheard)} bookings: erase again later: {unheard[0]}")
    for line in again:
        typer.echo(line)
    if again:
        raise typer.Exit(1)


def _messages(found: Known) -> dict[str, Left]:
    """Of payments too: what was sent there by mistake is refused, and kept for a while."""
    services = ("notifications", "payments")
    return {service: run_on(service, lambda c: forget(c, found.keys, found.texts)) for service in services}
