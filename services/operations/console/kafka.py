"""What Kafka has that is not handled yet, and who is in each service's group: looked at all the time, so that no page
waits for a broker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import structlog
from aiohttp import web
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from booking_contracts.rights import SERVICES

from services.chassis.behind import Behind
from services.chassis.offsets import Partition
from services.chassis.positions import Lag
from services.operations.console.databases import Away, Databases
from services.operations.console.settings import ConsoleSettings
from services.operations.kafka_logs import members_of
from services.operations.terminal import service_named

log = structlog.get_logger()
EVERY_SECONDS = 5.0
PATIENCE_SECONDS = 10.0
"""For one look."""
OLD_SECONDS = 30.0
"""What was seen so long ago says nothing about now."""
READING = {
    "group_id": None,
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "isolation_level": "read_committed",
    "max_partition_fetch_bytes": 16_384,
}
MARKERS_SECONDS = 0.5
MOST_MARKERS = 100
"""A gap that is wider has records in it."""
POSITIONS = "SELECT topic, partition, next_offset FROM consumed_position"


@dataclass(frozen=True, slots=True)
class Seen:
    """`members`: consumers by group; `lags`: by service and topic, for the services whose database answered."""

    members: Mapping[str, int] = field(default_factory=dict)
    lags: Mapping[str, Mapping[str, Lag]] = field(default_factory=dict)


class KafkaWatch:
    """Looks again and again; `seen` is the last look, and `why` says why there is none of just now."""

    def __init__(self, settings: ConsoleSettings, databases: Databases) -> None:
        self._settings, self._databases = settings, databases
        self._behind = {service: Behind() for service in SERVICES}
        self._stood: dict[str, Mapping[Partition, int]] = {}
        self._seen, self._seen_at = Seen(), 0.0
        self.why: str | None = "Kafka has not been asked yet"

    @property
    def seen(self) -> Seen | None:
        """None where it is too old."""
        return self._seen if self._seen_at and time.monotonic() - self._seen_at < OLD_SECONDS else None

    async def run(self) -> None:
        """Until cancelled; its connections are made anew after a fault."""
        while True:
            try:
                async with self._clients() as (admin, consumer):
                    while True:
                        async with asyncio.timeout(PATIENCE_SECONDS):
                            self._seen = await self._look(admin, consumer)
                        self._seen_at, self.why = time.monotonic(), None
                        await asyncio.sleep(EVERY_SECONDS)
            except (KafkaError, OSError) as error:
                log.warning("Kafka does not answer", error=repr(error))
                self.why = "Kafka does not answer"
            except Exception:  # one look that fails is not the last one
                log.error("Kafka could not be looked at", exc_info=True)
                self.why = "Kafka could not be looked at: the console's log has why"
            await asyncio.sleep(EVERY_SECONDS)

    @asynccontextmanager
    async def _clients(self) -> AsyncIterator[tuple[AIOKafkaAdminClient, AIOKafkaConsumer]]:
        reached = self._settings.kafka_client()
        async with AsyncExitStack() as open_ones, asyncio.timeout(None) as patience:
            patience.reschedule(asyncio.get_running_loop().time() + PATIENCE_SECONDS)
            admin = AIOKafkaAdminClient(**reached)
            open_ones.push_async_callback(admin.close)
            await admin.start()
            consumer = AIOKafkaConsumer(**reached, **READING)
            open_ones.push_async_callback(consumer.stop)
            await consumer.start()
            patience.reschedule(None)
            yield admin, consumer

    async def _look(self, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer) -> Seen:
        lags: dict[str, Mapping[str, Lag]] = {}
        for service in SERVICES:
            try:
                async with self._databases.reading(service) as connection:
                    rows = await connection.fetch(POSITIONS)
            except Away:
                continue
            lags[service] = await self._lag(
                consumer, service, {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
            )
        return Seen({service: await members_of(admin, service) for service in SERVICES}, lags)

    async def _lag(
        self, consumer: AIOKafkaConsumer, service: str, stands: Mapping[Partition, int]
    ) -> Mapping[str, Lag]:
        """Of partitions that the service has never read it is not known whether there is anything for it."""
        topics = service_named(service).topics
        wanted = [TopicPartition(*place) for place in stands if place[0] in topics]
        if not wanted:
            return {}
        ends: Mapping[TopicPartition, int] = await consumer.end_offsets(wanted)
        past = {(one.topic, one.partition): end for one, end in ends.items()}
        here = {place: stands[place] for place in past}
        stood, self._stood[service] = self._stood.get(service, {}), dict(here)
        still = {place: at for place, at in here.items() if stood.get(place) == at}
        here |= await _past_markers(
            consumer, {place: at for place, at in still.items() if 0 < past[place] - at <= MOST_MARKERS}
        )
        records: dict[str, int] = {}
        for place, end in past.items():
            records[place[0]] = records.get(place[0], 0) + max(0, end - here[place])
        return {topic: Lag(records[topic], seconds) for topic, seconds in self._behind[service].saw(here, past).items()}


async def _past_markers(consumer: AIOKafkaConsumer, here: Mapping[Partition, int]) -> dict[Partition, int]:
    """Where partitions that have not moved stand once what is no record, a transaction's marker, is passed over: no
    service waits for more after it."""
    found: dict[Partition, int] = {}
    if not here:
        return found
    partitions = {TopicPartition(*place): at for place, at in here.items()}
    consumer.assign(list(partitions))
    for partition, at in partitions.items():
        consumer.seek(partition, at)
    try:
        read = await consumer.getmany(*partitions, timeout_ms=int(MARKERS_SECONDS * 1000), max_records=1)
    except TopicAuthorizationFailedError:  # operators may see where topics end without reading them: then it is a lag
        return found
    for partition, at in partitions.items():
        place = (partition.topic, partition.partition)
        found[place] = at if read.get(partition) else max(at, await consumer.position(partition))
    consumer.assign([])
    return found


WATCH: web.AppKey[KafkaWatch] = web.AppKey("kafka")


async def watched(app: web.Application, watch: KafkaWatch) -> AsyncIterator[None]:
    """For `cleanup_ctx`."""
    app[WATCH] = watch
    looking = asyncio.create_task(watch.run(), name="kafka")
    yield
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
