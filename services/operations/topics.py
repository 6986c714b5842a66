"""`python -m services.operations.topics`: create the topics that contracts declare; never changes one in place."""

from __future__ import annotations

import asyncio
import os
import sys

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from booking_contracts.topics import TOPICS


async def apply(bootstrap_servers: str, replication_factor: int = 1) -> list[str]:
    """Create what is missing. Returns the names that were created; raises where partitions differ."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        existing = await admin.list_topics()
        missing = [topic for topic in TOPICS if topic.name not in existing]
        present = [topic.name for topic in TOPICS if topic.name in existing]
        for description in await admin.describe_topics(present) if present else []:
            wanted = next(topic.partitions for topic in TOPICS if topic.name == description["topic"])
            if len(description["partitions"]) != wanted:
                raise SystemExit(f"{description['topic']} must have {wanted} partitions; make a new topic instead")
        await admin.create_topics(
            [
                NewTopic(
                    topic.name,
                    topic.partitions,
                    replication_factor,
                    topic_configs={"retention.ms": str(topic.retention_ms), "compression.type": "producer"},
                )
                for topic in missing
            ]
        )
        return [topic.name for topic in missing]
    finally:
        await admin.close()


def main() -> int:
    """Reads KAFKA_BOOTSTRAP_SERVERS and, where it is not 1, KAFKA_REPLICATION_FACTOR."""
    factor = int(os.environ.get("KAFKA_REPLICATION_FACTOR", "1"))
    created = asyncio.run(apply(os.environ["KAFKA_BOOTSTRAP_SERVERS"], factor))
    sys.stdout.write(f"topics created: {len(created)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
