"""A stack whose PostgreSQL and Kafka are containers: as with processes, and nothing of them is left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from booking_contracts.testkit.waiting import eventually

from deploy.images import docker
from deploy.local import postgres
from deploy.local.contained import ANSWERS, container_name
from deploy.local.layout import Layout
from deploy.local.ports import answers_tcp
from deploy.local.stack import Stack
from services.operations import topics


@pytest.fixture
def stack(images: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    for name in ("POSTGRES_IMAGE", "KAFKA_IMAGE"):
        monkeypatch.setenv(name, images[name])
    stack = Stack(tmp_path / "stack", parts=tuple(ANSWERS), contained=tuple(ANSWERS), fast=True)
    yield stack
    stack.down()


def containers(stack: Stack) -> list[str]:
    """Those of the stack that there are, running or not."""
    layout = Layout.load(stack.log("any").parents[1])
    names = {container_name(layout, part) for part in ANSWERS}
    return sorted(names & set(docker.run("ps", "--all", "--format", "{{.Names}}").split()))


async def test_it_is_the_same_stack_and_leaves_no_container(stack: Stack) -> None:
    stack.up()
    assert len(containers(stack)) == 2
    assert [process.state for process in stack.status()] == ["ready", "ready"]
    for address in ("BOOKING_MIGRATION_URL", "PAYMENTS_DATABASE_URL", "AUDITOR_OPERATIONS_DATABASE_URL"):
        await (await asyncpg.connect(stack.env[address])).close()
    connection = await asyncpg.connect(stack.env["POSTGRES_ADMIN_URL"])
    for name, value in {**postgres.SETTINGS, **postgres.NOT_DURABLE}.items():
        assert await connection.fetchval("SELECT current_setting($1)", name) == value
    await connection.close()
    await topics.apply({"bootstrap_servers": stack.env["KAFKA_BOOTSTRAP_SERVERS"]})
    port = int(stack.env["KAFKA_BOOTSTRAP_SERVERS"].rpartition(":")[2])
    assert "Kafka Server started" in stack.log("kafka").read_text()

    stack.down()

    assert containers(stack) == []
    assert not answers_tcp(port)


async def test_a_container_that_ends_is_a_process_that_ended(stack: Stack) -> None:
    stack.up()
    docker.run("kill", *containers(stack))

    async def running() -> list[int | None]:
        return [stack.pid(name) for name in ANSWERS]

    await eventually("both processes ended", running, lambda pids: not any(pids))
    assert containers(stack) == []
