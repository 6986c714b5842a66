"""How a system stands, kept and gone back to: databases, Stripe's objects, mails, how far the clock was moved.

Kafka's log is no part of it: what was published stays, and other consumers have read it. So a service goes on at the
end of the log, and hears nothing of what was undone. That asks two things of the moment that is kept: a service has
read all that was sent to it, for it could not read it later; and it is stopped, for it has in memory where it stands.
What it has not published yet is in its database, and is published in both lives, by the same id.

Each of SERVICES has a database of its name, with table consumed_position (services/chassis/offsets.py), and a role
`<name>_owner`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import aiohttp
import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from booking_contracts.rights import SERVICES
from booking_contracts.testkit.running import Running
from booking_contracts.testkit.waiting import NeverHappened, eventually
from booking_contracts.topics import TOPICS

IN_MEMORY = ("STRIPE_CONTROL_URL", "MAILBOX_URL", "CLOCK_OFFSET_URL")
"""What keeps itself by `POST /snapshot`, and goes back by `POST /restore`."""
READ_SECONDS = 30.0
TRIES = 5
Place = tuple[str, int]
GO_ON = """
INSERT INTO consumed_position (topic, partition, next_offset)
SELECT topic, partition, next_offset
FROM unnest($1::text[], $2::int[], $3::bigint[]) AS t (topic, partition, next_offset)
ON CONFLICT (topic, partition) DO UPDATE SET next_offset = EXCLUDED.next_offset
"""


ALONE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"
RIGHTS = """
SELECT format('GRANT %s ON DATABASE %I TO %s', acl.privilege_type, datname, acl.grantee::regrole) AS granted
FROM pg_database, aclexplode(datacl) acl WHERE datname = $1 AND acl.grantee <> 0
"""


class NoSnapshot(AssertionError):
    """There is none to go back to: `snapshot()` comes first."""


async def take(running: Running, http: aiohttp.ClientSession) -> None:
    """Keep it, in place of what was kept before. Raises NeverHappened where something is always on its way."""
    for _ in range(TRIES):
        await _all_is_read(running.env)
        async with _stopped(running):
            if await _unread(running.env):
                continue
            async with _admin(running.env) as admin:
                for service in SERVICES:
                    await keep_database(admin, service)
            await _tell_all(running.env, http, "/snapshot")
        return
    raise NeverHappened(f"services never stood still: {await _unread(running.env)} was sent each time they stopped")


async def go_back(running: Running, http: aiohttp.ClientSession) -> None:
    """As it was kept; it can be gone back to again. Raises NoSnapshot."""
    async with _admin(running.env) as admin:
        if not await admin.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", _kept(SERVICES[0])):
            raise NoSnapshot("there is no snapshot to go back to: `snapshot()` makes one")
        async with _stopped(running):
            for service in SERVICES:
                await set_database_back(admin, service)
            await _go_on_at_the_end(running.env)
            await _tell_all(running.env, http, "/restore")


async def keep_database(admin: asyncpg.Connection, service: str) -> None:
    """Copy a service's database as it is now, in place of an older copy."""
    await admin.execute(f"DROP DATABASE IF EXISTS {_kept(service)}")
    await admin.execute(ALONE, service)  # whoever looks into a database loses it
    await admin.execute(f"CREATE DATABASE {_kept(service)} TEMPLATE {service}")


async def set_database_back(admin: asyncpg.Connection, service: str) -> None:
    """Have the database as it was copied; the service is not to run meanwhile."""
    rights = [row["granted"] for row in await admin.fetch(RIGHTS, service)]
    await admin.execute(f"DROP DATABASE {service} WITH (FORCE)")
    await admin.execute(f"CREATE DATABASE {service} TEMPLATE {_kept(service)} OWNER {service}_owner")
    for granted in (f"REVOKE ALL ON DATABASE {service} FROM PUBLIC", *rights):  # tables keep theirs
        await admin.execute(granted)


def _kept(service: str) -> str:
    return f"{service}_snapshot"


@asynccontextmanager
async def _stopped(running: Running) -> AsyncIterator[None]:
    """Without services; they are ready again at the end, whatever happens."""
    await asyncio.to_thread(running.stop_services)
    try:
        yield
    finally:
        await asyncio.to_thread(running.start_services)


@asynccontextmanager
async def _admin(env: Mapping[str, str]) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(env["POSTGRES_ADMIN_URL"])
    try:
        yield connection
    finally:
        await connection.close()


async def _tell_all(env: Mapping[str, str], http: aiohttp.ClientSession, path: str) -> None:
    for name in IN_MEMORY:
        async with http.post(env[name] + path) as answer:
            assert answer.status < 300, f"POST {env[name]}{path}: {answer.status} {await answer.text()}"


async def _all_is_read(env: Mapping[str, str]) -> None:
    await eventually("reading all that was sent", lambda: _unread(env), lambda unread: not unread, READ_SECONDS)


async def _unread(env: Mapping[str, str]) -> dict[str, int]:
    """Records by service and topic."""
    ends = await _ends(env)
    found: dict[str, int] = {}
    for service in SERVICES:
        connection = await asyncpg.connect(env[f"{service.upper()}_DATABASE_URL"])
        try:
            rows = await connection.fetch("SELECT topic, partition, next_offset FROM consumed_position")
        finally:
            await connection.close()
        read = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        for place in _read_by(service):
            if left := ends[place] - read.get(place, 0):
                name = f"{service} {place[0]}"
                found[name] = found.get(name, 0) + left
    return found


async def _go_on_at_the_end(env: Mapping[str, str]) -> None:
    """All that was sent is over, what of it was read and what was not."""
    ends = await _ends(env)
    for service in SERVICES:
        places = _read_by(service)
        connection = await asyncpg.connect(env[f"{service.upper()}_DATABASE_URL"])
        try:
            await connection.execute(
                GO_ON, [topic for topic, _ in places], [part for _, part in places], [ends[place] for place in places]
            )
        finally:
            await connection.close()


def _read_by(service: str) -> Sequence[Place]:
    return [(one.name, number) for one in TOPICS if service in one.readers for number in range(one.partitions)]


async def _ends(env: Mapping[str, str]) -> dict[Place, int]:
    """Where each partition's log ends."""
    async with AIOKafkaConsumer(bootstrap_servers=env["KAFKA_BOOTSTRAP_SERVERS"]) as consumer:
        places = [TopicPartition(*place) for service in SERVICES for place in _read_by(service)]
        ends: dict[TopicPartition, int] = await consumer.end_offsets(places)
    return {(place.topic, place.partition): end for place, end in ends.items()}
