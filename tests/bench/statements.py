"""How many statements and transactions one saga is, alone on the stack, by PostgreSQL's own log of every statement.

Counted is what goes to the server: each statement that is executed, BEGIN and COMMIT included. `transactions` are
those that were committed with COMMIT; `alone` are statements outside of one, each a transaction by itself. What is no
saga's is left out: rounds by their connections' name, loops that look for work now and then, a relay among them, by
their statements, word for word what the idle system executed before; and no timer of an earlier saga is due meanwhile.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Collection, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

import asyncpg

from tests.bench import runs
from tests.bench.ground import SERVICES, Ground, rest

SECONDS_EACH = 4.0
"""From one saga to the next: its last mail and its webhooks, which are looked at up to 2 s later, are part of it."""
ENTRY = re.compile(r"^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", re.MULTILINE)
STATEMENT = re.compile(r"\S+ \S+ UTC \[(\d+)\] (\w+)@\w+ (\S*) LOG:  (?:statement|execute [^:]*): (.*)", re.DOTALL)
ROUNDS = "-rounds"
"""How the connections are called of what a service does by the clock, saga or not (chassis/process.py): gauges, sweeps,
comparisons, purges. Most come seldomer than the idle system is watched."""
TIMERS_SECONDS = 120.0
"""Longer than a saga's timers wait that are due soon: those that ask again after 30 s, SeatsHeld after a minute."""
TIMER_DUE = "SELECT EXISTS (SELECT FROM local_message WHERE due_at <= now() + make_interval(secs => $1))"


Unit = tuple[str, tuple[str, ...]]
"""Whose it is, and the statements of a transaction from BEGIN to COMMIT, or the one that is alone."""


@dataclass
class Count:
    """Of one service."""

    statements: float = 0
    transactions: float = 0
    alone: float = 0


def units(log: str) -> list[Unit]:
    """What a piece of the server's log shows, by service (its role); `log_line_prefix` as the stack has it."""
    found: list[Unit] = []
    begun: dict[str, list[str]] = {}
    for entry in ENTRY.split(log):
        match = STATEMENT.match(entry)
        if match is None or match[2] not in SERVICES or match[3].endswith(ROUNDS):
            continue
        session, service, text = match[1], match[2], " ".join(match[4].split())
        verb = text.partition(" ")[0].rstrip(";").upper()
        if verb in ("BEGIN", "START"):
            begun[session] = [text]
        elif session not in begun:
            found.append((service, (text,)))
        else:
            begun[session].append(text)
            if verb in ("COMMIT", "END", "ROLLBACK") and not text.upper().startswith("ROLLBACK TO "):
                found.append((service, tuple(begun.pop(session))))
    return found


def counted(log: str, idle: Collection[Unit] = ()) -> dict[str, Count]:
    """By service, without what an `idle` system does as well."""
    counts = {service: Count() for service in SERVICES}
    for service, texts in units(log):
        if (service, texts) not in idle:
            count = counts[service]
            count.statements += len(texts)
            count.alone += len(texts) == 1
            count.transactions += len(texts) > 1 and not texts[-1].upper().startswith("ROLLBACK")
    return counts


def each(counts: Mapping[str, Count], sagas: int) -> dict[str, Count]:
    """For one of so many sagas."""
    return {service: Count(*(round(many / sagas, 1) for many in astuple(count))) for service, count in counts.items()}


async def of_one_saga(ground: Ground) -> dict[str, object]:
    """Statements and transactions of a card saga with its mails, by service and in all; nothing else is asked for."""
    sagas, log = ground.options.alone, ground.stack.log("postgres")
    await rest(ground.stack)
    await _no_timer_is_due(ground, (2 * sagas + 2) * SECONDS_EACH)
    await _log_everything(ground, "all")
    try:
        await asyncio.sleep(SECONDS_EACH)
        start = log.stat().st_size
        await asyncio.sleep(sagas * SECONDS_EACH)
        middle = log.stat().st_size
        for command in ground.load(sagas, "alone").commands:
            began = time.monotonic()
            await runs.together(ground.wire, [command], runs.CAPTURED)
            await asyncio.sleep(max(0.0, began + SECONDS_EACH - time.monotonic()))
        end = log.stat().st_size
    finally:
        await _log_everything(ground, "none")
    found = each(counted(_part(log, middle, end), set(units(_part(log, start, middle)))), sagas)
    figures: dict[str, object] = {}
    for name in Count.__annotations__:
        by_service = {service: getattr(count, name) for service, count in found.items()}
        figures[f"{name}_of_one_saga"] = by_service
        figures[f"{name}_of_one_saga_sum"] = round(sum(by_service.values()), 1)
    return figures


async def _no_timer_is_due(ground: Ground, seconds: float) -> None:
    """Until no timer of an earlier saga is due in so many seconds. Raises AssertionError after TIMERS_SECONDS."""
    urls = [ground.stack.env[f"AUDITOR_{service.upper()}_DATABASE_URL"] for service in SERVICES]
    deadline = time.monotonic() + TIMERS_SECONDS
    for url in urls * 2:  # when the last has none, the first may have one again
        connection = await asyncpg.connect(url)
        try:
            while await connection.fetchval(TIMER_DUE, seconds):
                assert time.monotonic() < deadline, "timers are due again and again"
                await asyncio.sleep(0.5)
        finally:
            await connection.close()


async def _log_everything(ground: Ground, which: str) -> None:
    connection = await asyncpg.connect(ground.stack.env["POSTGRES_ADMIN_URL"])
    try:
        await connection.execute(f"ALTER SYSTEM SET log_statement = '{which}'")
        await connection.execute("SELECT pg_reload_conf()")
    finally:
        await connection.close()
    await asyncio.sleep(1.0)  # each session reads it with its next statement


def _part(log: Path, start: int, end: int) -> str:
    with log.open("rb") as file:
        file.seek(start)
        return file.read(end - start).decode(errors="replace")
