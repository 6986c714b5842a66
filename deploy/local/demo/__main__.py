"""`make demo`: start the stack if it is not up, follow bookings through it, and check that everything agrees."""

from __future__ import annotations

import asyncio
import sys
import time

from booking_contracts.testkit.system import connected
from rich.console import Console

from deploy.local.catalog import PARTS
from deploy.local.demo import chapters, timeline
from deploy.local.demo.agreement import disagreements
from deploy.local.demo.narrator import Narrator
from deploy.local.stack import DEFAULT_ROOT, Stack


async def tell(stack: Stack, console: Console) -> int:
    """Run every chapter; returns the exit code."""
    async with connected(stack.env) as system:
        narrator = Narrator(console, system)
        for chapter in chapters.ALL:
            await chapter(narrator)
        narrator.title("Does everything agree?")
        wrong = await disagreements(system, narrator.bookings)
        for line in wrong:
            console.print(f"  [red]✗ {line}[/red]")
        if not wrong:
            count = len(narrator.bookings)
            console.print(f"  [green]✓[/green] {count} bookings: seats, payments, ledger and Stripe agree to the cent")
        picture(narrator)
        return 1 if wrong else 0


def picture(narrator: Narrator) -> None:
    """The first booking's saga across the services."""
    booking_id = narrator.bookings[0]
    narrator.title(f"The saga of booking {booking_id}, as its messages were heard")
    heard = narrator.system.client.received(booking_id)
    file = timeline.draw(narrator.console, DEFAULT_ROOT, booking_id, narrator.began[booking_id], heard)
    narrator.say(f"the same as a picture: {file}")


def main() -> int:
    """Bring the stack up, tell, and leave it running for a look around."""
    console = Console(highlight=False)
    started = time.monotonic()
    stack = Stack(parts=PARTS)
    console.print("[bold]Starting the system[/bold]: PostgreSQL, Kafka, Stripe simulator, mailbox, services, console")
    stack.up(progress=lambda line: console.print(f"[dim]{line}[/dim]"))
    code = asyncio.run(tell(stack, console))
    console.print(
        f"\nDone in {time.monotonic() - started:.0f} s. The system is still up: `make status` shows it, "
        "`make down` stops it, .local/stack.env has its addresses.\n"
        f"Look at these bookings in the console: {stack.env['CONSOLE_URL']}, its token: {stack.env['CONSOLE_TOKEN']}"
    )
    return code


if __name__ == "__main__":
    sys.exit(main())
