"""Every command of bookingctl on every service it is for (requirement operations-cli)."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import typer
from booking_contracts.envelope import uuid7
from booking_contracts.rights import SERVICES

from services.chassis import dead_letters
from services.chassis.database import connect
from services.chassis.dead_letters import Failed
from services.chassis.messages import Message, Origin, Raw
from services.operations.cli import app
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene
from tests.operations.conftest import Typed

LETTERS = ("dead-letters list", "dead-letters show", "dead-letters redrive", "dead-letters discard")
SAGAS = ("saga list", "saga show", "saga retry", "saga resolve", "booking show")
MONEY = {
    "payments waiting": (),
    "payments try-again": (uuid4(),),
    "payments paid-outside": (uuid4(), "--reference", "transfer 4711", "--by", "mia"),
    "payments statement": (uuid4(),),
    "payments chargebacks": (),
    "payments calls": (),
    "payments differences": (),
    "payments reconcile": (),
}
WHOLE = ("outbox status", "migrate")
TO_PEOPLE = ("letters list", "letters send-again")
SERVED = ("console",)
"""tests/console/test_serving.py."""
AUDITOR = ("audit list", "audit run", "audit show")
"""tests/operations/auditor."""
OF_CUSTOMERS = ("customer erase",)
"""test_customer.py."""
WITH_KAFKA = ("positions show", "positions reset", "topics apply")
"""tests/faults/test_positions.py."""
ACTS_ON_SUBSCRIBERS = ("disable", "enable", "list", "redeliver", "rotate", "show", "test")
"""tests/flows/test_webhooks.py."""
AT_SESSIONS = ("sessions list", "sessions end")
"""test_sessions.py."""


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from commands(one, (*path, name))
        else:
            yield " ".join((*path, name))


def test_every_command_is_typed_here() -> None:
    root = typer.main.get_command(app)
    of_subscribers = [f"webhooks {act}" for act in ACTS_ON_SUBSCRIBERS]
    of_people = (*TO_PEOPLE, *OF_CUSTOMERS)
    tried = (
        *LETTERS,
        *SAGAS,
        *MONEY,
        *WHOLE,
        *SERVED,
        *AUDITOR,
        *of_people,
        *WITH_KAFKA,
        *of_subscribers,
        *AT_SESSIONS,
    )
    assert sorted(commands(root)) == sorted(tried)


async def letter(url: str, service: str, *, key: str = "") -> UUID:
    """A failed message of a type that each service has; what was there before is gone."""
    connection = await connect(url, "test")
    for table in ("local_message", "blocked_key", "dead_letter", "outbox"):
        await connection.execute(f"DELETE FROM {table}")
    of = import_module(f"services.{service}.app").SERVICE
    row, kind = uuid7(), of.local_types[0]
    headers = [("ce_id", str(row)), ("ce_correlationid", "c")]
    raw = Raw(kind, 0, row.int & (1 << 62) - 1, (key or str(row)).encode(), headers, b'{"secret": "of a customer"}')
    message: Message[Any] = Message(row, kind, key or str(row), None, Origin.LOCAL, raw, "c")
    await dead_letters.set_aside_failed(connection, [Failed(message, "Traceback\n\nValueError: planted")])
    found: UUID = await connection.fetchval("SELECT id FROM dead_letter")
    await connection.close()
    return found


async def open_letters(typed: Typed, service: str) -> list[Any]:
    printed = await typed("dead-letters list", service, "--json")
    found: list[Any] = json.loads(printed.splitlines()[0])
    return found


@pytest.mark.requirement("operations-cli")
@pytest.mark.parametrize("service", SERVICES)
async def test_dead_letters_of_every_service(typed: Typed, databases: dict[str, str], service: str) -> None:
    url = databases[f"{service.upper()}_DATABASE_URL"]
    found = await letter(url, service)
    (row,) = await open_letters(typed, service)
    assert (row["id"], row["kind"], row["error"], row["behind"]) == (str(found), "failed", "ValueError: planted", 0)
    assert "1 of 1" in await typed("dead-letters list", service)
    assert "of a customer" not in await typed("dead-letters list", service)
    assert "of a customer" in await typed("dead-letters show", service, found)
    assert "redriven" in await typed("dead-letters redrive", service, found)
    assert await open_letters(typed, service) == []
    assert "is no open dead letter" in await typed("dead-letters discard", service, found, code=1)


@pytest.mark.requirement("operations-cli")
@pytest.mark.parametrize("service", SERVICES)
async def test_letters_of_every_service_are_discarded(typed: Typed, databases: dict[str, str], service: str) -> None:
    url = databases[f"{service.upper()}_DATABASE_URL"]
    found = await letter(url, service)
    assert "put off" in await typed("dead-letters discard", service, found)
    found = await letter(url, service)
    assert "discarded" in await typed("dead-letters discard", service, found, "--for-good")
    await letter(url, service)
    for command in ("redrive", "discard"):
        printed = await typed(f"dead-letters {command}", service, "--error", "planted", "--dry-run")
        assert "ValueError: planted" in printed
        assert "1 are open" in printed
    assert "0 are open" in await typed("dead-letters redrive", service, "--kind", "failed", "--before", "2999-01-01")
    await letter(url, service, key="k")
    printed = await typed("dead-letters discard", service, "--key", "k", "--limit", "1")
    assert "1: put off" in printed
    assert "0 are open" in printed


@pytest.mark.requirement("operations-cli")
async def test_which_letters_has_to_be_said(typed: Typed) -> None:
    for command in ("dead-letters redrive", "dead-letters discard"):
        assert "name one letter" in await typed(command, "booking", code=2)
        assert "name one letter" in await typed(command, "booking", uuid4(), "--kind", "failed", code=2)
    for command in ("dead-letters list", "dead-letters discard --kind failed"):
        assert "there is no service shipping" in await typed(command, "shipping", code=2)


@pytest.mark.requirement("operations-cli")
async def test_a_database_that_is_away_is_a_sentence() -> None:
    away = Typed({"BOOKING_DATABASE_URL": "postgresql://booking:x@127.0.0.1:1/booking"})
    assert "no connection" in await away("saga list", code=1)
    nowhere = Typed({"BOOKING_DATABASE_URL": ""})
    assert "set BOOKING_DATABASE_URL" in await nowhere("saga list", code=2)


@pytest.mark.requirement("operations-cli")
@pytest.mark.parametrize("command", MONEY)
async def test_money(typed: Typed, command: str) -> None:
    needs_one = "is no failed refund or payout" if "try-again" in command else "there is no refund"
    if command in ("payments try-again", "payments paid-outside"):
        assert needs_one in await typed(command, *MONEY[command], code=1)
    else:
        assert json.loads(await typed(command, *MONEY[command], "--json")) is not None
        await typed(command, *MONEY[command])


@pytest.mark.requirement("operations-cli")
async def test_of_all_services(typed: Typed) -> None:
    assert [row["service"] for row in json.loads(await typed("outbox status --json"))] == list(SERVICES)
    assert "notifications: migrated" in await typed("migrate")


@pytest.mark.requirement("operations-cli")
async def test_letters_to_people(typed: Typed) -> None:
    """What they do: tests/notifications/test_sent_again.py."""
    assert isinstance(json.loads(await typed("letters list --json")), list)
    assert "there is no letter" in await typed("letters send-again", uuid4(), code=1)


async def asked(engine: Engine, booking_id: UUID) -> int:
    """How often payments was asked to authorise."""
    sent = [row for row in await engine.sent() if row.topic == "payments.commands" and row.key == str(booking_id)]
    return len(sent)


@pytest.mark.requirement("operations-cli", "saga")
@pytest.mark.parametrize("status", ["waiting", "waiting_for_customer", "stuck"])
async def test_a_saga_that_is_not_done_is_asked_again(typed: Typed, engine: Engine, status: str) -> None:
    scene = await Scene(engine).open()
    command = scene.place()
    await engine.tell(command)
    booking_id = command.booking_id
    await engine.fetch("UPDATE booking SET deadline = deadline + interval '1 hour'")
    await engine.fetch("UPDATE saga SET status = $1, asked = 8", status)
    (row,) = json.loads(await typed("saga list --json", "--status", status))
    assert (row["booking_id"], row["status"]) == (str(booking_id), status)
    assert str(booking_id) in await typed("saga show", booking_id)
    shown = json.loads(await typed("saga show --json", booking_id))
    assert (shown["saga"]["status"], shown["log"][0]["what"]) == (status, "asked")
    assert "authorize is asked again" in await typed("saga retry --by mia --note", "payments is back", booking_id)
    log = [line["what"] for line in json.loads(await typed("saga show --json", booking_id))["log"]]
    assert log == ["asked", "retried by mia: payments is back", "asked"]
    assert await asked(engine, booking_id) == 2
    (row,) = await engine.fetch("SELECT status, asked FROM saga")
    assert tuple(row) == ("waiting", 1)
    assert "is waiting, not stuck" in await typed("saga resolve", booking_id, "--note", "by hand", code=1)
    assert "PENDING_PAYMENT" in await typed("booking show", booking_id)


@pytest.mark.requirement("saga", "timeouts")
async def test_the_timers_of_before_a_retry_ask_nobody_twice(typed: Typed, engine: Engine) -> None:
    scene = await Scene(engine).open()
    booking_id = await scene.confirmed()  # asked to authorise, then to capture
    for _ in range(3):
        await typed("saga retry", booking_id)
    assert await asked(engine, booking_id) == 5
    engine.clock.advance(seconds=35)
    await engine.run_local()
    assert await asked(engine, booking_id) == 6, "of four timers one is not stale"
    engine.clock.advance(minutes=3)
    await engine.run_local()
    assert await asked(engine, booking_id) == 7


@pytest.mark.requirement("saga")
async def test_an_attempt_that_is_over_is_not_asked_again(typed: Typed, engine: Engine) -> None:
    scene = await Scene(engine).open()
    command = scene.place()
    await engine.tell(command)
    await engine.fetch("UPDATE saga SET status = 'stuck'")
    await engine.fetch("UPDATE booking SET deadline = now() - interval '1 hour'")
    assert "may not be paid any more" in await typed("saga retry", command.booking_id, code=1)
    assert "authorize is resolved" in await typed("saga resolve", command.booking_id, "--note", "nothing was reserved")
    last = json.loads(await typed("saga show --json", command.booking_id))["log"][-1]["what"]
    assert last == f"resolved by hand by {getpass.getuser()}: nothing was reserved"
    assert "is done" in await typed("saga retry", command.booking_id, code=1)
    assert "has no saga" in await typed("saga retry", uuid4(), code=1)
    assert "not stuck" in await typed("saga resolve", command.booking_id, "--note", "x", code=1)


@pytest.mark.requirement("operations-cli", "pessimistic-locking")
async def test_rows_that_a_batch_holds_are_a_sentence(typed: Typed, engine: Engine) -> None:
    scene = await Scene(engine).open()
    booking_id = await scene.confirmed()
    batch = await asyncpg.connect(engine.session.url)
    async with batch.transaction():
        await batch.execute("SELECT * FROM booking FOR UPDATE")
        assert "a batch holds these rows" in await typed("saga retry", booking_id, code=1)
    await batch.close()
    assert await asked(engine, booking_id) == 2
