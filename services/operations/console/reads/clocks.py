"""Instants of two clocks in one row of time.

What a service decides has the service's clock; ids (RFC 9562, 5.7) and what a database notes by itself have the
machine's. They agree, but where a test or the demo has moved the services' clock: rows that have both tell by how much.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.chassis.clock import made_at

MOVED = timedelta(minutes=1)
"""Clocks that are kept in step differ by less; by so much nobody's clock is put right."""


@dataclass(frozen=True, slots=True)
class Both:
    """One instant by both clocks."""

    real: datetime
    of_service: datetime


class Clocks:
    """Turns the machine's instants into the services'."""

    def __init__(self, known: Iterable[Both] = ()) -> None:
        self._known: Sequence[Both] = tuple(known)

    def of(self, real: datetime) -> datetime:
        """As far ahead as the services' clock was when it was read nearest to that."""
        if not self._known:
            return real
        both = min(self._known, key=lambda both: abs(both.real - real))
        ahead = both.of_service - both.real
        return real + ahead if abs(ahead) > MOVED else real

    def made(self, message_id: UUID | None) -> datetime | None:
        """When a message was made, where its id says so."""
        real = None if message_id is None else made_at(message_id)
        return None if real is None else self.of(real)
