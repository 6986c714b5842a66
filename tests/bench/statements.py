"""How many statements and transactions one saga is, alone on the stack, by PostgreSQL's own log of every statement.

Counted is what goes to the server: each statement that is executed, BEGIN and COMMIT included. `transactions` are those
that were committed with COMMIT; `alone` are statements outside of one, each a transaction by itself, most of them looks
for more work. The loops that look for work now and then are told apart by time: what an idle system executed in just as
many seconds before is taken off. Of one saga that is a guess, of five it is good to a statement or two.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

import asyncpg

from deploy.local.layout import SERVICES
from tests.bench import runs
from tests.bench.ground import Ground, rest

SECONDS_EACH = 4.0
"""From one saga to the next: its last mail and its webhooks, which are looked at up to 2 s later, are part of it."""
ENTRY = re.compile(r"^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", re.MULTILINE)
STATEMENT = re.compile(r"\S+ \S+ UTC \[(\d+)\] (\w+)@\w+ \S* LOG:  (?:statement|execute [^:]*): (.*)", re.DOTALL)


@dataclass
class Count:
    """Of one service."""

    statements: float = 0
    transactions: float = 0
    alone: float = 0


def counted(log: str) -> dict[str, Count]:
    """What a piece of the server's log shows, by service (its role); `log_line_prefix` as the stack has it."""
    found = {service: Count() for service in SERVICES}
    inside: defaultdict[str, bool] = defaultdict(bool)
    for entry in ENTRY.split(log):
        match = STATEMENT.match(entry)
        if match is None or match[2] not in found:
            continue
        session, count, text = match[1], found[match[2]], match[3].split(maxsplit=1)
        verb = text[0].rstrip(";").upper() if text else ""
        count.statements += 1
        if verb in ("BEGIN", "START"):
            inside[session] = True
        elif verb in ("COMMIT", "END", "ROLLBACK") and not _to_savepoint(verb, text):
            count.transactions += verb != "ROLLBACK"
            inside[session] = False
        elif not inside[session]:
            count.alone += 1
    return found


def each(busy: Mapping[str, Count], idle: Mapping[str, Count], sagas: int) -> dict[str, Count]:
    """What is left for one of so many sagas without what the idle system does in the same time."""
    return {
        service: Count(*(round((some - none) / sagas, 1) for some, none in zip(*map(astuple, pair), strict=True)))
        for service, pair in ((service, (busy[service], idle[service])) for service in busy)
    }


async def of_one_saga(ground: Ground) -> dict[str, object]:
    """Statements and transactions of a card saga with its mails, by service and in all; nothing else is asked for."""
    sagas, log = ground.options.alone, ground.stack.log("postgres")
    await rest(ground.stack)
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
    found = each(counted(_part(log, middle, end)), counted(_part(log, start, middle)), sagas)
    figures: dict[str, object] = {}
    for name in Count.__annotations__:
        by_service = {service: getattr(count, name) for service, count in found.items()}
        figures[f"{name}_of_one_saga"] = by_service
        figures[f"{name}_of_one_saga_sum"] = round(sum(by_service.values()), 1)
    return figures


def _to_savepoint(verb: str, text: list[str]) -> bool:
    return verb == "ROLLBACK" and len(text) > 1 and text[1].upper().startswith("TO ")


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
