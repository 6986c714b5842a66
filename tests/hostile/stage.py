"""What acts work with: the town, the wire, and a client that hears what was answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from booking_contracts.client import BookingClient
from booking_contracts.client.errors import NoReply

from tests.hostile.envelopes import framed
from tests.hostile.planting import Planted
from tests.hostile.records import Hostile
from tests.hostile.town import Command, Town
from tests.hostile.wire import Wire

STEP_SECONDS = 30.0
"""So long an act waits for an answer that its next step needs; then it goes on without."""


@dataclass
class Stage:
    """What acts work with."""

    env: Mapping[str, str]
    town: Town
    wire: Wire
    client: BookingClient
    planted: list[Planted] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    locked: list[tuple[float, float]] = field(default_factory=list)
    """From when until when rows were held, by the monotonic clock."""

    def framed(self, kind: str, commands: Iterable[Command]) -> list[Hostile]:
        return [framed(kind, one, self.town.uuid()) for one in commands]

    async def ask(self, kind: str, commands: Iterable[Command]) -> None:
        """Send one after another, each when the one before is answered, as far as that comes."""
        for record in self.framed(kind, commands):
            await self.wire.send([record])
            await self.answered(record)

    async def answered(self, record: Hostile) -> bool:
        try:
            await self.client.reply(UUID(record.id), STEP_SECONDS)
        except NoReply:
            self.notes.append(f"{record.kind}: no reply to {record.id} in {STEP_SECONDS:.0f} s")
            return False
        return True
