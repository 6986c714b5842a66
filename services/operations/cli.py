"""`bookingctl`: what operators see and repair. Databases and Kafka are named in the environment, or in --env-file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from booking_contracts.rights import SERVICES

from services.booking import operator as booking_operator
from services.booking.saga import Status
from services.chassis.clock import SystemClock
from services.chassis.database import Connection
from services.operations import bookings, customer, dead_letters, letters, money, positions, sessions_commands, webhooks
from services.operations import migrate as migrations
from services.operations import topics as topics_module
from services.operations.auditor import commands as audit
from services.operations.console.commands import console
from services.operations.terminal import By, Json, kafka_settings, operator_named, plain, run_on, sentences, show

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)
saga_app = typer.Typer(help="Sagas: list, show, retry, resolve.", no_args_is_help=True)
outbox_app = typer.Typer(help="The outbox of each service.", no_args_is_help=True)
topics_app = typer.Typer(help="Kafka topics.", no_args_is_help=True)
for name, part in (
    ("saga", saga_app),
    ("dead-letters", dead_letters.app),
    ("outbox", outbox_app),
    ("positions", positions.app),
    ("topics", topics_app),
    ("booking", bookings.app),
    ("customer", customer.app),
    ("payments", money.app),
    ("letters", letters.app),
    ("webhooks", webhooks.app),
    ("audit", audit.app),
    ("sessions", sessions_commands.app),
):
    app.add_typer(part, name=name)
app.command("console")(console)


@app.callback()
def environment(
    env_file: Annotated[Path | None, typer.Option(help="KEY=VALUE lines, e.g. .local/stack.env")] = None,
) -> None:
    """Read addresses from a file, where one is named."""
    if env_file is not None:
        for line in env_file.read_text().splitlines():
            key, _, value = line.partition("=")
            os.environ.setdefault(key, value)


SAGA = ("booking_id", "state", "step", "attempt", "status", "asked", "ask_again_at", "problem")


@saga_app.command("list")
def saga_list(
    status: Status | None = None, limit: Annotated[int, typer.Option(min=1)] = 500, as_json: Json = False
) -> None:
    """Sagas that are not done, or those of one status; the longest waiting first."""
    show(run_on("booking", lambda c: booking_operator.sagas(c, status=status, most=limit)), SAGA, as_json=as_json)


@saga_app.command("show")
def sagashow(booking_id: UUID, as_json: Json = False) -> None:
    """One saga with its log."""
    row, log = run_on("booking", lambda c: booking_operator.saga_of(c, booking_id))
    if as_json:
        document = {"saga": dict(row), "log": [dict(line) for line in log]}
        typer.echo(json.dumps(document, default=plain))
        return
    show([row], SAGA, as_json=False)
    show(log, ("at", "step", "attempt", "what"), as_json=False)


@saga_app.command("retry")
def saga_retry(
    booking_id: UUID, note: Annotated[str, typer.Option(help="why, for the saga's log")] = "", by: By = None
) -> None:
    """Ask the step of a saga that is not done again; safe also where an answer is on its way."""
    who = operator_named(by)
    typer.echo(run_on("booking", lambda c: booking_operator.retry(c, SystemClock(), booking_id, by=who, note=note)))


@saga_app.command("resolve")
def saga_resolve(
    booking_id: UUID, note: Annotated[str, typer.Option(help="what was done by hand")], by: By = None
) -> None:
    """Close a stuck step that was settled by hand."""
    who = operator_named(by)
    typer.echo(run_on("booking", lambda c: booking_operator.resolve(c, SystemClock(), booking_id, note, by=who)))


@outbox_app.command("status")
def outbox_status(as_json: Json = False) -> None:
    """Rows that wait for the relay, the age of the oldest, and who leads."""
    rows = [{"service": name, **run_on(name, _outbox)} for name in SERVICES]
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


@topics_app.command("apply")
def topics_apply(
    replication_factor: Annotated[int | None, typer.Option(help="of topics that are created")] = None,
    min_insync_replicas: Annotated[int | None, typer.Option(help="of every topic")] = None,
    config: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, of every topic; may be repeated")] = None,
) -> None:
    """Create the topics that contracts declare, and set their configs. What is not given, TOPICS_… in the environment
    says: TOPICS_REPLICATION_FACTOR (1), TOPICS_MIN_INSYNC_REPLICAS, TOPICS_CONFIG (JSON)."""
    given = {
        "topics_replication_factor": replication_factor,
        "topics_min_insync_replicas": min_insync_replicas,
        "topics_config": dict(one.partition("=")[::2] for one in config) if config else None,
    }
    settings = kafka_settings(topics_module.TopicsSettings, {name: it for name, it in given.items() if it is not None})
    created = sentences(topics_module.apply_as(settings))
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
