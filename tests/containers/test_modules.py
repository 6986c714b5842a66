"""Our modules for testcontainers: used from the host, and by other containers of a network."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from booking_contracts import topics
from booking_contracts.testkit.containers import kafka, postgres
from booking_contracts.testkit.containers.kafka import ApacheKafkaContainer, variable
from booking_contracts.testkit.containers.postgres import PostgreSQLContainer
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from deploy.images.__main__ import ORDINARY
from deploy.local.layout import REPOSITORY, ROLES
from services.operations.databases import DATABASES

PASSWORDS = {f"{role.upper()}_PASSWORD": f"of-{role}" for role in ROLES}
PARTITIONS, RECORDS = 12, 100
ANSWER_SECONDS = 30.0


@pytest.fixture(scope="module")
def network(images: dict[str, str]) -> Iterator[Network]:
    with Network() as created:
        yield created


@pytest.fixture(scope="module")
def broker(images: dict[str, str], network: Network) -> Iterator[ApacheKafkaContainer]:
    with ApacheKafkaContainer(images["KAFKA_IMAGE"], network=network) as container:
        yield container


@pytest.fixture(scope="module")
def cluster(images: dict[str, str], network: Network) -> Iterator[PostgreSQLContainer]:
    with PostgreSQLContainer(
        images["POSTGRES_IMAGE"],
        network=network,
        password=PASSWORDS["POSTGRES_PASSWORD"],
        settings={"max_connections": "150"},
        scripts=REPOSITORY / "deploy" / "postgres",
        environment=PASSWORDS,
    ) as container:
        yield container


async def test_an_idempotent_producer_is_heard_by_a_group(broker: ApacheKafkaContainer) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic("numbers", PARTITIONS, 1)])
    await admin.close()
    sent = {str(number).encode() for number in range(RECORDS)}
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers, enable_idempotence=True) as producer:
        for value in sent:
            await producer.send("numbers", value, key=value)
    heard: list[bytes | None] = []
    async with AIOKafkaConsumer(
        "numbers", bootstrap_servers=broker.bootstrap_servers, group_id="readers", auto_offset_reset="earliest"
    ) as consumer:
        while len(heard) < RECORDS:
            found = await consumer.getmany(timeout_ms=10_000)
            assert found, f"{len(heard)} of {RECORDS} records came"
            heard += [record.value for records in found.values() for record in records]
    assert set(heard) == sent
    assert len(heard) == RECORDS


async def test_a_broker_on_no_network_finds_itself(images: dict[str, str]) -> None:
    """It ends a transaction by telling itself so, at the address that it tells other containers."""
    with ApacheKafkaContainer(images["KAFKA_IMAGE"]) as alone:
        admin = AIOKafkaAdminClient(bootstrap_servers=alone.bootstrap_servers)
        await admin.start()
        await admin.create_topics([NewTopic("together", 1, 1)])
        await admin.close()
        async with AIOKafkaProducer(bootstrap_servers=alone.bootstrap_servers, transactional_id="one") as producer:
            for value in (b"a", b"b"):
                async with producer.transaction():
                    await asyncio.wait_for(producer.send_and_wait("together", value), ANSWER_SECONDS)


async def test_scripts_settings_and_an_extension(cluster: PostgreSQLContainer) -> None:
    connection = await asyncpg.connect(cluster.url())
    assert await connection.fetchval("SHOW max_connections") == "150"
    await connection.execute("CREATE EXTENSION btree_gist")
    names = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
    await connection.close()
    assert set(DATABASES) <= names
    owner = cluster.url("booking_owner", PASSWORDS["BOOKING_OWNER_PASSWORD"], "booking")
    connection = await asyncpg.connect(owner)
    assert await connection.fetchval("SELECT current_user") == "booking_owner"
    await connection.close()


async def test_other_containers_reach_both_by_their_names(
    images: dict[str, str], network: Network, broker: ApacheKafkaContainer, cluster: PostgreSQLContainer
) -> None:
    addresses = {
        f"{service.upper()}_MIGRATION_URL": cluster.url_inside(
            f"{service}_owner", PASSWORDS[f"{service.upper()}_OWNER_PASSWORD"], service
        )
        for service in DATABASES
    }
    addresses["KAFKA_BOOTSTRAP_SERVERS"] = broker.bootstrap_servers_inside
    for command in (["bookingctl", "migrate"], ["bookingctl", "topics", "apply"]):
        with DockerContainer(images["SERVICES_IMAGE"], network=network, env=addresses).with_command(command) as job:
            ended, said = job.wait(), b"".join(job.get_logs()).decode()
            assert ended == 0, said
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    assert topics.BOOKING_COMMANDS.name in await admin.list_topics()
    await admin.close()


def test_a_script_that_fails_is_told_at_once(images: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> None:
    scripts = tmp_path_factory.mktemp("scripts")
    (scripts / "wrong.sql").write_text("CREATE TABEL;")
    with pytest.raises(RuntimeError, match="exited"), PostgreSQLContainer(images["POSTGRES_IMAGE"], scripts=scripts):
        pass


def test_ordinary_names_are_those_of_the_stack() -> None:
    assert (ORDINARY[kafka.IMAGE_VARIABLE], ORDINARY[postgres.IMAGE_VARIABLE]) == (kafka.IMAGE, postgres.IMAGE)


def test_a_setting_is_told_as_the_image_reads_it() -> None:
    assert variable("a.b_c-d") == "KAFKA_A_B__C___D"
    assert variable("group.initial.rebalance.delay.ms") == "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS"
