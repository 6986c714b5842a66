"""A stack starts, survives the loss of a process, and leaves nothing behind."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local import postgres
from deploy.local.concurrently import concurrently
from deploy.local.layout import Layout, write_private
from deploy.local.ports import free_ports, is_free
from deploy.local.processes import MARK, ProcessFailed
from deploy.local.stack import Stack
from services.operations.databases import DATABASES

SMALL = ("mailbox", "clock-offset")


def marked_processes(root: Path) -> list[int]:
    """Processes of any program that carry the mark of the stack in that directory."""
    mark = f"{MARK}={root.resolve()}/".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            if mark in environment:
                found.append(int(entry.name))
    return found


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A directory for another stack, which is down again when the test has ended."""
    yield tmp_path / "local"
    Stack(tmp_path / "local").down()


def test_up_twice_starts_nothing_twice(stack: Stack) -> None:
    before = {name: stack.pid(name) for name in stack.names}
    lines: list[str] = []

    stack.up(progress=lines.append)

    assert "already up" in lines[-1]
    assert {name: stack.pid(name) for name in stack.names} == before
    assert all(process.state == "ready" for process in stack.status())


def test_down_leaves_no_process_and_keeps_addresses(root: Path) -> None:
    first = Stack(root, parts=SMALL)
    first.up()
    address = first.env["MAILBOX_URL"]
    assert marked_processes(root)

    first.down()

    assert marked_processes(root) == []
    assert list((root / "pids").iterdir()) == []
    assert not (root / "stack.env").exists()
    assert Stack(root).env["MAILBOX_URL"] == address


def test_two_stacks_share_no_port(root: Path, stack: Stack) -> None:
    other = Stack(root, parts=SMALL)
    other.up()
    ours = {value for name, value in stack.env.items() if name.endswith("_URL")}
    theirs = {value for name, value in other.env.items() if name.endswith("_URL")}
    assert not ours & theirs


def test_a_taken_port_is_replaced(root: Path) -> None:
    layout = Layout.load(root)
    layout.choose_ports(keep=False)
    taken = layout.ports["mailbox"]
    with asyncio.Runner() as runner:
        server = runner.run(asyncio.start_server(lambda _r, _w: None, "127.0.0.1", taken))
        layout.choose_ports(keep=False)
        assert layout.ports["mailbox"] != taken
        server.close()


def test_free_ports_are_distinct_and_free() -> None:
    ports = free_ports(50)
    assert len(set(ports)) == 50
    assert all(is_free(port) for port in ports)


def test_a_stale_pid_file_never_hits_another_program(root: Path) -> None:
    stack = Stack(root, parts=SMALL)
    stack.up()
    stack.stop_process("mailbox", signal.SIGKILL)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        (root / "pids" / "mailbox").write_text(f"{bystander.pid}\n")

        assert stack.pid("mailbox") is None
        stack.up()
        assert stack.pid("mailbox") != bystander.pid
        stack.down()

        assert bystander.poll() is None
        bystander.communicate(b"\n")
    assert bystander.returncode == 0


def test_a_suspended_process_stops_too(root: Path) -> None:
    stack = Stack(root, parts=SMALL)
    stack.up()
    stack.stop_process("mailbox", signal.SIGSTOP)
    states = {process.name: process.state for process in stack.status()}
    assert states == {"mailbox": "not ready", "clock-offset": "ready"}

    stack.down()

    assert marked_processes(root) == []


def test_what_does_not_start_shows_its_log(root: Path) -> None:
    stack = Stack(root, parts=SMALL)
    stack.up()
    stack.stop_process("mailbox")
    port = int(stack.env["MAILBOX_URL"].rpartition(":")[2])
    with asyncio.Runner() as runner:
        server = runner.run(asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", port))
        with pytest.raises(ProcessFailed, match=r"(?s)ended while starting.*address already in use") as failure:
            stack.start_process("mailbox")
        server.close()
    assert str(stack.log("mailbox")) in str(failure.value)


async def test_postgres_survives_a_kill(stack: Stack) -> None:
    connection = await asyncpg.connect(stack.env["BOOKING_MIGRATION_URL"])
    await connection.execute("CREATE TABLE kept (id int)")
    await connection.execute("INSERT INTO kept VALUES (1)")

    await asyncio.to_thread(stack.restart, "postgres", signal.SIGKILL)

    connection = await asyncpg.connect(stack.env["BOOKING_DATABASE_URL"])
    assert await connection.fetchval("SELECT count(*) FROM kept") == 1
    await connection.close()


async def test_kafka_survives_a_kill(stack: Stack) -> None:
    servers = stack.env["KAFKA_BOOTSTRAP_SERVERS"]
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.create_topics([NewTopic("kept", num_partitions=12, replication_factor=1)])
    await admin.close()

    await asyncio.to_thread(stack.restart, "kafka", signal.SIGKILL)

    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    assert "kept" in await admin.list_topics()
    await admin.close()


@pytest.mark.parametrize("service", DATABASES)
async def test_a_service_role_writes_rows_and_owns_nothing(stack: Stack, service: str) -> None:
    table = f"rows_{os.getpid()}"
    owner = await asyncpg.connect(stack.env[f"{service.upper()}_MIGRATION_URL"])
    await owner.execute(f"CREATE TABLE {table} (id bigint GENERATED ALWAYS AS IDENTITY, name text)")
    role = await asyncpg.connect(stack.env[f"{service.upper()}_DATABASE_URL"])
    auditor = await asyncpg.connect(stack.env[f"AUDITOR_{service.upper()}_DATABASE_URL"])

    assert await role.fetchval(f"INSERT INTO {table} (name) VALUES ('a') RETURNING id") == 1
    assert await auditor.fetchval(f"SELECT name FROM {table}") == "a"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await role.execute(f"TRUNCATE {table}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await role.execute("CREATE TABLE mine ()")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await auditor.execute(f"DELETE FROM {table}")
    for connection in (owner, role, auditor):
        await connection.close()


async def test_a_cluster_of_an_older_version_gets_the_database_that_is_new(stack: Stack) -> None:
    admin = await asyncpg.connect(stack.env["POSTGRES_ADMIN_URL"])
    await admin.execute("DROP DATABASE operations")
    for role in ("operations", "operations_owner"):
        await admin.execute(f"DROP ROLE {role}")
    await admin.close()
    root = stack.log("postgres").parents[1]
    postgres._initialised(postgres._home(root)).write_text("an older version's")

    await asyncio.to_thread(stack.restart, "postgres")

    await (await asyncpg.connect(stack.env["OPERATIONS_MIGRATION_URL"])).close()


async def test_a_service_role_reaches_no_other_database(stack: Stack) -> None:
    elsewhere = stack.env["BOOKING_DATABASE_URL"].removesuffix("booking") + "payments"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(elsewhere)


def test_a_private_file_is_written_by_several_threads_at_once(tmp_path: Path) -> None:
    file = tmp_path / "stack.env"
    concurrently(lambda text: write_private(file, text), [f"KEY={number}\n" for number in range(200)])
    assert file.read_text().startswith("KEY=")
    assert file.stat().st_mode & 0o777 == 0o600
    assert [*tmp_path.iterdir()] == [file]
