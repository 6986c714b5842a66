"""`python -m services.operations.topics`: the topics that contracts declare, with their settings.

Partitions and replicas never change in place. Settings do: those of contracts and those that are asked for are set,
also on a topic that is there already, and what an operator has set besides stays.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import NoError, TopicAlreadyExistsError, for_code
from booking_contracts.topics import TOPICS, Topic
from pydantic import Field, field_validator, model_validator

from services.chassis.kafka_settings import KafkaSettings

LISTED_SECONDS = 30.0
DYNAMIC_TOPIC_CONFIG = 1
"""The source of a setting that was made for this topic (Kafka protocol, DescribeConfigs)."""


class TopicsSettings(KafkaSettings):
    """TOPICS_… of the environment: what a cluster wants of each topic beside what contracts say."""

    topics_replication_factor: int = Field(default=1, ge=1)
    topics_min_insync_replicas: int | None = Field(default=None, ge=1)
    """Replicas that must have a record before it counts as written (`acks` is all). 2 of 3 lets one broker go."""
    topics_config: dict[str, str] = Field(default_factory=dict)
    """JSON: more of Kafka's settings of topics, by name."""

    @field_validator("topics_config")
    @classmethod
    def _not_contracts(cls, config: dict[str, str]) -> dict[str, str]:
        if taken := sorted({name for topic in TOPICS for name in topic.config} & config.keys()):
            raise ValueError(f"{', '.join(taken)}: contracts set that (booking_contracts/topics.py)")
        return config

    @model_validator(mode="after")
    def _writable(self) -> Self:
        if (self.topics_min_insync_replicas or 1) > self.topics_replication_factor:
            raise ValueError("TOPICS_MIN_INSYNC_REPLICAS above TOPICS_REPLICATION_FACTOR: nothing could be written")
        return self

    @property
    def config(self) -> dict[str, str]:
        """What is set on every topic."""
        least = self.topics_min_insync_replicas
        return self.topics_config | ({} if least is None else {"min.insync.replicas": str(least)})


async def apply(
    kafka: Mapping[str, object], replication_factor: int = 1, config: Mapping[str, str] | None = None
) -> list[str]:
    """Create what is missing and set what differs, `config` on every topic. Returns the names that were created, once
    a client finds them.

    `kafka` is what a client is made with. Raises SystemExit where partitions differ, TimeoutError where the broker does
    not come to know them, and aiokafka's error of what it refuses.
    """
    configs = {topic.name: {**(config or {}), **topic.config} for topic in TOPICS}
    admin = AIOKafkaAdminClient(**kafka)
    await admin.start()
    try:
        existing = await admin.list_topics()
        missing = [topic for topic in TOPICS if topic.name not in existing]
        present = {topic.name: topic for topic in TOPICS if topic.name in existing}
        for description in await admin.describe_topics(list(present)) if present else []:
            wanted = present[description["topic"]].partitions
            if len(description["partitions"]) != wanted:
                raise SystemExit(f"{description['topic']} must have {wanted} partitions; make a new topic instead")
        created = await admin.create_topics(
            [NewTopic(one.name, one.partitions, replication_factor, topic_configs=configs[one.name]) for one in missing]
        )
        _check((code, f"{name}: {message}") for name, code, message in created.topic_errors)
        async with asyncio.timeout(LISTED_SECONDS):  # a broker hears of them a moment later, and tells nobody
            while {topic.name for topic in missing} - {*await admin.list_topics()}:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await _set(admin, list(present.values()), configs)
        return [topic.name for topic in missing]
    finally:
        await admin.close()


async def apply_as(settings: TopicsSettings) -> list[str]:
    """`apply`, as settings say."""
    return await apply(settings.kafka_client(), settings.topics_replication_factor, settings.config)


async def _set(admin: Any, topics: Sequence[Topic], configs: Mapping[str, Mapping[str, str]]) -> None:
    """Settings that differ. The request that aiokafka knows replaces all of a topic's: those it has go with it."""
    if not topics:
        return
    own = await _settings(admin, topics)
    changed = [topic for topic in topics if configs[topic.name].items() - own[topic.name].items()]
    if not changed:
        return
    for answer in await admin.alter_configs(
        [ConfigResource(ConfigResourceType.TOPIC, one.name, {**own[one.name], **configs[one.name]}) for one in changed]
    ):
        _check((code, f"{name}: {message}") for code, message, _, name in answer.resources)


async def _settings(admin: Any, topics: Sequence[Topic]) -> dict[str, dict[str, str]]:
    """By topic, what was set for it; what it has from the broker is not among them."""
    found: dict[str, dict[str, str]] = {}
    for answer in await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, one.name) for one in topics]):
        for code, message, _, name, entries in answer.resources:
            _check([(code, f"{name}: {message}")])
            found[name] = {entry[0]: entry[1] for entry in entries if entry[3] == DYNAMIC_TOPIC_CONFIG}
    return found


def _check(answers: Iterable[tuple[int, str]]) -> None:
    for code, text in answers:
        if code not in (NoError.errno, TopicAlreadyExistsError.errno):
            raise for_code(code)(text)


def main() -> int:
    """Reads KAFKA_… as a service does, and TOPICS_REPLICATION_FACTOR, TOPICS_MIN_INSYNC_REPLICAS, TOPICS_CONFIG."""
    created = asyncio.run(apply_as(TopicsSettings()))
    sys.stdout.write(f"topics created: {len(created)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
