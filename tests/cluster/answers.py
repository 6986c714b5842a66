"""How long commands waited for their answers, by the times of the records in Kafka: neither side is asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from booking_contracts.topics import BOOKING_ADMIN_COMMANDS, BOOKING_COMMANDS, BOOKING_REPLIES, Topic

READ_SECONDS = 60.0
PROMISED_SECONDS = 1.0
"""The objective of deploy/alerts/BookingAnswersLate.yaml."""


@dataclass(frozen=True)
class Figures:
    """Of the commands of a while, in seconds from the record of the command to that of its answer."""

    commands: int
    answered: int
    median: float
    slow: float
    """99 of 100 were not slower."""
    slowest: float
    in_a_second: float
    """The share that was answered in PROMISED_SECONDS."""
    silence: float
    """The longest time without any answer."""


@dataclass
class Times:
    """When each command was first sent and first answered, in seconds of the epoch, by its id."""

    sent: dict[str, float]
    answered: dict[str, float]


async def read(servers: str) -> Times:
    """From the topics' beginnings to where they end now."""
    sent: dict[str, float] = {}
    answered: dict[str, float] = {}
    for record in await _records(servers, (BOOKING_COMMANDS, BOOKING_ADMIN_COMMANDS, BOOKING_REPLIES)):
        at = record.timestamp / 1000
        if record.topic == BOOKING_REPLIES.name:
            _first(answered, json.loads(record.value)["command_id"], at)
        else:
            _first(sent, (dict(record.headers).get("ce_id") or b"").decode("utf-8", "replace"), at)
    return Times(sent, answered)


def figures(times: Times, since: float, until: float) -> Figures:
    """Of the commands that were sent between two moments."""
    sent = {command: at for command, at in times.sent.items() if since <= at <= until}
    waits = sorted(times.answered[command] - at for command, at in sent.items() if command in times.answered)
    at_times = sorted(at for at in times.answered.values() if since <= at <= until)
    return Figures(
        commands=len(sent),
        answered=len(waits),
        median=_quantile(waits, 0.5),
        slow=_quantile(waits, 0.99),
        slowest=_quantile(waits, 1.0),
        in_a_second=sum(wait <= PROMISED_SECONDS for wait in waits) / max(len(waits), 1),
        silence=max((after - before for before, after in pairwise([since, *at_times])), default=until - since),
    )


def answers_between(times: Times, since: float, until: float) -> int:
    """How many answers were published between two moments."""
    return sum(since <= at <= until for at in times.answered.values())


def _first(found: dict[str, float], command: str, at: float) -> None:
    found[command] = min(found.get(command, at), at)


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


async def _records(servers: str, topics: Iterable[Topic]) -> list[Any]:
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, fetch_max_wait_ms=50)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)]
        ends: Mapping[TopicPartition, int] = await consumer.end_offsets(partitions)
        behind = {partition for partition, end in ends.items() if end}
        found: list[Any] = []
        consumer.assign([*behind])
        await consumer.seek_to_beginning()
        async with asyncio.timeout(READ_SECONDS):
            while behind:
                for partition, records in (await consumer.getmany(timeout_ms=200)).items():
                    found += records
                    if records[-1].offset + 1 >= ends[partition]:
                        behind.discard(partition)
        return found
    finally:
        await consumer.stop()
