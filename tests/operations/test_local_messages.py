"""Discarding a local message leaves nothing waiting for ever: every type of every service, on its own database."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from booking_contracts.envelope import uuid7

from services.chassis import dead_letters, gateway_calls, local_messages, operator, retention
from services.chassis.database import Connection, connect, open_pool
from services.chassis.dead_letters import Failed
from services.chassis.messages import Message, Origin, Raw
from services.chassis.operator import PUT_OFF
from services.chassis.service import Service
from services.chassis.statements import Statements
from services.chassis.unit_of_work import Call
from tests.chassis.harness import SetClock

TIMERS = {
    "booking": ("DeadlineReached", "AskAgain", "EntryDue", "HoursChanged", "LineClosing", "SeatsLeft", "SlotClosing"),
    "payments": (
        "IntentChanged",
        "RefundTold",
        "RefundChanged",
        "PartChanged",
        "Unclaimed",
        "DisputeChanged",
        "DashboardRefundChanged",
        "AuthorizeLater",
        "SettleLater",
        "WithdrawLater",
        "RefundAgain",
        "PayoutAgain",
        "Found",
        "AccountKnown",
        "TransferReversed",
        "LookAgain",
    ),
    "notifications": (
        "ReminderDue",
        "SeatsHeld",
        "DisputeWaits",
        "MailWaits",
        "EventWaits",
        "WebhookEnded",
        "SubscriberDisabled",
    ),
}
"""Put off: timers, and what Stripe told or a subscriber answered, which is a reason to look."""

RESULTS = {
    "booking": (),
    "payments": (
        "IntentSeen",
        "LeftoverCancelled",
        "RefundSeen",
        "TransferSeen",
        "DisputeSeen",
        "TopUpSeen",
        "WithdrawalSeen",
        "DashboardRefundSeen",
    ),
    "notifications": ("MailSent", "MailRefused", "NoticeEnded"),
}
"""Their call is made again."""

KEY = str(UUID(int=7))


def service_named(name: str) -> Service:
    found: Service = import_module(f"services.{name}.app").SERVICE
    return found


def pairs(table: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(name, kind) for name, kinds in table.items() for kind in kinds]


@pytest.mark.parametrize("name", TIMERS)
def test_every_local_type_has_its_way(name: str) -> None:
    ways = [f"local.{kind}" for kind in (*TIMERS[name], *RESULTS[name])]
    assert sorted(ways) == sorted(service_named(name).local_types), (
        "a new type: does it come back when it is discarded?"
    )


@pytest.fixture
async def clean(databases: dict[str, str]) -> dict[str, str]:
    """The engine's tables of every service are empty."""
    for name in TIMERS:
        connection = await asyncpg.connect(databases[f"{name.upper()}_DATABASE_URL"])
        for table in ("local_message", "blocked_key", "dead_letter", "gateway_call", "outbox"):
            await connection.execute(f"DELETE FROM {table}")
        await connection.close()
    return databases


async def set_aside(connection: Connection, kind: str, call_id: UUID | None = None) -> tuple[UUID, Raw]:
    """A local message whose handler failed, and another message of its key behind it."""
    row = uuid7()
    headers = [("ce_id", str(row)), ("ce_type", f"local.{kind}"), ("ce_correlationid", "c")]
    headers += [("call_id", str(call_id))] if call_id else []
    raw = Raw(f"local.{kind}", 0, row.int & (1 << 62) - 1, KEY.encode(), headers, b'{"some": "body"}')
    message: Message[Any] = Message(row, raw.topic, KEY, None, Origin.GATEWAY if call_id else Origin.LOCAL, raw, "c")
    await dead_letters.set_aside_failed(connection, [Failed(message, "planted")])
    letter: UUID = await connection.fetchval("SELECT id FROM dead_letter WHERE status = 'open'")
    return letter, raw


async def nothing_is_blocked(connection: Connection) -> bool:
    return not await connection.fetchval("SELECT EXISTS (SELECT FROM blocked_key WHERE NOT draining)")


@pytest.mark.requirement("poison", "operations-cli")
@pytest.mark.parametrize(("name", "kind"), pairs(TIMERS))
async def test_a_timer_comes_back(clean: dict[str, str], name: str, kind: str) -> None:
    connection, clock = await connect(clean[f"{name.upper()}_DATABASE_URL"], "test"), SetClock()
    letter, raw = await set_aside(connection, kind)
    done = await operator.discard(connection, service_named(name), clock, letter)
    assert done.what.startswith("put off")
    assert await nothing_is_blocked(connection)
    known = service_named(name).local_types
    assert await local_messages.peek(connection, clock.now(), 10, known) == []
    clock.advance(seconds=PUT_OFF.total_seconds())
    (again,) = await local_messages.peek(connection, clock.now(), 10, known)
    assert (again.topic, again.key, again.headers, again.body) == (raw.topic, raw.key, raw.headers, raw.body)
    assert not again.held
    await connection.close()


@pytest.mark.requirement("poison", "operations-cli")
@pytest.mark.parametrize(("name", "kind"), pairs(RESULTS))
async def test_the_call_of_a_result_is_made_again(clean: dict[str, str], name: str, kind: str) -> None:
    connection = await connect(clean[f"{name.upper()}_DATABASE_URL"], "test")
    call = Call(uuid4(), "subject", KEY, "ask", '{"of": "whom"}', "once", None)
    async with Statements(connection) as writes:
        gateway_calls.save(writes, [call])
    await connection.execute("UPDATE gateway_call SET state = 'done', tries = 3")
    letter, _ = await set_aside(connection, kind, call.id)
    done = await operator.discard(connection, service_named(name), SetClock(), letter)
    assert "made again" in done.what
    assert await nothing_is_blocked(connection)
    (again,) = await gateway_calls.due(connection, 10)
    assert (again.id, again.parameters, again.idempotency_key, again.tries) == (call.id, call.parameters, "once", 0)
    assert await connection.fetchval("SELECT count(*) FROM local_message") == 0
    await connection.close()


async def test_one_call_about_a_thing_is_open_at_a_time(clean: dict[str, str]) -> None:
    connection = await connect(clean["PAYMENTS_DATABASE_URL"], "test")
    calls = [Call(uuid4(), "subject", KEY, "ask", "{}", f"once {number}", None) for number in range(2)]
    async with Statements(connection) as writes:
        gateway_calls.save(writes, calls[:1])
    await connection.execute("UPDATE gateway_call SET state = 'done'")
    async with Statements(connection) as writes:
        gateway_calls.save(writes, calls[1:])
    letter, _ = await set_aside(connection, "IntentSeen", calls[0].id)
    await operator.discard(connection, service_named("payments"), SetClock(), letter)
    (row,) = await connection.fetch("SELECT id FROM gateway_call WHERE state = 'open'")
    assert row["id"] == calls[1].id
    await connection.close()


async def test_a_result_whose_call_is_gone_is_only_dropped_by_who_says_so(clean: dict[str, str]) -> None:
    connection, service = await connect(clean["PAYMENTS_DATABASE_URL"], "test"), service_named("payments")
    letter, _ = await set_aside(connection, "IntentSeen", uuid4())
    with pytest.raises(operator.NotPossible, match="for-good"):
        await operator.discard(connection, service, SetClock(), letter)
    assert not await nothing_is_blocked(connection), "refused: it is as it was"
    await operator.discard(connection, service, SetClock(), letter, for_good=True)
    assert await nothing_is_blocked(connection)
    assert await connection.fetchval("SELECT count(*) FROM local_message") == 0
    await connection.close()


async def test_a_timer_that_no_build_can_read_is_dropped_for_good(clean: dict[str, str]) -> None:
    connection = await connect(clean["BOOKING_DATABASE_URL"], "test")
    letter, _ = await set_aside(connection, "DeadlineReached")
    await operator.discard(connection, service_named("booking"), SetClock(), letter, for_good=True)
    later = SetClock().now() + timedelta(days=400)
    assert await local_messages.peek(connection, later, 10, service_named("booking").local_types) == []
    await connection.close()


@pytest.mark.requirement("retry-mechanism")
async def test_a_call_is_kept_while_its_result_waits_for_an_operator(clean: dict[str, str]) -> None:
    connection = await connect(clean["PAYMENTS_DATABASE_URL"], "test")
    calls = [Call(uuid4(), f"subject {key}", key, "ask", "{}", key, None) for key in (KEY, "other")]
    async with Statements(connection) as writes:
        gateway_calls.save(writes, calls)
    await connection.execute("UPDATE gateway_call SET state = 'done', opened_at = now() - interval '2 days'")
    await set_aside(connection, "IntentSeen", calls[0].id)
    pool = await open_pool(clean["PAYMENTS_DATABASE_URL"], "test", size=1)
    for rule in retention.RULES:
        await retention.purge(pool, rule)
    await pool.close()
    assert [row["key"] for row in await connection.fetch("SELECT key FROM gateway_call")] == [KEY]
    await connection.close()
