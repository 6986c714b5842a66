"""The auditor beside what a test does to a system: whatever it finds there is wrong, or a false alarm."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from urllib.parse import urlsplit

from booking_contracts.rights import SERVICES

from services.chassis.clock import SystemClock
from services.chassis.database import Address
from services.operations.auditor.all_checks import LINGERING, WALKS
from services.operations.auditor.databases import Databases
from services.operations.auditor.findings import Finding, Kind
from services.operations.auditor.looking import everything
from services.operations.auditor.record import Record
from services.operations.auditor.rounds import Rounds


class Told(Record):
    """Keeps all that ever counted, in `told`; there is no database of operations."""

    def __init__(self) -> None:
        super().__init__(None)
        self.told: list[Finding] = []

    def saw(self, found: Iterable[Finding]) -> None:
        counted = list(found)
        self.told += [one for one in counted if one.key not in self.open]
        super().saw(counted)


def reading(env: Mapping[str, str]) -> Databases:
    """As the auditor's role; `env` is a stack.env, in which its password may change."""

    def where(name: str) -> Address:
        return Address(env[name], lambda: str(urlsplit(env[name]).password))

    return Databases({service: where(f"AUDITOR_{service.upper()}_DATABASE_URL") for service in SERVICES})


@asynccontextmanager
async def audited(env: Mapping[str, str]) -> AsyncIterator[list[Finding]]:
    """What the auditor tells meanwhile, looking as often as it can."""
    record = Told()
    going_on = asyncio.ensure_future(Rounds(lambda: reading(env), record, SystemClock(), every_seconds=1.0).run())
    try:
        yield record.told
    finally:
        going_on.cancel()
        with suppress(asyncio.CancelledError):
            await going_on


async def violations(env: Mapping[str, str], without: Collection[Kind] = ()) -> list[Finding]:
    """What all of its checks find when nothing moves any more."""
    databases = reading(env)
    try:
        found = await everything(databases, datetime.now(UTC), WALKS, LINGERING)
    finally:
        await databases.close()
    return [one for one in found if one.kind not in without]
