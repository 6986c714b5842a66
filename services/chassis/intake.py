"""The one subscriber of a service: FastStream starts it, joins the group, loops and dispatches.

Every piece that differs from FastStream's batch subscriber has its reason in docs/decisions/0004 and a test that pins
it (tests/chassis/test_faststream_pins.py).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import ConsumerStoppedError, KafkaError
from booking_contracts.patience import within
from faststream._internal.endpoint.subscriber.call_item import CallsCollection
from faststream.kafka import KafkaBroker, Topic
from faststream.kafka.broker.registrator import KafkaRegistrator
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage
from faststream.kafka.subscriber.config import KafkaSubscriberConfig, KafkaSubscriberSpecificationConfig
from faststream.kafka.subscriber.specification import KafkaSubscriberSpecification
from faststream.kafka.subscriber.usecase import BatchSubscriber
from faststream.middlewares import AckPolicy

from services.chassis.clock import instant
from services.chassis.failures import Broken, Failure, classify
from services.chassis.gathering import IDLE_SECONDS, MOST, Batch, Gathering, Unfetchable
from services.chassis.local import Local
from services.chassis.messages import Raw
from services.chassis.positions import Positions
from services.chassis.service import Service
from services.chassis.tolerant_records import Undecodable, read_tolerantly

if TYPE_CHECKING:
    from faststream.kafka.configs import KafkaBrokerConfig

log = structlog.get_logger()
PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 0.02
"""A batch of some messages is followed by a pause half as long, at most so long: what comes meanwhile shares the next
one. After a single message there is none, nor after a full batch: who is idle answers at once, who has much begins."""
LEAVE_SECONDS = 3.0
CONSUMER: dict[str, Any] = {
    "auto_offset_reset": "earliest",
    "isolation_level": "read_committed",
    "partition_assignment_strategy": (RangePartitionAssignor,),  # one booking's topics meet in one replica
    "fetch_max_wait_ms": 500,  # the broker answers at once when there is something of what was asked for
    "max_poll_interval_ms": 600_000,
    "session_timeout_ms": 10_000,
    "heartbeat_interval_ms": 3_000,
}


async def parse(batch: Batch) -> KafkaMessage:
    """A batch as FastStream's message. Its `ack()` can commit nothing: offsets follow the database (positions.py)."""
    return KafkaMessage(raw_message=batch, body=b"", consumer=FAKE_CONSUMER)


def raw_of(record: ConsumerRecord[bytes, bytes]) -> Raw:
    """A record as it came; a header's bytes are kept as latin-1 text."""
    if record.headers and isinstance(record.headers[0], Undecodable):
        reason = record.headers[0].reason.decode()
        return Raw(record.topic, record.partition, record.offset, None, [], b"", undecodable=reason)
    headers = [(name, (value or b"").decode("latin-1")) for name, value in record.headers]
    body, sent_at = record.value or b"", instant(record.timestamp)
    return Raw(record.topic, record.partition, record.offset, record.key, headers, body, sent_at=sent_at)


class Intake(BatchSubscriber):
    """Batches of Raw, as gathering.py finds them."""

    def __init__(
        self,
        broker: KafkaBroker,
        service: Service,
        local: Local,
        positions: Positions,
        failed: Callable[[BaseException], None],
        security: Mapping[str, object] | None = None,
    ) -> None:
        topics, calls = [Topic(name) for name in service.topics], CallsCollection[Any]()
        outer = cast("KafkaBrokerConfig", broker.config)
        config = KafkaSubscriberConfig(
            topics=topics,
            group_id=service.name,
            listener=positions,
            connection_args={**CONSUMER, **(security or {})},
            no_reply=True,
            _outer_config=outer,
            _ack_policy=AckPolicy.MANUAL,
        )
        told = KafkaSubscriberSpecificationConfig(topics=topics, title_=service.name, description_=None)
        specification = KafkaSubscriberSpecification(_outer_config=outer, calls=calls, specification_config=told)
        super().__init__(config, specification, calls, batch_timeout_ms=int(IDLE_SECONDS * 1000), max_records=MOST)
        self._gathering = Gathering(service, local, positions)
        self._local, self._where, self._failed = local, positions, failed
        self._gathers, self._next_at = service.gathers_seconds, 0.0
        self._carefully = False
        self.last_progress = time.monotonic()
        read_tolerantly()
        super(KafkaRegistrator, broker).subscriber(self)
        self.add_call(parser_=parse, decoder_=self._decode, dependencies_=())

    @property
    def builder(self) -> Callable[..., AIOKafkaConsumer]:
        """Makes FastStream's consumer; the listener knows it before the group is joined."""
        make = super().builder

        def made(**arguments: Any) -> AIOKafkaConsumer:
            self._where.consumer = make(**arguments)
            return self._where.consumer

        return made

    async def start(self) -> None:
        """Join the group; waits for a broker as long as it takes."""
        while True:
            try:
                await super().start()
                break
            except KafkaError as error:
                log.warning("service waits for Kafka", error=repr(error))
                if self.consumer is not None:
                    await self.consumer.stop()
                await asyncio.sleep(PAUSE_SECONDS)

    async def stop(self) -> None:
        """Commit what is done, then leave the group, so that others take over at once."""
        self.running = False
        if self.consumer is None:
            return
        try:
            await within(LEAVE_SECONDS, self._leave())
        except (TimeoutError, KafkaError) as error:
            log.warning("consumer did not leave its group in time", error=repr(error))

    async def _leave(self) -> None:
        await self._where.commit()
        await super().stop()

    def quiet(self) -> None:
        """No new batch from now on."""
        self.running = False
        self._local.woken.set()

    async def _join_again(self) -> None:
        """With a new consumer: an error that aiokafka's coordinator or fetcher does not expect ends it for good."""
        log.warning("the consumer is made anew")
        self._where.joined = False
        while self.running:
            with suppress(Exception):
                await within(LEAVE_SECONDS, self._where.consumer.stop())
            self.consumer = self.builder(group_id=self.group_id, client_id=self.client_id, **self._connection_args)
            self.consumer.subscribe(topics=self.topic_names_for_subscribe, listener=self._listener)
            try:
                await self.consumer.start()
                return
            except KafkaError as error:
                log.warning("service waits for Kafka", error=repr(error))
                await asyncio.sleep(PAUSE_SECONDS)

    async def _decode(self, message: KafkaMessage) -> list[Raw]:
        """Records and local messages alike, as the engine reads them."""
        set_back = self._where.set_back
        found = [item if isinstance(item, Raw) else raw_of(item) for item in message.raw_message]
        if set_back is None or not set_back.has_forgotten:
            return found
        return [replace(raw, again=set_back.is_read_again(raw.topic, raw.partition, raw.offset)) for raw in found]

    async def get_msg(self, _: AIOKafkaConsumer) -> Batch:
        """The next batch; empty where there is none."""
        self.last_progress = time.monotonic()
        consumer = self._where.consumer
        try:
            if (fetcher := consumer._fetcher.error_future).done():
                fetcher.result()  # else nothing comes any more, and nobody says so
            if not await self._where.placed():
                return ()
            if self._carefully:
                self._carefully = False
                return tuple(await self._gathering.one_by_one(consumer))
            return tuple(await self._gathering.gather(consumer, self._next_at - time.monotonic()))
        except ConsumerStoppedError:
            raise
        except Unfetchable as error:
            log.error("a record cannot be decoded, it is looked for", error=str(error))
            self._carefully = True
            self._where.go_back()
            return ()
        except Exception as error:
            await self._missed(error)
            return ()

    async def consume_one(self, msg: Batch) -> None:
        """Through FastStream's middlewares, parser and decoder to the handler; a fault there ends the service."""
        began = time.monotonic()
        try:
            await self.process_message(msg)
        except Exception as error:
            self._stop_for(error)
        took = time.monotonic() - began
        is_busy = 1 < len(msg) < MOST // 2
        self._next_at = began + max(self._gathers, took + min(took / 2, LONGEST_PAUSE_SECONDS) * is_busy)

    async def _missed(self, error: Exception) -> None:
        """Nothing was gathered: what was read since the last batch is read again."""
        self._where.go_back()
        if classify(error) is Failure.BROKEN:
            self._stop_for(error)
        elif type(error).__name__.endswith("AuthorizationFailedError"):
            self._stop_for(Broken(f"Kafka refuses this service: {error!r}; check its ACLs"))
        else:
            log.warning("nothing was gathered, tried again", error=repr(error))
            await asyncio.sleep(PAUSE_SECONDS)
            if type(error) is KafkaError:  # just this class: what the coordinator or fetcher did not expect
                await self._join_again()

    def _stop_for(self, error: BaseException) -> None:
        self.running = False
        self._failed(error)
