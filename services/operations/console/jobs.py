"""Acts on many dead letters at once, as jobs: begun by an operator, worked through by the console in small portions.

A job is a row; whoever has it in hand holds its lock for one portion, so that of many consoles one works on it, and
another goes on where a console dies. What was done is kept with the place it was done up to, and of each letter in the
operators' log; letters that were treated and not counted, because the console died in between, are not open any more,
and are left out. A job that was under way when the database of operations was set back goes no further: it may have
been stopped in the life that is forgotten. Once it has ended its filter names nobody any more.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple, Self
from uuid import UUID

import asyncpg
import structlog
from aiohttp import web
from booking_contracts.envelope import rfc3339
from booking_contracts.patience import ended
from booking_contracts.rights import SERVICES

from services.chassis import dead_letter_selection, operator
from services.chassis.clock import Clock
from services.chassis.database import UNAVAILABLE, Connection
from services.chassis.dead_letter_selection import BEFORE_ALL, Place, Portion, Wanted
from services.chassis.operator import Done, NotPossible
from services.operations.console import operator_log
from services.operations.console.databases import Away, Databases
from services.operations.console.formats import without_people
from services.operations.console.reads.dead_letters import readable
from services.operations.console.routes import CLOCK, DATABASES, SETTINGS
from services.operations.databases import LIFE
from services.operations.handled import handled_by

Kind = Literal["redrive", "discard"]
MOST = 100_000
"""Letters that one job takes; another one takes the rest."""
PORTION, PORTION_SECONDS = 50, 1.0
"""The row's lock is held for so long, and who stops the job waits for it."""
IDLE_SECONDS, AWAY_SECONDS = 1.0, 5.0
COLUMNS = "job_id, operator, act, service, asked, reason, total, done, failed, summary, created_at, ended_at, stopped"
BEGIN = f"""
INSERT INTO job (operator, act, service, asked, reason, total, summary)
VALUES ($1, $2, $3, $4, $5, $6, jsonb_build_object('life', ({LIFE}))) RETURNING job_id
"""
TAKE = f"""
SELECT {COLUMNS}, ({LIFE}) AS life FROM job WHERE ended_at IS NULL AND service <> ALL($1)
ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
"""
KEEP = """
UPDATE job SET done = done + $2, failed = failed + $3, summary = $4,
       ended_at = CASE WHEN $5 THEN clock_timestamp() END
WHERE job_id = $1
"""
LEAVE = "UPDATE job SET stopped = true, ended_at = clock_timestamp(), summary = $2 WHERE job_id = $1"
FORGET = "UPDATE job SET asked = $2 WHERE job_id = $1"
KEYS = "SELECT id, key FROM dead_letter WHERE id = ANY($1)"
LEFT = (
    "left: the database of operations was restored, or taken over by a standby; begin again for those that are wanted"
)
STOP = """
UPDATE job SET stopped = true, ended_at = clock_timestamp() WHERE job_id = $1 AND ended_at IS NULL
RETURNING done, total, asked
"""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Asked:
    """Which letters, as the row keeps it; `for_good` is of discarding alone."""

    wanted: Wanted
    for_good: bool = False

    @classmethod
    def of(cls, wanted: Wanted, *, until: datetime, for_good: bool) -> Self:
        """Those that were set aside before `until`: what fails again meanwhile is not taken a second time."""
        return cls(replace(wanted, before=min(filter(None, (wanted.before, until)))), for_good)

    @property
    def text(self) -> str:
        """For the row."""
        of = self.wanted
        before = rfc3339(of.before) if of.before else None
        fields = {"kind": of.kind, "type": of.type, "error": of.error, "key": of.key, "before": before}
        return json.dumps({**fields, "for_good": self.for_good})

    @property
    def forgotten(self) -> str:
        """For the row of a job that has ended: nobody stands in it."""
        error = self.wanted.error
        return replace(self, wanted=replace(self.wanted, error=error and without_people(error))).text

    @classmethod
    def read(cls, text: str) -> Self:
        """From the row."""
        of = json.loads(text)
        before = datetime.fromisoformat(of["before"]) if of["before"] else None
        return cls(Wanted(of["kind"], of["type"], of["error"], of["key"], before), of["for_good"])


async def begin(
    databases: Databases, who: str, kind: Kind, service: str, asked: Asked, reason: str, total: int
) -> UUID:
    """A new job; its id."""
    async with databases.operations() as connection:
        job_id: UUID = await connection.fetchval(BEGIN, who, kind, service, asked.text, reason, total)
    return job_id


async def stop(databases: Databases, job_id: UUID) -> str:
    """No portion follows. Raises NotPossible."""
    async with databases.operations() as connection, connection.transaction():
        row = await connection.fetchrow(STOP, job_id)
        if row is None:
            raise NotPossible(f"{job_id} is no job that goes on")
        await connection.execute(FORGET, job_id, Asked.read(row["asked"]).forgotten)
    return f"it stops after {row['done']} of {row['total']}"


async def job(databases: Databases, job_id: UUID) -> asyncpg.Record:
    """One job. Raises NotPossible."""
    async with databases.reading("operations") as connection:
        row = await connection.fetchrow(f"SELECT {COLUMNS} FROM job WHERE job_id = $1", job_id)
    if row is None:
        raise NotPossible(f"there is no job {job_id}")
    return row


async def recent(databases: Databases, *, most: int) -> list[asyncpg.Record]:
    """The newest jobs first."""
    async with databases.reading("operations") as connection:
        return await connection.fetch(f"SELECT {COLUMNS} FROM job ORDER BY job_id DESC LIMIT $1", most)


async def work(databases: Databases, clock: Clock, *, without: Collection[str] = ()) -> bool:
    """One portion of the oldest job that nobody has in hand, of a service that is not `without`; whether there was one.

    Raises Away.
    """
    async with databases.operations() as connection, connection.transaction():
        row = await connection.fetchrow(TAKE, list(without))
        if row is None:
            return False
        kept = json.loads(row["summary"])
        if kept.setdefault("life", row["life"]) != row["life"]:
            await _leave(connection, row, kept)
            return True
        after = Place(datetime.fromisoformat(kept["at"]), UUID(kept["letter"])) if "at" in kept else BEFORE_ALL
        portion, treated = await _portion(databases, clock, row, after)
        done, failed = portion.done.total(), portion.failed.total()
        outcomes = Counter(kept.get("outcomes", {})) + portion.done + portion.failed
        place = {"at": portion.last.created_at.isoformat(), "letter": str(portion.last.id)}
        summary = {"outcomes": outcomes, **place, "life": row["life"]}
        ended = portion.ended or row["done"] + row["failed"] + done + failed >= MOST
        await connection.execute(KEEP, row["job_id"], done, failed, json.dumps(summary), ended)
        await operator_log.ended(connection, _asked_in_log(row), treated)
        if ended:
            await connection.execute(FORGET, row["job_id"], Asked.read(row["asked"]).forgotten)
    return True


async def _leave(connection: Connection, row: asyncpg.Record, kept: dict[str, Any]) -> None:
    left = max(0, row["total"] - row["done"] - row["failed"])
    log.warning("a job of a life before goes no further", job=str(row["job_id"]), left=left)
    outcomes = {**kept.get("outcomes", {}), LEFT: left}
    await connection.execute(LEAVE, row["job_id"], json.dumps({**kept, "outcomes": outcomes}))
    await connection.execute(FORGET, row["job_id"], Asked.read(row["asked"]).forgotten)


def _asked_in_log(row: asyncpg.Record) -> operator_log.Asked:
    """Of each letter of the job."""
    fields = {"job_id": str(row["job_id"])}
    return operator_log.Asked(row["operator"], f"letters-{row['act']}", row["service"], "", None, row["reason"], fields)


async def _portion(
    databases: Databases, clock: Clock, row: asyncpg.Record, after: Place
) -> tuple[Portion, Sequence[tuple[str, UUID | None, str]]]:
    """And of each letter that was treated its id, the booking that it is about, and what was done."""
    service, asked, treated = row["service"], Asked.read(row["asked"]), dict[UUID, str]()
    async with databases.acting(service) as connection:

        async def one(letter: UUID) -> Done:
            try:
                done = await _treat(connection, clock, row["act"], service, letter, for_good=asked.for_good)
                treated[letter] = str(done)
                return done
            except (NotPossible, *UNAVAILABLE):
                raise
            except Exception as error:  # one letter that we cannot treat keeps no other from it
                log.error("a letter of a job failed", job=str(row["job_id"]), letter=str(letter), exc_info=True)
                raise NotPossible(f"failed, see the console's log: {type(error).__name__}") from error

        portion = await dead_letter_selection.treat_portion(
            connection, asked.wanted, after, PORTION, one, seconds=PORTION_SECONDS
        )
        keys = {found["id"]: readable(found)["about"] for found in await connection.fetch(KEYS, list(treated))}
    return portion, [(str(letter), keys.get(letter), done) for letter, done in treated.items()]


async def _treat(
    connection: Connection, clock: Clock, kind: Kind, service: str, letter: UUID, *, for_good: bool
) -> Done:
    if kind == "redrive":
        return await operator.redrive(connection, letter)
    return await operator.discard(connection, handled_by(service), clock, letter, for_good=for_good)


async def run(databases: Databases, clock: Clock) -> None:
    """Work on jobs until cancelled; a database that is away keeps only its own service's jobs waiting."""
    away: set[str] = set()
    while True:
        found = False
        try:
            found = await work(databases, clock, without=away)
        except Away as gone:
            found = gone.name in SERVICES
            away.add(gone.name)
        except Exception:
            log.error("a portion of a job failed", exc_info=True)
        if not found:
            await asyncio.sleep(AWAY_SECONDS if away else IDLE_SECONDS)
            away.clear()


async def worked_on(app: web.Application) -> AsyncIterator[None]:
    """For `cleanup_ctx`, after the databases. A console that is read-only does nothing by itself, either."""
    if app[SETTINGS].console_read_only:
        yield
        return
    task = asyncio.create_task(run(app[DATABASES], app[CLOCK]), name="jobs")
    yield
    await ended(task)


class Came(NamedTuple):
    """What came of how many letters."""

    outcome: str
    letters: int


def outcomes(row: asyncpg.Record) -> list[Came]:
    """How often what was done, or not and why; the most frequent first."""
    found: dict[str, Any] = json.loads(row["summary"]).get("outcomes", {})
    return [Came(*one) for one in Counter(found).most_common()]
