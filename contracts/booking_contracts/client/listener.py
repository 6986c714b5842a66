"""What the client listens with: one consumer without a group on every partition of the topics it follows."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition

from booking_contracts.client.ending import ENDS_WITHIN_SECONDS, ends_within
from booking_contracts.client.errors import NotListening, TopicsMissing
from booking_contracts.client.inbox import Events, Received, Replies
from booking_contracts.envelope import read_envelope
from booking_contracts.registry import REPLY_TOPICS
from booking_contracts.topics import Topic
from booking_contracts.types import problem_of

LOG = logging.getLogger(__name__)
FETCH_MAX_WAIT_MS = 20
_REPLY_TOPICS = frozenset(REPLY_TOPICS.values())


class Listener:
    """Follows topics from their end at `start()` on, and keeps what it hears (client/inbox.py)."""

    def __init__(
        self, bootstrap_servers: str, topics: Sequence[Topic], remembered: int, settings: Mapping[str, object]
    ) -> None:
        self.replies, self.events = Replies(remembered), Events(remembered)
        self._topics = topics
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap_servers,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            isolation_level="read_committed",
            fetch_max_wait_ms=FETCH_MAX_WAIT_MS,
            **settings,
        )
        self._task: asyncio.Task[None] | None = None
        self._failure: NotListening | None = None

    async def start(self) -> None:
        """Returns once the end of every partition is known: what is written after it is heard.

        Raises TopicsMissing; connection errors are aiokafka's.
        """
        await self._consumer.start()
        try:
            existing = await self._consumer.topics()
            missing = [topic.name for topic in self._topics if topic.name not in existing]
            if missing:
                raise TopicsMissing(missing)
            partitions = [TopicPartition(topic.name, n) for topic in self._topics for n in range(topic.partitions)]
            self._consumer.assign(partitions)
            for partition, offset in (await self._consumer.end_offsets(partitions)).items():
                self._consumer.seek(partition, offset)
        except BaseException:
            await self._consumer.stop()
            raise
        self._task = asyncio.create_task(self._listen(), name="booking-client-listener")

    async def stop(self) -> None:
        """Stop; whoever still waits gets NotListening."""
        self._give_up("it was closed")
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await ends_within(ENDS_WITHIN_SECONDS, self._consumer.stop(), "its consumer")

    def assert_listening(self) -> None:
        """Raises NotListening where nothing can be heard any more."""
        if self._failure is not None:
            raise self._failure

    def _give_up(self, reason: object) -> None:
        if self._failure is None:
            self._failure = NotListening(reason)
        self.replies.fail(self._failure)
        self.events.fail(self._failure)

    async def _listen(self) -> None:
        try:
            while True:
                for records in (await self._consumer.getmany(timeout_ms=1000)).values():
                    for record in records:
                        self._hear(record.topic, record.key, record.value, record.headers)
        except Exception as error:
            LOG.exception("The booking client stopped listening")
            self._give_up(repr(error))

    def _hear(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes | None]]
    ) -> None:
        try:
            received = Received(topic, read_envelope(key, value, headers, datetime.now(UTC)))
            if topic in _REPLY_TOPICS:
                self.replies.arrived(UUID(received.envelope.causation_id or ""), received)
            else:
                self.events.arrived(received)
        except ValueError as error:
            LOG.warning("A record on %s cannot be read and is passed over: %s", topic, problem_of(error))
