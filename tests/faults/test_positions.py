"""`bookingctl positions`: where a service stands, what that means, and how it is put elsewhere (operations-cli)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from booking_contracts.rights import SERVICES
from booking_contracts.topics import BOOKING_ADMIN_COMMANDS, BOOKING_COMMANDS

from deploy.local.stack import Stack
from services.chassis.dead_letters import Failed, set_aside_failed
from services.chassis.messages import Message, Origin, Raw
from services.chassis.operator import NotPossible
from services.operations.kafka_logs import Log
from services.operations.positions import Standing, moves
from tests.operations.conftest import Typed

TOPIC = BOOKING_ADMIN_COMMANDS.name
READ, LOST, AHEAD, UNREAD = range(4)
"""Partitions: well, behind retention, past the end, never read."""


@pytest.fixture(scope="module")
async def typed(broker: Stack) -> AsyncIterator[Typed]:
    """Ten records on each of four partitions, of one the first four gone; positions as the names above say."""
    servers = broker.env["KAFKA_BOOTSTRAP_SERVERS"]
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        for partition in range(4):
            for number in range(10):
                await producer.send_and_wait(TOPIC, b"%d" % number, partition=partition)
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.delete_records({TopicPartition(TOPIC, LOST): RecordsToDelete(before_offset=4)})
    await admin.close()
    database = await asyncpg.connect(broker.env["BOOKING_DATABASE_URL"])
    await database.executemany(
        "INSERT INTO consumed_position (topic, partition, next_offset) VALUES ($1, $2, $3)",
        [(TOPIC, READ, 7), (TOPIC, LOST, 1), (TOPIC, AHEAD, 25), ("booking.forgotten", 0, 5)],
    )
    yield Typed(broker.env)
    await database.execute("DELETE FROM consumed_position")
    await database.close()


LETTER = UUID(int=7)
NO_BODY: Any = None


@pytest.fixture
async def letter(broker: Stack) -> AsyncIterator[asyncpg.Connection]:
    """A command that failed in the log before the one that is there now, at offset 5."""
    database = await asyncpg.connect(broker.env["BOOKING_DATABASE_URL"])
    failed = Failed(command(Raw(TOPIC, AHEAD, 5, b"key", [], b"{}"), LETTER), "boom")
    await set_aside_failed(database, [failed])
    yield database
    for table in ("dead_letter", "local_message", "blocked_key", "read_again"):
        await database.execute(f"DELETE FROM {table}")
    await database.close()


def command(raw: Raw, message_id: UUID) -> Message[Any]:
    return Message(message_id, "booking.Test.v1", "key", NO_BODY, Origin.COMMAND, raw, correlation_id=str(message_id))


async def shown(typed: Typed) -> dict[tuple[str, int], Any]:
    rows = json.loads(await typed("positions show booking --json"))
    return {(row["topic"], row["partition"]): row for row in rows}


@pytest.mark.requirement("operations-cli", "observability")
async def test_every_partition_has_a_verdict(typed: Typed) -> None:
    found = await shown(typed)
    assert len(found) == 3 * 12 + 1, "all topics of the service, and one that it consumed once"
    rows = [found[TOPIC, partition] for partition in range(4)]
    assert [(row["position"], row["begin"], row["end"], row["lag"]) for row in rows] == [
        (7, 0, 10, 3),
        (1, 4, 10, 6),
        (25, 0, 10, 0),
        (None, 0, 10, 10),
    ]
    verdicts = [row["verdict"] for row in rows]
    assert verdicts[READ] == "ok"
    assert verdicts[LOST] == "behind retention: 3 records were lost before they were read"
    assert verdicts[AHEAD].startswith("past the end by 15: the topic was made anew, or Kafka restored")
    assert verdicts[UNREAD] == "ok, never read: begins with the earliest"
    assert found["booking.forgotten", 0]["verdict"].startswith("Kafka has no such partition")
    assert found[BOOKING_COMMANDS.name, 0]["lag"] == 0


@pytest.mark.requirement("operations-cli")
@pytest.mark.parametrize("service", SERVICES)
async def test_of_every_service(typed: Typed, service: str) -> None:
    assert "ok" in await typed("positions show", service)
    topic = json.loads(await typed("positions show --json", service))[-1]["topic"]
    said = await typed("positions reset --yes", service, "--topic", topic, "--to", "latest")
    assert f"start {service} again" in said


@pytest.mark.requirement("operations-cli")
async def test_topics_are_applied(typed: Typed) -> None:
    assert "nothing, all are there" in await typed("topics apply")


@pytest.mark.requirement("operations-cli", "inbox")
async def test_a_partition_past_the_end_goes_to_its_beginning_after_a_question(
    typed: Typed, letter: asyncpg.Connection
) -> None:
    said = ("positions reset booking --topic", TOPIC, "--partition", AHEAD, "--to", "earliest")
    await letter.execute(
        "INSERT INTO read_again (topic, partition, until_offset, handled_until) VALUES ($1, $2, 25, 25)", TOPIC, AHEAD
    )
    refused = await typed(*said, answer="n\n", code=1)
    assert f"{TOPIC}/{AHEAD}: 25 → 0, from past the end; 10 records are read" in refused
    assert "Read again: what was handled is known by its id" in refused
    assert (await shown(typed))[TOPIC, AHEAD]["position"] == 25
    await typed(*said, answer="y\n")
    assert (await shown(typed))[TOPIC, AHEAD]["position"] == 0
    assert (await shown(typed))[TOPIC, READ]["position"] == 7, "the others stay"
    again = Failed(command(Raw(TOPIC, AHEAD, 5, b"key", [], b"{}"), UUID(int=8)), "another record at its place")
    await set_aside_failed(letter, [again])
    kept = await letter.fetch("SELECT message_id FROM dead_letter WHERE status = 'open'")
    assert {row["message_id"] for row in kept} == {LETTER, UUID(int=8)}, "no letter is overwritten by another log's"
    assert await letter.fetch("SELECT FROM read_again") == [], "records of another log were never handled before"


@pytest.mark.requirement("operations-cli")
async def test_an_offset_that_is_not_there_is_refused(typed: Typed) -> None:
    for to in ("11", "3", "-1", "yesterday"):
        said = await typed("positions reset booking --yes --topic", TOPIC, "--partition", LOST, f"--to={to}", code=1)
        assert "goes from 4 to 10" in said
    for topic in ("booking.unheard-of", "booking.forgotten"):
        await typed("positions reset booking --yes --to latest --topic", topic, code=1)
    assert (await shown(typed))[TOPIC, LOST]["position"] == 1


@pytest.mark.requirement("operations-cli")
async def test_nothing_moves_while_a_replica_runs(typed: Typed, broker: Stack) -> None:
    servers = broker.env["KAFKA_BOOTSTRAP_SERVERS"]
    said = ("positions reset booking --yes --topic", TOPIC, "--partition", READ, "--to", "9")
    async with AIOKafkaConsumer(TOPIC, bootstrap_servers=servers, group_id="booking"):
        assert "less than 10 s ago: 1" in await typed(*said, code=1)
    assert (await shown(typed))[TOPIC, READ]["position"] == 7
    async with asyncio.timeout(20):
        await typed(*said)
    assert (await shown(typed))[TOPIC, READ]["position"] == 9


def test_what_a_move_means() -> None:
    log = Log(4, 10)
    for position, to, meaning in (
        (7, "earliest", "7 → 4, 3 records are read again"),
        (7, "9", "7 → 9, 2 records are skipped and NEVER handled"),
        (1, "latest", "1 → 10, 6 records are skipped and NEVER handled"),
        (None, "latest", "None → 10, 6 records are skipped and NEVER handled"),
        (7, "7", "stays at 7"),
        (25, "6", "25 → 6, from past the end; 4 records are read"),
    ):
        (move,) = moves([Standing("t", 0, position, log)], to)
        assert str(move) == f"t/0: {meaning}"
    with pytest.raises(NotPossible, match="topics apply"):
        moves([Standing("t", 0, 7, None)], "latest")
