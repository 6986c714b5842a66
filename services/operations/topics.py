"""`python -m services.operations.topics`: the topics that contracts declare, with their settings.

Partitions never change in place. Settings do: those of contracts are set, also on a topic that is there already, and
what an operator has set besides stays.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import NoError, TopicAlreadyExistsError, for_code
from booking_contracts.topics import TOPICS, Topic

DYNAMIC_TOPIC_CONFIG = 1
"""The source of a setting that was made for this topic (Kafka protocol, DescribeConfigs)."""


async def apply(bootstrap_servers: str, replication_factor: int = 1) -> list[str]:
    """Create what is missing and set what differs. Returns the names that were created.

    Raises SystemExit where partitions differ, and aiokafka's error of what the broker refuses.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
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
            [NewTopic(one.name, one.partitions, replication_factor, topic_configs=one.config) for one in missing]
        )
        _check((code, f"{name}: {message}") for name, code, message in created.topic_errors)
        await _set(admin, list(present.values()))
        return [topic.name for topic in missing]
    finally:
        await admin.close()


async def _set(admin: Any, topics: Sequence[Topic]) -> None:
    """Settings that differ. The request that aiokafka knows replaces all of a topic's: those it has go with it."""
    if not topics:
        return
    own = await _settings(admin, topics)
    changed = [topic for topic in topics if topic.config.items() - own[topic.name].items()]
    if not changed:
        return
    for answer in await admin.alter_configs(
        [ConfigResource(ConfigResourceType.TOPIC, one.name, {**own[one.name], **one.config}) for one in changed]
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
    """Reads KAFKA_BOOTSTRAP_SERVERS and, where it is not 1, KAFKA_REPLICATION_FACTOR."""
    factor = int(os.environ.get("KAFKA_REPLICATION_FACTOR", "1"))
    created = asyncio.run(apply(os.environ["KAFKA_BOOTSTRAP_SERVERS"], factor))
    sys.stdout.write(f"topics created: {len(created)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
