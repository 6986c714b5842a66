"""Hot providers, simulated: replicas that take batches, and the slots' locks that two of them cannot hold at once.

What is simulated: messages come at random (Poisson), for slots that are wanted unequally (Zipf over providers). A
booking's partition is drawn from its id, as the topics have it; a replica owns its share of the partitions and takes
what has come, at most MOST, whenever it is free. A batch works without locks first, then holds the locks of all its
slots until its commit; who wants one of them waits. Costs are those of inputs.py.

What is not: the CPU of the database (each replica works as if its backend had a core), rejections, `lock_timeout`
(a batch that waits for 150 ms gives up its locks and begins again: docs/engine.md, The ladder), payments' answers.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import fsum

from booking_contracts.topics import PARTITIONS

from services.chassis.gathering import MOST
from tests.bench.scale.inputs import BATCH, MESSAGES_A_SAGA, Batch

SPREAD, MIXER = 2**32, 2_654_435_769
"""Keys are mixed by a multiplication (Knuth's), as good as murmur2 for keys that are numbers."""
ONE_SLOT = 0
"""The number of the slot that a hot share wants; those of providers begin at 1."""


@dataclass(frozen=True)
class Crowd:
    """Who wants what: `zipf` 0 is a crowd without favourites; `one_slot` is the share that wants the same slot."""

    providers: int = 10_000
    slots_each: int = 20
    zipf: float = 1.0
    one_slot: float = 0.0
    known: tuple[float, ...] = ()
    """How popular each provider is, where it is known; `providers` and `zipf` say nothing then."""

    def shared_slots(self, batch: int) -> float:
        """Slots that two batches of that size are expected to share: its square × the sum of the squares of the slots'
        popularity."""
        of_providers = fsum(share**2 for share in self.popularity) * (1 - self.one_slot) ** 2 / self.slots_each
        return float(batch**2 * (of_providers + self.one_slot**2))

    def slots(self, chance: random.Random, count: int) -> list[int]:
        """So many slots, drawn by how popular they are."""
        popularity = self.popularity
        providers = chance.choices(range(len(popularity)), cum_weights=list(accumulate(popularity)), k=count)
        return [
            ONE_SLOT
            if self.one_slot and chance.random() < self.one_slot
            else 1 + provider * self.slots_each + int(chance.random() * self.slots_each)
            for provider in providers
        ]

    @property
    def popularity(self) -> list[float]:
        """Of every provider, the most popular first; sums to 1."""
        weights = self.known or [rank**-self.zipf for rank in range(1, self.providers + 1)]
        total = fsum(weights)  # sum() rounds otherwise from Python 3.12 on
        return [weight / total for weight in weights]


@dataclass(frozen=True)
class Replicas:
    """How booking runs in one cell."""

    replicas: int = 1
    partitions: int = PARTITIONS
    keyed_by_provider: bool = False
    """Whether a partition is drawn from the provider instead: what it would be like, not what it is."""
    batch: Batch = BATCH
    most: int = MOST
    """Messages in a batch at most."""


@dataclass(frozen=True)
class Found:
    """What came of a run. Milliseconds from a message's arrival to its commit; the rest are shares of time or rate."""

    p50_ms: float
    p99_ms: float
    waiting_for_locks: float
    hottest_partition: float
    """Messages of the fullest partition, as a multiple of the average."""
    mean_batch: float
    sagas_per_second: float
    """Until the last commit; what it can do at most, where all messages had come before."""


@dataclass
class _Replica:
    due: list[tuple[float, int]]
    """(arrival, slot), by arrival."""
    taken: int = 0
    free_at: float = 0.0
    stood: float = 0.0

    @property
    def next_at(self) -> float | None:
        return max(self.free_at, self.due[self.taken][0]) if self.taken < len(self.due) else None

    def take(self, now: float, most: int) -> list[tuple[float, int]]:
        last = self.taken
        while last < len(self.due) and last - self.taken < most and self.due[last][0] <= now:
            last += 1
        batch, self.taken = self.due[self.taken : last], last
        return batch


def run(crowd: Crowd, shape: Replicas, sagas_per_second: float, seconds: float = 20.0, seed: int = 1) -> Found:
    """Messages at that rate for so long, until the last one is committed."""
    chance = random.Random(seed)
    count = int(sagas_per_second * MESSAGES_A_SAGA * seconds)
    return _played(crowd, shape, sorted(chance.random() * seconds for _ in range(count)), chance, MESSAGES_A_SAGA)


def at_most(
    crowd: Crowd, shape: Replicas, sagas: int = 10_000, messages_a_saga: int = MESSAGES_A_SAGA, seed: int = 1
) -> Found:
    """All of them wait already when the replicas begin: what they can do, every batch full."""
    return _played(crowd, shape, [0.0] * (sagas * messages_a_saga), random.Random(seed), messages_a_saga)


def spread(popularity: Sequence[float], cells: int, *, by_hash: bool, seed: int = 1) -> list[list[float]]:
    """The providers of each cell, by their shares: given by a hash, or each to the emptiest, the most popular first."""
    chance, placed = random.Random(seed), [list[float]() for _ in range(cells)]
    emptiest = [(0.0, cell) for cell in range(cells)]
    for share in popularity:
        load, cell = emptiest[0]
        heapq.heapreplace(emptiest, (load + share, cell))
        placed[chance.randrange(cells) if by_hash else cell].append(share)
    return placed


def _played(
    crowd: Crowd, shape: Replicas, arrivals: Sequence[float], chance: random.Random, messages_a_saga: int
) -> Found:
    partitions: Counter[int] = Counter()
    replicas = [_Replica([]) for _ in range(shape.replicas)]
    for at, slot in zip(arrivals, crowd.slots(chance, len(arrivals)), strict=True):
        key = (slot - 1) // crowd.slots_each if shape.keyed_by_provider else int(chance.random() * SPREAD)
        partition = key * MIXER % SPREAD * shape.partitions // SPREAD
        partitions[partition] += 1
        replicas[partition * shape.replicas // shape.partitions].due.append((at, slot))
    waits, batches = _commit_all(replicas, shape)
    waits.sort()
    ended = max(one.free_at for one in replicas)
    return Found(
        p50_ms=waits[len(waits) // 2] * 1000,
        p99_ms=waits[len(waits) * 99 // 100] * 1000,
        waiting_for_locks=sum(one.stood for one in replicas) / ended / len(replicas),
        hottest_partition=max(partitions.values()) * shape.partitions / len(arrivals),
        mean_batch=len(arrivals) / batches,
        sagas_per_second=len(arrivals) / messages_a_saga / ended,
    )


def _commit_all(replicas: Sequence[_Replica], shape: Replicas) -> tuple[list[float], int]:
    """Seconds that each message waited for its commit, and the number of batches.

    Who comes to its locks first has them first, all at once: a batch that waits for one holds none that others get.
    """
    free: defaultdict[int, float] = defaultdict(float)
    waits: list[float] = []
    batches = 0
    begins = [(at, number) for number, one in enumerate(replicas) if (at := one.next_at) is not None]
    heapq.heapify(begins)
    locks: list[tuple[float, int, list[tuple[float, int]]]] = []
    while begins or locks:
        if not locks or (begins and begins[0][0] <= locks[0][0]):
            at, number = heapq.heappop(begins)
            taken = replicas[number].take(at, shape.most)
            heapq.heappush(locks, (at + shape.batch.unlocked_ms(len(taken)) / 1000, number, taken))
            continue
        wanted, number, taken = heapq.heappop(locks)
        slots = {slot for _, slot in taken}
        locked = max(wanted, max(free[slot] for slot in slots))
        committed = locked + shape.batch.locked_ms(len(taken)) / 1000
        free.update(dict.fromkeys(slots, committed))
        replica = replicas[number]
        replica.free_at, replica.stood = committed, replica.stood + locked - wanted
        waits += [committed - arrived for arrived, _ in taken]
        batches += 1
        if (at := replica.next_at) is not None:
            heapq.heappush(begins, (at, number))
    return waits, batches
