"""`bookingctl audit`: the auditor itself, and what it has found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import typer
from booking_contracts.rights import SERVICES

from services.chassis.clock import Clock, SystemClock
from services.chassis.database import Address, Connection
from services.chassis.operator import NotPossible
from services.operations.auditor import process
from services.operations.auditor.all_checks import LINGERING, WALKS
from services.operations.auditor.databases import Databases
from services.operations.auditor.findings import Finding, Kind
from services.operations.auditor.looking import everything
from services.operations.databases import OPERATIONS
from services.operations.terminal import Json, plain, read_only, run_on, sentences, show

app = typer.Typer(help="The auditor: run, list, show. What each kind means: docs/auditor.md.", no_args_is_help=True)
FOUND = ("kind", "subject", "detail", "booking_id", "payment_id")
COLUMNS = ("violation_id", *FOUND, "first_seen", "last_seen", "gone_at")
SELECT = f"SELECT {', '.join(COLUMNS)}, ids FROM violation"


@app.command("run")
def run(
    once: Annotated[bool, typer.Option(help="look at everything once, print what is wrong, keep nothing")] = False,
    every: Annotated[float, typer.Option(min=1, help="seconds between two looks at what lingers or was written")] = 5,
    as_json: Json = False,
) -> None:
    """Look for ever whether everything agrees, until SIGTERM; /health and /metrics on HTTP_PORT, where that is set."""
    if not once:
        for_ever(SystemClock(), every)
        return
    show([_row(one) for one in sentences(_look(_services()))], FOUND, as_json=as_json)


def for_ever(clock: Clock, every_seconds: float = 5) -> None:
    """Look until SIGTERM, at the databases that the environment names."""
    process.run(_services(), Address.named(f"{OPERATIONS.upper()}_DATABASE"), clock, every_seconds)


def _services() -> dict[str, Address]:
    return {service: read_only(service) for service in SERVICES}


async def _look(where: dict[str, Address]) -> list[Finding]:
    databases = Databases(where, "bookingctl")
    try:
        return await everything(databases, SystemClock().now(), WALKS, LINGERING)
    finally:
        await databases.close()


def _row(one: Finding) -> dict[str, object]:
    return {name: getattr(one, name) for name in FOUND}


@app.command("list")
def listed(
    kind: Kind | None = None,
    gone: Annotated[bool, typer.Option(help="also those that are gone")] = False,
    as_json: Json = False,
) -> None:
    """Violations that are open, the oldest first; at most 500."""

    async def look(operations: Connection) -> Sequence[Any]:
        return await operations.fetch(
            f"""
            {SELECT} WHERE ($1::text IS NULL OR kind = $1) AND ($2 OR gone_at IS NULL)
            ORDER BY gone_at NULLS FIRST, first_seen LIMIT 500
            """,
            kind,
            gone,
        )

    show(run_on(OPERATIONS, look), COLUMNS, as_json=as_json)


@app.command("show")
def shown(violation_id: UUID, as_json: Json = False) -> None:
    """One violation, with the ids of its rows."""

    async def look(operations: Connection) -> dict[str, Any]:
        row = await operations.fetchrow(f"{SELECT} WHERE violation_id = $1", violation_id)
        if row is None:
            raise NotPossible(f"there is no violation {violation_id}; see `bookingctl audit list`")
        return {**row, "ids": json.loads(row["ids"])}

    found = run_on(OPERATIONS, look)
    if as_json:
        typer.echo(json.dumps(found, default=plain))
        return
    for name, value in found.items():
        typer.echo(f"{name}: {'' if value is None else plain(value)}")
