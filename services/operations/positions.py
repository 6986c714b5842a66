"""`bookingctl positions`: where a service stands in its topics, beside what Kafka has; and how to put it elsewhere.

The truth is table consumed_position in the service's database; Kafka's own offsets of the group follow it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer

from services.chassis.database import Connection
from services.chassis.operator import NotPossible
from services.operations.kafka_logs import Log, logs, members
from services.operations.terminal import Json, ServiceName, kafka, run_on, service_named, show

app = typer.Typer(help="Where a service stands in its topics: show, reset.", no_args_is_help=True)
STANDING = ("topic", "partition", "position", "begin", "end", "lag", "verdict")


@dataclass(frozen=True, slots=True)
class Standing:
    """A partition: the next offset by the database, None where it was never read, and what Kafka has of the log."""

    topic: str
    partition: int
    position: int | None
    log: Log | None

    @property
    def lag(self) -> int | None:
        """Records that are to be read; what a transaction leaves behind is none."""
        if self.log is None:
            return None
        return max(0, self.log.end - max(self.position or 0, self.log.begin, self.log.here))

    @property
    def verdict(self) -> str:
        """In words."""
        if self.log is None:
            return "Kafka has no such partition: `bookingctl topics apply`, or is it another cluster?"
        if self.position is None:
            return "ok, never read: begins with the earliest"
        if self.position < self.log.begin:
            lost = self.log.begin - self.position
            return f"behind retention: {lost} records were lost before they were read"
        if self.position > self.log.end:
            past = self.position - self.log.end
            return f"past the end by {past}: the topic was made anew, or Kafka restored from an older state"
        return "ok"

    @property
    def row(self) -> dict[str, Any]:
        """As it is shown."""
        begin, end = (None, None) if self.log is None else (self.log.begin, self.log.end)
        shown = {name: getattr(self, name) for name in ("topic", "partition", "position", "lag", "verdict")}
        return {**shown, "begin": begin, "end": end}


class Edge(StrEnum):
    """Where a log can be read from."""

    EARLIEST = "earliest"
    LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Move:
    """A partition's position, before (None: never read, which is its beginning) and after."""

    standing: Standing
    to: int

    def __str__(self) -> str:
        """What it means."""
        log, where = self.standing.log, f"{self.standing.topic}/{self.standing.partition}"
        assert log is not None, "only a partition that is there is moved to"
        here = self.standing.position
        at = max(here or 0, log.begin)
        if self.to == here:
            return f"{where}: stays at {here}"
        if here is not None and here > log.end:
            return f"{where}: {here} → {self.to}, from past the end; {log.end - self.to} records are read"
        if self.to < at:
            return f"{where}: {here} → {self.to}, {at - self.to} records are read again"
        return f"{where}: {here} → {self.to}, {self.to - at} records are skipped and NEVER handled"


MEANING = """\
Read again: what was handled is known by its id and dropped (ids of events are kept 8 days, of commands 30), the rest is
handled. Skipped: its commands are never answered, its events are lost to this service; look at what they were first."""


@app.command("show")
def show_(service: ServiceName, as_json: Json = False) -> None:
    """Per partition: the database's position, Kafka's begin and end, what waits, and whether that is well."""
    reached = kafka()
    found = run_on(service, lambda c: standings(c, service, reached))
    show([one.row for one in found], STANDING, as_json=as_json)


@app.command("reset")
def reset(
    service: ServiceName,
    topic: Annotated[str, typer.Option(help="one of the topics that `positions show` shows")],
    to: Annotated[str, typer.Option(help="earliest, latest or an offset")],
    partition: Annotated[int | None, typer.Option(min=0, help="without it all partitions of the topic")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Have a service that is stopped go on reading elsewhere."""
    reached = kafka()

    async def plan(c: Connection) -> list[Move]:
        if count := await members(reached, service):
            raise NotPossible(
                f"replicas of {service} that run, or left less than 10 s ago: {count}. Stop them all (scale to 0), "
                "then reset: they would go on from where they stand"
            )
        found = [one for one in await standings(c, service, reached) if one.topic == topic]
        return moves([one for one in found if partition in (None, one.partition)], to)

    async def put(c: Connection) -> None:
        for move in await plan(c):
            await move_to(c, move)

    for move in run_on(service, plan):
        typer.echo(str(move))
    typer.echo(MEANING)
    if not yes:
        typer.confirm("Go on?", abort=True)
    run_on(service, put)
    typer.echo(f"done; start {service} again")


async def standings(connection: Connection, service: str, reached: Mapping[str, object]) -> list[Standing]:
    """Every partition that a service consumes, or once did; Kafka is `reached` so."""
    rows = await connection.fetch("SELECT topic, partition, next_offset FROM consumed_position")
    positions = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
    found = await logs(reached, {*service_named(service).topics, *(topic for topic, _ in positions)}, positions)
    return [Standing(*which, positions.get(which), found.get(which)) for which in sorted({*positions, *found})]


def moves(standings: list[Standing], to: str) -> list[Move]:
    """Where each goes. Raises NotPossible for what is not in the log."""
    if not standings:
        raise NotPossible("the service has no such topic or partition; see `bookingctl positions show`")
    return [Move(standing, _target(standing, to)) for standing in standings]


def _target(standing: Standing, to: str) -> int:
    log = standing.log
    if log is None:
        raise NotPossible(f"Kafka has no partition {standing.partition} of {standing.topic}: `bookingctl topics apply`")
    if to in tuple(Edge):
        return log.begin if to == Edge.EARLIEST else log.end
    if not to.isdecimal() or not log.begin <= int(to) <= log.end:
        where = f"{standing.topic}/{standing.partition}"
        raise NotPossible(f"{where} goes from {log.begin} to {log.end}: give such an offset, earliest or latest")
    return int(to)


async def move_to(connection: Connection, move: Move) -> None:
    """Write the position.

    In a log that was made anew other records come at the places of old ones: dead letters of those give them up, so
    that none is overwritten (it is one to a place). Their new offset is negative and no record's. Nor was any of it
    handled in a life that is forgotten (chassis/set_back.py).
    """
    log, position = move.standing.log, move.standing.position
    if log is not None and position is not None and position > log.end:
        await connection.execute(
            """
            UPDATE dead_letter SET "offset" = "offset" - (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
            WHERE topic = $1 AND partition = $2 AND "offset" >= 0
            """,
            move.standing.topic,
            move.standing.partition,
        )
        await connection.execute(
            "DELETE FROM read_again WHERE topic = $1 AND partition = $2", move.standing.topic, move.standing.partition
        )
    await connection.execute(
        """
        INSERT INTO consumed_position (topic, partition, next_offset) VALUES ($1, $2, $3)
        ON CONFLICT (topic, partition) DO UPDATE SET next_offset = EXCLUDED.next_offset
        """,
        move.standing.topic,
        move.standing.partition,
        move.to,
    )
