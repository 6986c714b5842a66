"""A finding counts when a second look, a pause later, finds the same: two databases are never read at one instant."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime

from services.operations.auditor.check_types import CHUNK, Lingering, Walk
from services.operations.auditor.databases import Databases
from services.operations.auditor.findings import Finding
from services.operations.auditor.scope import Between, Id

PAUSE_SECONDS = 2.0
"""What was on its way between two databases has come, or its saga shows that it is still at work."""


async def still(walk: Walk, databases: Databases, found: Sequence[Finding]) -> list[Finding]:
    """What was found a moment ago and is found again, just as it was, after a pause."""
    if not found:
        return []
    await asyncio.sleep(PAUSE_SECONDS)
    return same(found, await walk.look(databases, walk.subjects(found)))


def same(before: Iterable[Finding], now: Iterable[Finding]) -> list[Finding]:
    """What both looks have found, just as it was."""
    known = {one.key: one for one in before}
    return [one for one in now if known.get(one.key) == one]


async def chunks(walk: Walk, databases: Databases, after: Id) -> AsyncIterator[tuple[Between, int]]:
    """Stretches of the table's keys, each with how many they are, after that key; the last one has no end, so that what
    the other side knows alone is seen, too."""
    of = f"FROM {walk.table} WHERE {walk.key} > $1"
    while True:
        found = await databases.fetch(
            walk.service, f"SELECT {walk.key} {of} ORDER BY {walk.key} OFFSET {CHUNK - 1} LIMIT 1", after
        )
        if not found:
            ((rows,),) = await databases.fetch(walk.service, f"SELECT count(*) {of}", after)
            yield Between(after, None), rows
            return
        until: Id = found[0][0]
        yield Between(after, until), CHUNK
        after = until


async def whole(walk: Walk, databases: Databases) -> list[Finding]:
    """A whole pass at once."""
    found: list[Finding] = []
    async for between, _ in chunks(walk, databases, walk.beginning):
        found += await still(walk, databases, await walk.look(databases, between))
    return found


async def everything(
    databases: Databases, now: datetime, walks: Sequence[Walk], lingering: Sequence[Lingering]
) -> list[Finding]:
    """All of it, once: for who asks, not for who watches."""
    first = [one for check in lingering for one in await check.look(databases, now)]
    found = [one for walk in walks for one in await whole(walk, databases)]
    if first:
        await asyncio.sleep(PAUSE_SECONDS)
    again = [one for check in lingering for one in await check.look(databases, now)] if first else []
    return found + same(first, again)
