"""Instants of two clocks in one row of time.

What a service decides has the service's clock; ids (RFC 9562, 5.7) and what a database notes by itself have the
machine's. They agree, but where a test or the demo has moved the services' clock: rows that have both tell by how much.
"""

from __future__ import annotations

from bisect import bisect_right
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
        self._known: Sequence[Both] = sorted(known, key=lambda both: both.real)

    def of(self, real: datetime) -> datetime:
        """As far ahead as the services' clock was when it was last read before that, or else first after it."""
        place = bisect_right(self._known, real, key=lambda both: both.real)
        if not self._known:
            return real
        both = self._known[max(0, place - 1)]
        ahead = both.of_service - both.real
        return real + ahead if abs(ahead) > MOVED else real

    def made(self, message_id: UUID | None) -> datetime | None:
        """When a message was made, where its id says so."""
        real = None if message_id is None else made_at(message_id)
        return None if real is None else self.of(real)
