"""`bookingctl dead-letters`: what was set aside, one at a time or many by what they have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Annotated
from uuid import UUID

import asyncpg
import typer

from services.chassis import dead_letter_selection, operator
from services.chassis.clock import SystemClock
from services.chassis.database import Connection
from services.chassis.dead_letter_selection import Wanted
from services.chassis.operator import Done
from services.operations.terminal import Json, ServiceName, console, in_utc, plain, run_on, service_named, show

app = typer.Typer(help="Dead letters: list, show, redrive, discard.", no_args_is_help=True)

LETTER = ("id", "created_at", "kind", "topic", "partition", "offset", "key", "type", "status", "records", "behind")
KINDS = ("letters", "kind", "type", "error")


class Kind(StrEnum):
    """What dead letters are (services/chassis/operator.py)."""

    FAILED = "failed"
    UNREAD = "unread"
    UNSENDABLE = "unsendable"
    REFUSED = "refused"


LetterId = Annotated[UUID | None, typer.Argument(help="one letter; without it those that the options describe")]
OfKind = Annotated[Kind | None, typer.Option(help="refused input of clients is left out unless it is named here")]
OfType = Annotated[str | None, typer.Option("--type", help="the message's ce_type, e.g. booking.PlaceBooking.v1")]
WithError = Annotated[str | None, typer.Option("--error", help="a part of the error's text")]
OfKey = Annotated[str | None, typer.Option("--key", help="the message's key, e.g. a booking id")]
Before = Annotated[datetime | None, typer.Option(help="set aside before this instant, UTC")]
Limit = Annotated[int, typer.Option(min=1, help="at most so many, the oldest first")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="only say what there is, by kind, type and error")]
ForGood = Annotated[
    bool, typer.Option("--for-good", help="drop timers and results of calls too: see to what waits for them yourself")
]


@app.command("list")
def list_(
    service: ServiceName,
    kind: OfKind = None,
    of_type: OfType = None,
    error: WithError = None,
    key: OfKey = None,
    before: Before = None,
    limit: Limit = 50,
    every: Annotated[bool, typer.Option("--every", help="also those that were dealt with")] = False,
    as_json: Json = False,
) -> None:
    """Open dead letters of a service, the oldest first, with how many messages wait behind each."""
    wanted = _wanted(kind, of_type, error, key, before, every=every)

    async def look(c: Connection) -> tuple[int, list[asyncpg.Record]]:
        return await dead_letter_selection.count(c, wanted), await dead_letter_selection.listed(c, wanted, most=limit)

    total, found = run_on(service, look)
    rows = [{**row, "error": _last_line(row["error"])} for row in found]
    show(rows, (*LETTER, "error"), as_json=as_json)
    typer.echo(f"{len(found)} of {total}", err=True)


@app.command("show")
def show_(service: ServiceName, letter_id: UUID, as_json: Json = False) -> None:
    """One dead letter: error, headers, body."""
    row = run_on(service, lambda c: dead_letter_selection.shown(c, letter_id))
    if as_json:
        show([row], (*LETTER, "message_id", "error", "headers", "body"), as_json=True)
        return
    show([row], LETTER, as_json=False)
    for column in ("error", "headers", "body"):
        console.print(plain(row[column]), markup=False)


@app.command("redrive")
def redrive(
    service: ServiceName,
    letter_id: LetterId = None,
    kind: OfKind = None,
    of_type: OfType = None,
    error: WithError = None,
    key: OfKey = None,
    before: Before = None,
    limit: Limit = 1000,
    dry_run: DryRun = False,
) -> None:
    """Handle it again, then what waits behind it; or all that the options describe."""
    wanted = _wanted(kind, of_type, error, key, before)
    _treat(service, letter_id, wanted, limit, operator.redrive, dry_run=dry_run)


@app.command("discard")
def discard(
    service: ServiceName,
    letter_id: LetterId = None,
    kind: OfKind = None,
    of_type: OfType = None,
    error: WithError = None,
    key: OfKey = None,
    before: Before = None,
    limit: Limit = 1000,
    dry_run: DryRun = False,
    for_good: ForGood = False,
) -> None:
    """Give it up; or all that the options describe. A command is answered DISCARDED, a timer is put off."""
    of = service_named(service)
    wanted = _wanted(kind, of_type, error, key, before)

    async def give_up(c: Connection, letter: UUID) -> Done:
        return await operator.discard(c, of, SystemClock(), letter, for_good=for_good)

    _treat(service, letter_id, wanted, limit, give_up, dry_run=dry_run)


def _wanted(
    kind: Kind | None, of_type: str | None, error: str | None, key: str | None, before: datetime | None, **more: bool
) -> Wanted:
    return Wanted(kind=kind, type=of_type, error=error, key=key, before=in_utc(before), **more)


def _treat(
    service: str,
    letter_id: UUID | None,
    wanted: Wanted,
    limit: int,
    do: Callable[[Connection, UUID], Awaitable[Done]],
    *,
    dry_run: bool,
) -> None:
    if (letter_id is None) == (not wanted.narrow):
        raise typer.BadParameter("name one letter, or say by --kind, --type, --error, --key or --before which ones")

    async def one(c: Connection, letter: UUID) -> Done:
        if dry_run:
            row = await dead_letter_selection.shown(c, letter)
            return Done(f"{row['kind']} {row['type']}, {row['status']}: {_last_line(row['error'])}", row["behind"])
        return await do(c, letter)

    async def many(c: Connection) -> None:
        if dry_run:
            show(await dead_letter_selection.kinds(c, wanted), KINDS, as_json=False)
        else:
            summary = await dead_letter_selection.treat(c, wanted, limit, partial(do, c))
            for what, count in summary.most_common():
                typer.echo(f"{count}: {what}")
        typer.echo(f"{await dead_letter_selection.count(c, wanted)} are open")

    if letter_id is None:
        run_on(service, many)
    else:
        typer.echo(str(run_on(service, lambda c: one(c, letter_id))))


def _last_line(error: str) -> str:
    """What was raised; above it stands from where."""
    return (error.strip().splitlines() or [""])[-1]
