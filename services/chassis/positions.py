"""Where a replica stands in Kafka (engine.md, Offsets and rebalances): FastStream's rebalance listener.

The database's positions are the truth. Reading begins there on assignment, whatever Kafka's group remembers; Kafka's
offsets follow on a short timer, on stop and before partitions are given up: exactly the positions whose batch has
committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from services.chassis import crash_points, metrics
from services.chassis.behind import Behind
from services.chassis.clock import real_seconds
from services.chassis.crash_points import Point
from services.chassis.database import AMISS
from services.chassis.failures import Broken
from services.chassis.offsets import Partition
from services.chassis.progress import Progress
from services.chassis.set_back import SetBack

log = structlog.get_logger()
COMMIT_SECONDS = 1.0
PLACE_AGAIN_SECONDS = 0.5
GIVE_UP_SECONDS = 5.0
HEARD_SECONDS = 1.0
"""A broker that was heard within it answers: twice as long as a fetch waits for something new (intake.py)."""

Ends = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Lag:
    """What a topic has that is not handled yet, and how long the oldest of it has been there."""

    records: int
    seconds: float


class Positions(ConsumerRebalanceListener):  # type: ignore[misc]
    """Goes to the database's positions, and has Kafka's offsets follow.

    `read` reads the database's positions. `give_up`, set by who handles batches, is awaited before partitions are given
    up: it finishes or cancels the batch in hand.
    """

    consumer: AIOKafkaConsumer
    give_up: Callable[[], Awaitable[None]]

    def __init__(
        self,
        read: Callable[[Collection[Partition]], Awaitable[dict[Partition, int]]],
        set_back: SetBack | None = None,
    ) -> None:
        self._read, self.set_back = read, set_back
        self._done: dict[Partition, int] = {}
        self._here: dict[Partition, int] = {}
        self.stood: dict[Partition, int] = {}
        """The database's positions, as they were read or written last."""
        self._placed = True
        self._numbers: frozenset[int] = frozenset()
        self._of_topics: dict[frozenset[str], list[TopicPartition]] = {}
        """By topics, since the assignment; asked for many times a second."""
        self.joined = False
        self.progress = Progress()
        self._behind = Behind()

    def assigned(self, topics: frozenset[str]) -> list[TopicPartition]:
        """This replica's partitions of these topics."""
        if topics not in self._of_topics:
            mine = [partition for partition in self.consumer.assignment() if partition.topic in topics]
            self._of_topics[topics] = mine
        return self._of_topics[topics]

    def numbers(self) -> frozenset[int]:
        """The numbers of this replica's partitions, the same of every topic: their keys' rows are its own."""
        return self._numbers if self.joined else frozenset()

    def done(self, following: Mapping[Partition, int]) -> None:
        """These positions are in the database; the timer commits them."""
        self._done.update(following)
        self._here.update(following)
        self.stood.update(following)

    def go_back(self) -> None:
        """Read on from the database's positions: what was read since then has not been handled."""
        self._placed = False

    @property
    def moved(self) -> bool:
        """Whether partitions came or went, or reading is to go back: what was read may not be ours, or not new."""
        return not (self._placed and self.joined)

    async def placed(self) -> bool:
        """Whether reading may go on; goes to the database's positions first, where that is due.

        Raises Broken where the database stands past the end of the log.
        """
        if self._placed:
            return True
        self._placed = True  # a rebalance meanwhile takes it back
        try:
            where = await self._place()
        except (*AMISS, KafkaError) as error:
            log.warning("the database's positions are not to be had", error=repr(error))
            where = None
            await asyncio.sleep(PLACE_AGAIN_SECONDS)
        self._placed = self._placed and where is not None
        self._here = where or {}
        return self._placed

    async def _place(self) -> dict[Partition, int] | None:
        if self.set_back is not None:
            await self.set_back.look(self.consumer)
        assigned = self.consumer.assignment()
        found = await self._read([(partition.topic, partition.partition) for partition in assigned])
        # The log's ends after the positions: whoever handles records meanwhile would else stand past a stale end.
        begins: Ends = await self.consumer.beginning_offsets(list(assigned)) if assigned else {}
        ends: Ends = await self.consumer.end_offsets(list(assigned)) if assigned else {}
        if assigned != self.consumer.assignment():
            return None
        self.stood.clear()
        self.stood.update(found)
        where = {}
        for partition in assigned:
            place = (partition.topic, partition.partition)
            where[place] = _checked(place, found.get(place), begins[partition], ends[partition])
            self.consumer.seek(partition, where[place])
        return where

    async def commit(self) -> None:
        """Commit the positions done so far; a failure is no loss, the database knows better."""
        assigned = self.consumer.assignment()
        done, self._done = self._done, {}
        offsets = {
            TopicPartition(topic, partition): offset
            for (topic, partition), offset in done.items()
            if TopicPartition(topic, partition) in assigned
        }
        if not offsets:
            return
        try:
            await self.consumer.commit(offsets)
        except Exception as error:  # Kafka's, or the event loop's about a connection that was cut while it wrote
            self._done = {**done, **self._done}
            log.warning("offsets were not committed, the database's positions hold", error=repr(error))

    async def commit_forever(self) -> None:
        """The timer."""
        while True:
            await asyncio.sleep(COMMIT_SECONDS)
            if self.joined:
                await self.commit()

    async def broker_answers(self) -> bool:
        """Whether the broker has just told what is new, or tells where a partition ends: that waits behind a fetch."""
        polled = (self.consumer.last_poll_timestamp(one) or 0 for one in self.consumer.assignment())
        if max(polled, default=0) > (real_seconds() - HEARD_SECONDS) * 1000:
            return True
        try:
            async with asyncio.timeout(3):
                await self.consumer.end_offsets([TopicPartition(min(self.consumer.subscription()), 0)])
        except Exception:
            return False
        return True

    async def lag(self, *, idle: bool) -> dict[str, Lag]:
        """What is not handled yet, by topic, counted from the database's positions; also notes whether it moves.

        `idle`: no batch is in hand, so that what was read is handled, and what is left are markers of transactions.
        """
        async with asyncio.timeout(5):
            ends: dict[TopicPartition, int] = await self.consumer.end_offsets(list(self.consumer.assignment()))
            read = {}
            if idle and self._placed:  # else what was read last is read again
                read = {partition: await self.consumer.position(partition) for partition in ends}
        here: dict[Partition, int] = {}
        for partition, end in ends.items():
            place = (partition.topic, partition.partition)
            here[place] = max(self._here.get(place, read.get(partition, end)), read.get(partition, 0))
        past = {(partition.topic, partition.partition): end for partition, end in ends.items()}
        self.progress.saw(here, past)
        records: dict[str, int] = {}
        for (topic, number), end in past.items():
            records[topic] = records.get(topic, 0) + max(0, end - here[topic, number])
        known = {place: here[place] for place in here if place in self._here or read}
        return {topic: Lag(records[topic], seconds) for topic, seconds in self._behind.saw(known, past).items()}

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Finish or drop the batch in hand, then commit what is done."""
        self.joined = False
        self._of_topics = {}
        await self.give_up()
        crash_points.reached(Point.WHILE_REVOKING)
        await self.commit()
        self._done.clear()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Nothing is handled before the replica has gone to where the database says, however long that takes."""
        self._of_topics = {}
        self._numbers = frozenset(partition.partition for partition in assigned)
        self.go_back()
        self.joined = True
        log.info("partitions assigned", partitions=len(assigned))


def _checked(place: Partition, stands: int | None, begin: int, end: int) -> int:
    """Where to read on; says what the log does not hold any more."""
    topic, partition = place
    if stands is None:
        return begin
    if stands > end:
        raise Broken(
            f"{topic}/{partition}: the database stands at {stands}, the log ends at {end}. The topic was made anew, or "
            "Kafka was restored or is another one; see `bookingctl positions show`, then `bookingctl positions reset`"
        )
    if stands < begin:
        metrics.records_missed.labels(topic).inc(begin - stands)
        log.error("records are gone from the log unread", topic=topic, partition=partition, first=stands, next=begin)
    return max(stands, begin)
