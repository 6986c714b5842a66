"""What every command of bookingctl needs: a connection to a service's database, and tables or JSON to show rows."""

from __future__ import annotations

import asyncio
import getpass
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import asyncpg
import typer
from aiokafka.errors import KafkaError
from booking_contracts.rights import SERVICES
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from services.chassis.database import Address, Connection, connect
from services.chassis.kafka_settings import KafkaSettings
from services.chassis.operator import NOBODY
from services.chassis.service import Service
from services.operations.databases import OPERATIONS
from services.operations.handled import handled_by
from services.operations.refusals import REFUSED, sentence

console = Console()
T = TypeVar("T")
KafkaT = TypeVar("KafkaT", bound=KafkaSettings)
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")]
By = Annotated[str | None, typer.Option(help="who does it; else the login name")]
ServiceName = Annotated[str, typer.Argument(help="booking, payments or notifications")]


def known(service: str) -> str:
    """The name, where it is that of a service."""
    if service not in SERVICES:
        raise typer.BadParameter(f"there is no service {service}; there are {', '.join(SERVICES)}")
    return service


def service_named(name: str) -> Service:
    """What a service handles."""
    return handled_by(known(name))


def operator_named(by: str | None) -> str:
    """Who does it, for the histories that keep it: as given, else the login name."""
    if by is not None:
        return by
    try:
        return getpass.getuser()
    except OSError:  # a container whose user has no name
        return NOBODY


def run_on(service: str, work: Callable[[Connection], Coroutine[Any, Any, T]]) -> T:
    """Run `work` on a connection to a service's database, or to that of operations."""
    opened = acting(service)

    async def run() -> T:
        async with opened as connection:
            return await work(connection)

    return sentences(run())


def acting(service: str) -> AbstractAsyncContextManager[Connection]:
    """A connection to a service's database, or to that of operations, as its own role."""
    database = Address.named(f"{(service if service == OPERATIONS else known(service)).upper()}_DATABASE")
    if database is None:
        raise typer.BadParameter(f"set {service.upper()}_DATABASE_URL, or give --env-file .local/stack.env")
    return _opened(database)


@asynccontextmanager
async def _opened(database: Address) -> AsyncIterator[Connection]:
    connection = await connect(database, "bookingctl")
    try:
        yield connection
    finally:
        await connection.close()


def sentences(work: Coroutine[Any, Any, T]) -> T:
    """Run it; what an operator can do something about ends with a sentence and exit code 1."""
    try:
        return asyncio.run(work)
    except REFUSED as problem:
        said = sentence(problem)
    except (OSError, TimeoutError, KafkaError, asyncpg.InvalidPasswordError) as problem:
        said = f"no connection, is the address right and does it answer? {problem!r}"
    console.print(said, style="red", markup=False)
    raise typer.Exit(1)


def in_utc(given: datetime | None) -> datetime | None:
    """An instant as it is given to an option: without a zone, and meant in UTC."""
    return None if given is None else given.replace(tzinfo=UTC)


def kafka_settings(kind: type[KafkaT], given: Mapping[str, Any] | None = None) -> KafkaT:
    """How to reach Kafka, by the same names as a service's; what is `given` goes before the environment."""
    try:
        return kind(**(given or {}))
    except ValidationError as wrong:
        said = "; ".join(f"{'.'.join(map(str, one['loc'])).upper()} {one['msg']}" for one in wrong.errors())
        raise typer.BadParameter(f"set what reaches Kafka, or give --env-file .local/stack.env: {said}") from None


def kafka() -> Mapping[str, object]:
    """What a client of Kafka is made with."""
    try:
        return kafka_settings(KafkaSettings).kafka_client()
    except OSError as missing:
        raise typer.BadParameter(f"a certificate cannot be read: {missing}") from None


def read_only(service: str) -> Address:
    """A service's database for the auditor's role, or where nobody has set up that role for the service's own."""
    name = f"{service.upper()}_DATABASE"
    database = Address.named(f"AUDITOR_{name}") or Address.named(name)
    if database is None:
        raise typer.BadParameter(f"set AUDITOR_{name}_URL, or give --env-file .local/stack.env")
    return database


def show(rows: Iterable[Any], columns: tuple[str, ...], *, as_json: bool) -> None:
    found = [{column: row[column] for column in columns} for row in rows]
    if as_json:
        typer.echo(json.dumps(found, default=plain))
        return
    table = Table(*columns)
    for row in found:
        table.add_row(*("" if value is None else plain(value) for value in row.values()))
    console.print(table if found else "nothing")


def plain(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
