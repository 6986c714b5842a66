"""`bookingctl`: what operators see and mend. Databases and Kafka are named in the environment, or in --env-file."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from services.booking import operator as booking_operator
from services.chassis import operator
from services.chassis.clock import SystemClock
from services.chassis.database import Connection
from services.chassis.handlers import Service
from services.operations import migrate as migrations
from services.operations import money
from services.operations import topics as topics_module
from services.operations.console import Json, ServiceName, console, plain, run_on, show

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)
saga_app = typer.Typer(help="Sagas: list, show, retry, resolve.", no_args_is_help=True)
letters_app = typer.Typer(help="Dead letters: list, show, redrive, discard.", no_args_is_help=True)
outbox_app = typer.Typer(help="The outbox of each service.", no_args_is_help=True)
topics_app = typer.Typer(help="Kafka topics.", no_args_is_help=True)
booking_app = typer.Typer(help="One booking on one screen.", no_args_is_help=True)
for name, part in (
    ("saga", saga_app),
    ("dead-letters", letters_app),
    ("outbox", outbox_app),
    ("topics", topics_app),
    ("booking", booking_app),
    ("payments", money.app),
):
    app.add_typer(part, name=name)


@app.callback()
def environment(
    env_file: Annotated[Path | None, typer.Option(help="KEY=VALUE lines, e.g. .local/stack.env")] = None,
) -> None:
    """Read addresses from a file, where one is named."""
    if env_file is not None:
        for line in env_file.read_text().splitlines():
            key, _, value = line.partition("=")
            os.environ.setdefault(key, value)


def _service(name: str) -> Service:
    found: Service = importlib.import_module(f"services.{name}.app").SERVICE
    return found


SAGA = ("booking_id", "state", "step", "attempt", "status", "asked", "ask_again_at", "problem")
LETTER = ("id", "created_at", "kind", "topic", "partition", "offset", "key", "type", "status")


@saga_app.command("list")
def saga_list(status: str | None = None, as_json: Json = False) -> None:
    """Sagas that are not done, or those of one status: waiting, waiting_for_customer or _chargeback, stuck, done."""
    show(run_on("booking", lambda c: booking_operator.sagas(c, status=status)), SAGA, as_json=as_json)


@saga_app.command("show")
def sagashow(booking_id: UUID, as_json: Json = False) -> None:
    """One saga with its log."""
    row, log = run_on("booking", lambda c: booking_operator.saga_of(c, booking_id))
    show([row], SAGA, as_json=as_json)
    show(log, ("at", "step", "attempt", "what"), as_json=as_json)


@saga_app.command("retry")
def saga_retry(booking_id: UUID) -> None:
    """Ask a stuck step again, after its cause was mended."""
    typer.echo(run_on("booking", lambda c: booking_operator.retry(c, SystemClock(), booking_id)))


@saga_app.command("resolve")
def saga_resolve(booking_id: UUID, note: Annotated[str, typer.Option(help="what was done by hand")]) -> None:
    """Close a stuck step that was settled by hand."""
    typer.echo(run_on("booking", lambda c: booking_operator.resolve(c, SystemClock(), booking_id, note)))


@letters_app.command("list")
def letters_list(service: ServiceName, every: bool = False, as_json: Json = False) -> None:
    """Open dead letters of a service, with how many messages wait behind each."""
    found = run_on(service, lambda c: operator.dead_letters(c, every=every))
    show([{**waiting.row, "behind": waiting.behind} for waiting in found], (*LETTER, "behind"), as_json=as_json)


@letters_app.command("show")
def lettersshow(service: ServiceName, letter_id: UUID, as_json: Json = False) -> None:
    """One dead letter: error, headers, body."""
    found = run_on(service, lambda c: operator.dead_letters(c, every=True))
    rows = [waiting.row for waiting in found if waiting.row["id"] == letter_id]
    show(rows, LETTER, as_json=as_json)
    if not as_json:
        for row in rows:
            console.print(row["error"], markup=False)
            console.print(row["headers"], markup=False)
            console.print(plain(row["body"]), markup=False)


@letters_app.command("redrive")
def letters_redrive(service: ServiceName, letter_id: UUID) -> None:
    """Handle it again, then what waits behind it."""
    typer.echo(run_on(service, lambda c: operator.redrive(c, letter_id)))


@letters_app.command("discard")
def letters_discard(service: ServiceName, letter_id: UUID) -> None:
    """Give it up; a command is answered DISCARDED."""
    typer.echo(run_on(service, lambda c: operator.discard(c, _service(service), SystemClock(), letter_id)))


@outbox_app.command("status")
def outbox_status(as_json: Json = False) -> None:
    """Rows that wait for the relay, the age of the oldest, and who leads."""
    rows = [{"service": name, **run_on(name, _outbox)} for name in migrations.SERVICES]
    show(rows, ("service", "rows", "oldest_seconds", "leader"), as_json=as_json)


async def _outbox(connection: Connection) -> Mapping[str, object]:
    row = await connection.fetchrow(
        """
        SELECT count(*) AS rows, extract(epoch FROM clock_timestamp() - min(created_at))::int AS oldest_seconds,
               (SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                WHERE l.locktype = 'advisory' AND l.granted AND a.application_name LIKE '%-relay'
                  AND a.datname = current_database() LIMIT 1) AS leader
        FROM outbox
        """
    )
    assert row is not None
    return dict(row)


@booking_app.command("show")
def bookingshow(booking_id: UUID) -> None:
    """A booking's row, history and saga."""

    async def look(c: Connection) -> tuple[Any, Any, Any]:
        booking = await c.fetch("SELECT * FROM booking WHERE booking_id = $1", booking_id)
        history = await c.fetch("SELECT * FROM booking_history WHERE booking_id = $1 ORDER BY number", booking_id)
        log = await c.fetch("SELECT * FROM saga_log WHERE booking_id = $1 ORDER BY line", booking_id)
        return booking, history, log

    booking, history, log = run_on("booking", look)
    show(booking, ("booking_id", "state", "seats", "starts_at", "deadline", "attempt", "payment_status"), as_json=False)
    show(history, ("number", "at", "actor_kind", "actor_id", "type", "from_state", "to_state", "reason"), as_json=False)
    show(log, ("at", "step", "attempt", "what"), as_json=False)


@topics_app.command("apply")
def topics_apply(replication_factor: int = 1) -> None:
    """Create the topics that contracts declare."""
    created = asyncio.run(topics_module.apply(os.environ["KAFKA_BOOTSTRAP_SERVERS"], replication_factor))
    typer.echo(f"created: {', '.join(created) or 'nothing, all are there'}")


@app.command("migrate")
def migrate() -> None:
    """Bring the databases named by <SERVICE>_MIGRATION_URL to this build's revision."""
    raise typer.Exit(migrations.main())


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
