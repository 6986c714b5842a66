"""Reads what a run left behind: every topic from its beginning, the databases as the auditor, Stripe's state."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import aiohttp
import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from booking_contracts.rights import SERVICES
from booking_contracts.topics import TOPICS

from tests.faults.facts import (
    Booking,
    Delivery,
    Entry,
    Facts,
    Intent,
    Letter,
    Payment,
    Record,
    Saga,
    Slot,
    Step,
    Waiter,
)

READS = {
    "booking": ("booking.commands", "booking.admin-commands", "payments.events"),
    "payments": ("payments.commands", "wallet.commands"),
    "notifications": ("booking.events", "payments.events"),
}
WAITING = """
SELECT (SELECT count(*) FROM outbox) AS "outbox rows",
       (SELECT count(*) FROM gateway_call WHERE state = 'open') AS "open calls",
       (SELECT count(*) FROM blocked_key) AS "blocked keys",
       (SELECT count(*) FROM local_message WHERE kind = 'record') AS "held records"
"""


Place = tuple[str, int, int]
"""Topic, partition, offset."""


async def collect(
    env: Mapping[str, str], published: set[str], planted: set[str], foreign: frozenset[Place] = frozenset()
) -> Facts:
    """All facts of a stack, now; without the records that lie at `foreign` places, which no service wrote."""
    facts = Facts(published=set(published), planted=set(planted))
    servers = env["KAFKA_BOOTSTRAP_SERVERS"]
    ends = await ends_of_topics(servers)
    await _read_topics(servers, facts, ends, foreign)
    for service in SERVICES:
        connection = await asyncpg.connect(env[f"AUDITOR_{service.upper()}_DATABASE_URL"])
        try:
            await _read_engine(connection, service, facts, ends)
            await READERS[service](connection, facts)
        finally:
            await connection.close()
    await _read_stripe(env["STRIPE_CONTROL_URL"], facts)
    return facts


async def ends_of_topics(servers: str) -> dict[TopicPartition, int]:
    """The next offset of every partition of ours."""
    consumer = AIOKafkaConsumer(bootstrap_servers=servers)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic.name, number) for topic in TOPICS for number in range(topic.partitions)]
        ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
        return ends
    finally:
        await consumer.stop()


async def _read_topics(
    servers: str, facts: Facts, ends: Mapping[TopicPartition, int], foreign: frozenset[Place]
) -> None:
    """What services wrote: their events and replies. Of commands the ends are enough, and those may be of any bytes."""
    behind = {partition for partition, end in ends.items() if end and partition.topic.endswith((".events", ".replies"))}
    if not behind:
        return
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, fetch_max_wait_ms=50)
    await consumer.start()
    try:
        consumer.assign([*behind])
        await consumer.seek_to_beginning()
        async with asyncio.timeout(300):
            while behind:
                found = await consumer.getmany(timeout_ms=200)
                for partition, records in found.items():
                    facts.records += [
                        _record(record)
                        for record in records
                        if (partition.topic, partition.partition, record.offset) not in foreign
                    ]
                    if records[-1].offset + 1 >= ends[partition]:
                        behind.discard(partition)
    finally:
        await consumer.stop()


def _record(record: Any) -> Record:
    headers = {name: (value or b"").decode("utf-8", "replace") for name, value in record.headers}
    sequence = headers.get("ce_sequence")
    return Record(
        record.topic,
        (record.key or b"").decode("utf-8", "replace"),
        headers.get("ce_id", ""),
        headers.get("ce_type", ""),
        int(sequence) if sequence else None,
        json.loads(record.value),
    )


async def _read_engine(connection: Any, service: str, facts: Facts, ends: dict[TopicPartition, int]) -> None:
    for name, count in dict(await connection.fetchrow(WAITING)).items():
        facts.waiting[f"{name} of {service}"] = count
    positions = {
        TopicPartition(row["topic"], row["partition"]): row["next_offset"]
        for row in await connection.fetch("SELECT * FROM consumed_position")
    }
    wanted = [(partition, end) for partition, end in ends.items() if partition.topic in READS[service]]
    facts.waiting[f"records unread by {service}"] = sum(
        max(0, end - positions.get(partition, 0)) for partition, end in wanted
    )
    facts.deadlocks[service] = await connection.fetchval(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    for row in await connection.fetch("SELECT * FROM dead_letter WHERE status = 'open'"):
        message = str(row["message_id"]) if row["message_id"] else None
        facts.letters.append(Letter(service, row["kind"], message, row["error"]))


async def _read_booking(connection: Any, facts: Facts) -> None:
    for row in await connection.fetch("SELECT b.*, s.occupies FROM booking b JOIN booking_state s USING (state)"):
        facts.bookings.append(
            Booking(
                str(row["booking_id"]),
                row["state"],
                str(row["slot_id"]),
                row["seats"],
                row["occupies"],
                row["price_minor"],
                str(row["payment_id"]),
                row["sequence"],
            )
        )
    for row in await connection.fetch("SELECT * FROM slot"):
        facts.slots.append(Slot(str(row["slot_id"]), row["taken"], row["capacity"]))
    for row in await connection.fetch("SELECT * FROM waitlist_entry"):
        booking_id = str(row["booking_id"]) if row["booking_id"] else None
        facts.line.append(
            Waiter(str(row["entry_id"]), row["state"], str(row["slot_id"]), row["seats"], booking_id, row["sequence"])
        )
    for row in await connection.fetch("SELECT * FROM booking_history"):
        facts.history.append(Step(str(row["booking_id"]), row["number"], row["from_state"], row["to_state"]))
    for row in await connection.fetch("SELECT * FROM saga"):
        facts.sagas.append(Saga(str(row["booking_id"]), row["step"], row["status"], row["problem"]))


async def _read_payments(connection: Any, facts: Facts) -> None:
    for row in await connection.fetch("SELECT * FROM payment"):
        facts.payments.append(
            Payment(
                str(row["booking_id"]),
                str(row["payment_id"]),
                row["status"],
                row["payment_intent"],
                row["captured_minor"],
                row["refunded_minor"],
            )
        )
    for row in await connection.fetch("SELECT * FROM ledger_entry"):
        facts.entries.append(Entry(str(row["transaction_id"]), row["account"], row["currency"], row["amount_minor"]))


async def _read_notifications(connection: Any, facts: Facts) -> None:
    for row in await connection.fetch("SELECT delivery_id, state FROM delivery"):
        facts.deliveries.append(Delivery(str(row["delivery_id"]), row["state"]))


async def _read_stripe(control: str, facts: Facts) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"{control}/state") as response:
        state = await response.json()
    for request in state["requests"]:
        if key := request["idempotency_key"]:
            facts.calls[key] = facts.calls.get(key, 0) + 1
    refunds: defaultdict[str, list[int]] = defaultdict(list)
    for refund in state["refunds"]:
        if refund["status"] in ("succeeded", "pending"):
            refunds[refund["payment_intent"]].append(refund["amount"])
    for intent in state["payment_intents"]:
        booking = intent["metadata"].get("booking_id")
        if booking:
            back = refunds[intent["id"]]
            attempt = intent["metadata"].get("attempt", "")
            facts.intents.append(
                Intent(
                    intent["id"], booking, attempt, intent["status"], intent["amount_received"], sum(back), len(back)
                )
            )


READERS = {"booking": _read_booking, "payments": _read_payments, "notifications": _read_notifications}
