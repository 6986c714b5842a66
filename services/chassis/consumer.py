"""The Kafka consumer of a service, and where its offsets stand (engine.md, Offsets and rebalances).

Kafka's offsets are committed behind the database, on a short timer, on stop and before partitions are given up: exactly
the positions whose batch has committed. On assignment reading goes on from the database's own positions.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError

from services.chassis import crash_points
from services.chassis.crash_points import Point
from services.chassis.messages import Raw
from services.chassis.offsets import Partition
from services.chassis.progress import Progress

log = structlog.get_logger()
COMMIT_SECONDS = 0.2
PLACE_AGAIN_SECONDS = 0.5


class Consumer(ConsumerRebalanceListener):  # type: ignore[misc]
    """Fetches by priority and commits exactly what is done.

    `give_up` is awaited before partitions are given up: it finishes or cancels the batch in hand. `positions` reads
    the database's positions; `busy` tells whether a batch is in hand.
    """

    def __init__(
        self,
        *,
        bootstrap_servers: str,
        group: str,
        instance: str,
        event_topics: Sequence[str],
        command_topics: Sequence[str],
        give_up: Callable[[], Coroutine[Any, Any, None]],
        positions: Callable[[list[Partition]], Coroutine[Any, Any, dict[Partition, int]]],
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._events, self._commands = frozenset(event_topics), frozenset(command_topics)
        self._give_up, self._positions, self._busy = give_up, positions, busy
        self.progress = Progress()
        self._done: dict[Partition, int] = {}
        self._unplaced = False
        self.joined = False
        self._kafka = AIOKafkaConsumer(
            bootstrap_servers=bootstrap_servers,
            group_id=group,
            client_id=instance,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            partition_assignment_strategy=(RangePartitionAssignor,),
            fetch_max_wait_ms=50,
            max_poll_interval_ms=600_000,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=3_000,
        )

    async def start(self) -> None:
        """Join the group."""
        self._kafka.subscribe(topics=[*self._events, *self._commands], listener=self)
        await self._kafka.start()

    async def stop(self) -> None:
        """Commit what is done and leave the group."""
        await self.commit()
        await self._kafka.stop()

    async def events(self, most: int) -> list[Raw]:
        """Events that are here already, at most `most`."""
        return await self._fetch(self._assigned(self._events), most, 0)

    async def commands(self, most: int) -> list[Raw]:
        """Commands that are here already, at most `most`."""
        return await self._fetch(self._assigned(self._commands), most, 0)

    async def wait(self, most: int, seconds: float) -> list[Raw]:
        """Whatever comes next, waiting up to `seconds`; may be cancelled without losing a record."""
        return await self._fetch([], most, int(seconds * 1000))

    def _assigned(self, topics: frozenset[str]) -> list[TopicPartition]:
        return [partition for partition in self._kafka.assignment() if partition.topic in topics]

    async def _fetch(self, partitions: list[TopicPartition], most: int, wait_ms: int) -> list[Raw]:
        if not partitions and not wait_ms:
            return []
        if self._unplaced:
            await self._place()
        found = await self._kafka.getmany(*partitions, timeout_ms=wait_ms, max_records=most)
        if self._unplaced:  # partitions were assigned while it waited: what it read may begin anywhere
            return []
        return [_raw(record) for records in found.values() for record in records]

    def done(self, following: dict[Partition, int]) -> None:
        """These positions are in the database; the timer commits them."""
        self._done.update(following)

    async def rewind(self, first: dict[Partition, int]) -> None:
        """Read again from these offsets: the batch that began there was not handled."""
        assigned = self._kafka.assignment()
        for (topic, partition), offset in first.items():
            if TopicPartition(topic, partition) in assigned:
                self._kafka.seek(TopicPartition(topic, partition), offset)

    async def commit(self) -> None:
        """Commit the positions done so far; a failure is no loss, the database knows better."""
        assigned = self._kafka.assignment()
        done, self._done = self._done, {}
        offsets = {
            TopicPartition(topic, partition): offset
            for (topic, partition), offset in done.items()
            if TopicPartition(topic, partition) in assigned
        }
        if not offsets:
            return
        try:
            await self._kafka.commit(offsets)
        except KafkaError as error:
            self._done = {**done, **self._done}
            log.warning("offsets were not committed, the database's positions hold", error=repr(error))

    async def commit_forever(self) -> None:
        """The timer."""
        while True:
            await asyncio.sleep(COMMIT_SECONDS)
            await self.commit()

    async def broker_answers(self) -> bool:
        """Whether the broker tells a topic's partitions."""
        try:
            partition = TopicPartition(min(self._events | self._commands), 0)
            await asyncio.wait_for(self._kafka.end_offsets([partition]), 3)
        except (KafkaError, TimeoutError):
            return False
        return True

    async def lag(self) -> dict[str, int]:
        """Records that this replica has not read yet, by topic, as the broker tells; also looks whether it moves on."""
        async with asyncio.timeout(5):
            ends = await self._kafka.end_offsets(list(self._kafka.assignment()))
            here = {partition: await self._kafka.position(partition) for partition in ends}
        self.progress.saw(time.monotonic(), here, ends, excused=self._unplaced or self._busy())
        lag: dict[str, int] = {}
        for partition, end in ends.items():
            lag[partition.topic] = lag.get(partition.topic, 0) + max(0, end - here[partition])
        return lag

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Finish or drop the batch in hand, then commit what is done."""
        self.joined = False
        await self._give_up()
        crash_points.reached(Point.WHILE_REVOKING)
        await self.commit()
        self._done.clear()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Nothing is handled before the loop has gone to where the database says, however long that takes."""
        self.seek_to_database()
        self.joined = True
        log.info("partitions assigned", partitions=len(assigned))

    def seek_to_database(self) -> None:
        """The next fetch begins at the positions that the database holds."""
        self._unplaced = True

    async def _place(self) -> None:
        """Go to the database's positions; waits while there is no database. Sets `_unplaced` again where it failed."""
        self._unplaced, placed = False, False
        try:
            placed = await self._seek()
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("the database's positions are not to be had", error=repr(error))
            await asyncio.sleep(PLACE_AGAIN_SECONDS)
        finally:
            self._unplaced = self._unplaced or not placed

    async def _seek(self) -> bool:
        """Whether every partition stands where the database says; one it has never read, at its beginning."""
        assigned = self._kafka.assignment()
        found = await self._positions([(partition.topic, partition.partition) for partition in assigned])
        if assigned != self._kafka.assignment():
            return False
        await self.rewind(found)
        unread = [partition for partition in assigned if (partition.topic, partition.partition) not in found]
        return not unread or bool(await self._kafka.seek_to_beginning(*unread))


def _raw(record: Any) -> Raw:
    headers = [(name, (value or b"").decode("latin-1")) for name, value in record.headers]
    return Raw(record.topic, record.partition, record.offset, record.key, headers, record.value or b"")
