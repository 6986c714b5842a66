"""A hostile record: what goes to Kafka, byte by byte, and what has to become of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Header = tuple[bytes, bytes | None]


class Due(StrEnum):
    """What the contract promises for a record."""

    REPLY = "reply"
    """Its id can be read and its topic has replies: answered exactly once."""
    LETTER = "letter"
    """It names nobody to answer: set aside, with its topic, partition and offset."""
    SOMETHING = "reply or letter"
    """Where the contract leaves open whether its id is readable: one of the two, at most one reply."""
    NOTHING = "nothing"
    """Not to be acted upon: aborted, or an event of a type that nobody knows."""
    ANYTHING = "anything"
    """A peer's event that may be taken, refused or set aside; it must not harm others."""


@dataclass(frozen=True, slots=True)
class Hostile:
    """One record. `id` is the command id as a canonical UUID where there is one, `also` ids it bears besides."""

    kind: str
    topic: str
    key: bytes | None
    headers: tuple[Header, ...]
    value: bytes | None
    due: Due
    id: str | None = None
    also: tuple[str, ...] = ()
    codec: str = "none"
    may_be_accepted: bool = True
    """False where a yes would be a breach: commands about what belongs to others, or by whom may not."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A record that Kafka took, and where it lies."""

    record: Hostile
    partition: int
    offset: int

    @property
    def place(self) -> tuple[str, int, int]:
        """As dead letters name it."""
        return self.record.topic, self.partition, self.offset
