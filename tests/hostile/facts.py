"""What a siege left behind, as plain values: read by collecting.py, judged by checks.py."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property

from tests.faults.facts import Facts
from tests.hostile.ordinary import Asked
from tests.hostile.planting import Planted
from tests.hostile.records import Sent


@dataclass(frozen=True)
class SetAside:
    """A dead letter: who set it aside, what lay where, and whether by a fault of ours (`failed`)."""

    service: str
    place: tuple[str, int, int]
    kind: str
    key: str
    error: str
    records: int = 1
    """How many it stands for: beyond the limits of an hour they are only counted, in one row of the partition."""


@dataclass(frozen=True)
class Memory:
    """Resident memory of a process, in MiB: when the siege began, at its end, and at most."""

    before: int
    after: int
    peak: int


@dataclass
class Aftermath:
    """Everything of one siege. `facts` are those that a run of tests/faults leaves too."""

    facts: Facts = field(default_factory=Facts)
    sent: list[Sent] = field(default_factory=list)
    letters: list[SetAside] = field(default_factory=list)
    planted: list[Planted] = field(default_factory=list)
    waiting_rows: set[str] = field(default_factory=set)
    """Keys of planted rows that are still local messages."""
    ended: list[str] = field(default_factory=list)
    """Processes that are not the ones that were started."""
    memory: dict[str, Memory] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    unconfirmed: list[str] = field(default_factory=list)
    locked: list[tuple[float, float]] = field(default_factory=list)
    """From when until when somebody held rows, by the clock of `Asked.began`."""
    acted_until: float = 0.0
    """When the last of the acts ended; before it, thousands of commands came as fast as they were answered."""

    @cached_property
    def replies(self) -> dict[str, set[str]]:
        """Ids of the replies to each command, by command id."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for record in self.facts.records:
            if record.topic in ("booking.replies", "wallet.replies"):
                found[str(record.body["command_id"])].add(record.id)
        return found

    @cached_property
    def accepted(self) -> set[str]:
        """Ids of commands that were answered yes."""
        return {
            str(record.body["command_id"])
            for record in self.facts.records
            if record.type.endswith(".CommandAccepted.v1")
        }

    @cached_property
    def places(self) -> Counter[tuple[str, int, int]]:
        """Where the records lie that were set aside."""
        return Counter(letter.place for letter in self.letters)

    def only_counted(self) -> Counter[tuple[str, int]]:
        """By partition, how many records were refused beyond the limits of an hour: their offsets are not kept."""
        counted: Counter[tuple[str, int]] = Counter()
        for letter in self.letters:
            topic, partition, _ = letter.place
            if letter.error.startswith("more refused records"):
                counted[topic, partition] += letter.records
        return counted
