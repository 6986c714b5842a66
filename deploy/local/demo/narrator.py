"""Says what happens: each step with the states, the messages that flowed, the mail that arrived."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from booking_contracts.booking import CommandAccepted, PlaceBooking
from booking_contracts.envelope import rfc3339
from booking_contracts.testkit.system import Studio, System
from rich.console import Console


class Narrator:
    """Prints the story and remembers the bookings it told of."""

    def __init__(self, console: Console, system: System) -> None:
        self.console, self.system = console, system
        self.bookings: list[UUID] = []
        self.began: dict[UUID, datetime] = {}
        self._told: dict[UUID, int] = {}

    def title(self, text: str) -> None:
        """A chapter begins."""
        self.console.print(f"\n[bold cyan]■ {text}[/bold cyan]")

    def say(self, text: str) -> None:
        """A sentence."""
        self.console.print(f"  {text}")

    async def place(self, studio: Studio, who: str, **changes: Any) -> tuple[PlaceBooking, CommandAccepted | str]:
        """Publish PlaceBooking and tell the reply; the second part is the code where it was refused."""
        command: PlaceBooking = self.system.place(studio, who, **changes)
        self.bookings.append(command.booking_id)
        self.began[command.booking_id] = datetime.now(UTC)
        reply = await self.system.client.ask(command)
        if isinstance(reply, CommandAccepted):
            price = money(reply.result["price"])
            self.say(f"{who} publishes PlaceBooking → [green]accepted[/green], {reply.state}, {price}")
            return command, reply
        assert hasattr(reply, "code")
        self.say(f"{who} publishes PlaceBooking → [yellow]{reply.code}[/yellow]: {reply.message}")
        return command, str(reply.code)

    def messages(self, booking_id: UUID) -> None:
        """The messages of a booking that flowed since they were last told, in the order heard."""
        heard = self.system.client.received(booking_id)
        for received in heard[self._told.get(booking_id, 0) :]:
            envelope = received.envelope
            number = f"#{envelope.sequence}" if envelope.sequence else ""
            name = envelope.type.split(".")[1]
            self.console.print(f"    [dim]{received.topic:<20}[/dim] {name} [dim]{number}[/dim]")
        self._told[booking_id] = len(heard)

    async def state(self, booking_id: UUID) -> None:
        """Where the booking and its payment stand."""
        booking = await self.system.booking(booking_id)
        status, payment = await self.system.try_get("payments", f"/v1/payments/{booking_id}")
        paid = f", payment {payment['status']}, escrow {money(payment['escrow'])}" if status == 200 else ""
        self.say(f"booking [bold]{booking['state']}[/bold]{paid}")

    async def mail(self, to: str, subject: str) -> None:
        """A mail arrived."""
        mail = await self.system.mail(to, subject)
        files = ", ".join(attachment["filename"] or "a file" for attachment in mail["attachments"])
        self.say(f"✉ {mail['to']}: “{mail['subject']}”{f' with {files}' if files else ''}")

    async def seats(self, studio: Studio, slot: int = 0) -> None:
        """Seats left on a slot."""
        start, end = studio.start(slot), studio.start(slot + 1)
        found = await self.system.get(
            "booking",
            "/v1/availability",
            offering_id=str(studio.offering_id),
            **{"from": rfc3339(start), "to": rfc3339(end)},
        )
        for one in found["slots"]:
            self.say(f"availability: {one['seats_left']} seats left{', ' + one['reason'] if one['reason'] else ''}")


def money(found: Any) -> str:
    """A money object as people write it; every currency of the demo has two decimals."""
    return f"{found['amount'] / 100:.2f} {found['currency']}"
