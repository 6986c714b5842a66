"""All that a running stack has written down: logs, Kafka's records, every text in its databases, mails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from booking_contracts.testkit.system import System

from deploy.local.stack import Stack
from services.operations.databases import DATABASES

Written = tuple[str, str]
"""Where it stands, and the text."""
COLUMNS = """
SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c
     JOIN information_schema.tables t USING (table_schema, table_name)
WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'
  AND c.data_type IN ('text', 'character varying', 'json', 'jsonb', 'bytea', 'ARRAY')
ORDER BY 1, 2
"""


async def everything(system: System, stack: Stack) -> list[Written]:
    """All of it."""
    found = list(logs(stack))
    found += [one async for one in records(system.env["KAFKA_BOOTSTRAP_SERVERS"])]
    for database in DATABASES:
        found += [one async for one in texts(database, system.env[f"AUDITOR_{database.upper()}_DATABASE_URL"])]
    async with system.http.get(system.env["MAILBOX_URL"] + "/messages") as response:
        found += [("mail", str(mail)) for mail in await response.json()]
    return found


def logs(stack: Stack) -> Iterator[Written]:
    """Line by line, of every process and step; an empty log is one empty line."""
    for file in sorted(stack.log("any").parent.glob("*")):
        for line in file.read_text(errors="replace").splitlines() or [""]:
            yield f"log {file.name}", line


async def records(servers: str) -> AsyncIterator[Written]:
    """Key, headers and body of every record of every topic of ours."""
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, fetch_max_wait_ms=50)
    await consumer.start()
    try:
        partitions = await _partitions(servers)
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(partitions)
        behind = {partition for partition, end in ends.items() if end}
        async with asyncio.timeout(60):
            while behind:
                for partition, batch in (await consumer.getmany(timeout_ms=200)).items():
                    for record in batch:
                        yield f"topic {record.topic}", _text(record)
                    if batch[-1].offset + 1 >= ends[partition]:
                        behind.discard(partition)
    finally:
        await consumer.stop()


async def _partitions(servers: str) -> list[TopicPartition]:
    """Of every topic there is, but those that Kafka keeps for itself."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        names = [name for name in await admin.list_topics() if not name.startswith("__")]
        described = await admin.describe_topics(names)
    finally:
        await admin.close()
    return [TopicPartition(one["topic"], part["partition"]) for one in described for part in one["partitions"]]


def _text(record: Any) -> str:
    parts = [record.key, *(part for name, value in record.headers for part in (name.encode(), value)), record.value]
    return b" ".join(part for part in parts if part is not None).decode("utf-8", "replace")


async def texts(service: str, url: str) -> AsyncIterator[Written]:
    """Every value of every column that can hold a text; bytes as the text they are."""
    connection = await asyncpg.connect(url)
    try:
        for table, column, kind in await connection.fetch(COLUMNS):
            value = f"encode(\"{column}\", 'escape')" if kind == "bytea" else f'"{column}"::text'
            for row in await connection.fetch(f'SELECT {value} AS value FROM "{table}" WHERE "{column}" IS NOT NULL'):
                yield f"database {service}, {table}.{column}", row["value"]
    finally:
        await connection.close()
