"""What Kafka has that is not handled yet, and who is in each service's group: looked at all the time, so that no page
waits for a broker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from aiohttp import web
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from booking_contracts.patience import ended, within
from booking_contracts.rights import SERVICES

from services.chassis.behind import Behind
from services.chassis.offsets import Partition
from services.chassis.positions import Lag
from services.operations.console.databases import Away, Databases
from services.operations.console.settings import ConsoleSettings
from services.operations.kafka_logs import PATIENCE_SECONDS, READING, Log, Reader, past_markers, readers, started
from services.operations.positions import Standing
from services.operations.terminal import service_named

log = structlog.get_logger()
EVERY_SECONDS = 5.0
OLD_SECONDS = 30.0
"""What was seen so long ago says nothing about now."""
POSITIONS = "SELECT topic, partition, next_offset FROM consumed_position"


@dataclass(frozen=True, slots=True)
class Seen:
    """`readers`: consumers by group; `lags`: by service and topic, and `standings` by partition, too, for the services
    whose database answered."""

    readers: Mapping[str, Sequence[Reader]] = field(default_factory=dict)
    lags: Mapping[str, Mapping[str, Lag]] = field(default_factory=dict)
    standings: Mapping[str, Sequence[Standing]] = field(default_factory=dict)


class KafkaWatch:
    """Looks again and again; `seen` is the last look, and `why` says why there is none of just now."""

    def __init__(self, settings: ConsoleSettings, databases: Databases) -> None:
        self._settings, self._databases = settings, databases
        self._behind = {service: Behind() for service in SERVICES}
        self._stood: dict[str, Mapping[Partition, int]] = {}
        self._empty: dict[str, dict[Partition, tuple[int, int]]] = {service: {} for service in SERVICES}
        """From where to which end there was no record."""
        self._seen, self._seen_at = Seen(), 0.0
        self.why: str | None = "Kafka has not been asked yet"

    @property
    def seen(self) -> Seen | None:
        """None where it is too old."""
        return self._seen if self._seen_at and time.monotonic() - self._seen_at < OLD_SECONDS else None

    def saw(self, seen: Seen) -> None:
        """It is so just now."""
        self._seen, self._seen_at, self.why = seen, time.monotonic(), None

    async def run(self) -> None:
        """Until cancelled; its connections are made anew after a fault."""
        while True:
            try:
                reached = self._settings.kafka_client()
                async with (
                    started(AIOKafkaAdminClient(**reached)) as admin,
                    started(AIOKafkaConsumer(**reached, **READING)) as consumer,
                ):
                    while True:
                        self.saw(await within(PATIENCE_SECONDS, self._look(admin, consumer)))
                        await asyncio.sleep(EVERY_SECONDS)
            except (KafkaError, OSError) as error:
                log.warning("Kafka does not answer", error=repr(error))
                self.why = "Kafka does not answer"
            except Exception:  # one look that fails is not the last one
                log.error("Kafka could not be looked at", exc_info=True)
                self.why = "Kafka could not be looked at: the console's log has why"
            await asyncio.sleep(EVERY_SECONDS)

    async def _look(self, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer) -> Seen:
        lags: dict[str, Mapping[str, Lag]] = {}
        standings: dict[str, Sequence[Standing]] = {}
        for service in SERVICES:
            try:
                async with self._databases.reading(service) as connection:
                    rows = await connection.fetch(POSITIONS)
            except Away:
                continue
            stands = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
            lags[service], standings[service] = await self._stand(consumer, service, stands)
        return Seen({service: await readers(admin, service) for service in SERVICES}, lags, standings)

    async def _stand(
        self, consumer: AIOKafkaConsumer, service: str, stands: Mapping[Partition, int]
    ) -> tuple[Mapping[str, Lag], Sequence[Standing]]:
        """Of partitions that the service has never read it is not known whether there is anything for it."""
        topics = service_named(service).topics
        wanted = [TopicPartition(*place) for place in stands if place[0] in topics]
        if not wanted:
            return {}, ()
        begins: Mapping[TopicPartition, int] = await consumer.beginning_offsets(wanted)
        ends: Mapping[TopicPartition, int] = await consumer.end_offsets(wanted)
        past = {(one.topic, one.partition): end for one, end in ends.items()}
        here = {place: stands[place] for place in past}
        stood, self._stood[service] = self._stood.get(service, {}), dict(here)
        empty = self._empty[service]
        looked_at = {
            place: at for place, at in here.items() if stood.get(place) == at and empty.get(place) != (at, past[place])
        }
        passed = await past_markers(self._settings.kafka_client(), looked_at, past)
        empty |= {place: (here[place], end) for place, end in passed.items()}
        here |= {place: end for place, end in past.items() if empty.get(place) == (here[place], end)}
        records: dict[str, int] = {}
        for place, end in past.items():
            records[place[0]] = records.get(place[0], 0) + max(0, end - here[place])
        lags = {topic: Lag(records[topic], seconds) for topic, seconds in self._behind[service].saw(here, past).items()}
        found = [
            Standing(*place, stands[place], Log(begins[TopicPartition(*place)], end, here[place]))
            for place, end in sorted(past.items())
        ]
        return lags, found


WATCH: web.AppKey[KafkaWatch] = web.AppKey("kafka")


async def watched(app: web.Application, watch: KafkaWatch) -> AsyncIterator[None]:
    """For `cleanup_ctx`."""
    app[WATCH] = watch
    looking = asyncio.create_task(watch.run(), name="kafka")
    yield
    await ended(looking)
